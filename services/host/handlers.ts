// What a service implements: each rpc as an async function or an async generator.
// Knows the shapes of gRPC's four kinds of call, not how they are served.

import type {
  ServiceDefinition,
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
} from '@grpc/grpc-js';
import type { Logger } from './log.ts';

/** What a handler knows of its call beside the request. */
export interface CallContext {
  /**
   * Aborted with a VggError as its reason: CANCELLED when the client went away,
   * DEADLINE_EXCEEDED when the time is over, UNAVAILABLE when the server is forced to end.
   */
  readonly signal: AbortSignal;
  /** When its time is over, on the server's clock; always finite. */
  readonly deadline: number;
  /** The client's x-request-id, or one made here; sent back, and in every log line. */
  readonly requestId: string;
  /** Logs with the request's id and method. */
  readonly log: Logger;
  /** Metadata that the client sent: the last value of a key, if it is text. */
  readonly header: (name: string) => string | undefined;
  /** Name of the rpc with its service: vgg.v1.AggregatorService/Classify. */
  readonly method: string;
}

/** One request, one response. */
export type Unary<Request, Response> = (
  request: Request,
  context: CallContext,
) => Promise<Response> | Response;
/** One request, many responses. */
export type ServerStreaming<Request, Response> = (
  request: Request,
  context: CallContext,
) => AsyncIterable<Response>;
/** Many requests, one response. */
export type ClientStreaming<Request, Response> = (
  requests: AsyncIterable<Request>,
  context: CallContext,
) => Promise<Response> | Response;
/** Many requests, many responses; what is not read of the requests is dropped. */
export type Bidirectional<Request, Response> = (
  requests: AsyncIterable<Request>,
  context: CallContext,
) => AsyncIterable<Response>;

// From the handler type that proto-loader-gen-types generates to the one that is written here.
type Handler<Generated> = Generated extends (call: infer Call, ...rest: infer Rest) => void
  ? Rest extends [sendUnaryData<infer Response>]
    ? Call extends ServerUnaryCall<infer Request, Response>
      ? Unary<Request, Response>
      : Call extends ServerReadableStream<infer Request, Response>
        ? ClientStreaming<Request, Response>
        : never
    : Call extends ServerDuplexStream<infer Request, infer Response>
      ? Bidirectional<Request, Response>
      : Call extends ServerWritableStream<infer Request, infer Response>
        ? ServerStreaming<Request, Response>
        : never
  : never;

/** The handlers of a service, from its generated `…ServiceHandlers`. */
export type Handlers<Generated> = {
  [Name in keyof Generated as string extends Name ? never : number extends Name ? never : Name]: Handler<
    Generated[Name]
  >;
};

/** A service that can be served. */
export interface Implementation {
  readonly definition: ServiceDefinition;
  readonly handlers: Readonly<Record<string, unknown>>;
}

/**
 * A service's definition with its handlers:
 * `implement<AggregatorServiceHandlers>(aggregatorService, { async Classify(request, context) { … }, … })`.
 */
export function implement<Generated>(
  definition: ServiceDefinition,
  handlers: Handlers<Generated>,
): Implementation {
  return { definition, handlers };
}
