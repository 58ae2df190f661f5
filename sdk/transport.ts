// gRPC's four kinds of call as promises and async iterables: one attempt each, on a leased
// connection. Knows cancellation, flow control and statuses; neither retries nor what is sent.

import { once, setMaxListeners } from 'node:events';
import {
  Metadata,
  status,
  type Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  type MethodDefinition,
  type ServiceError,
  type StatusObject,
} from '@grpc/grpc-js';
import { fromStatus } from '../proto/status.ts';
import { VggError } from '../vgg/errors.ts';
import type { Channel, Lease } from './channel.ts';
import { connectionReason } from './connection-reason.ts';

/** What one attempt is told. */
export interface Attempt {
  /** When its time is over, on the client's clock. */
  readonly deadline: number;
  /** Milliseconds until then. */
  readonly leftMs: () => number;
  readonly signal?: AbortSignal | undefined;
  readonly metadata: Metadata;
}

/** How a bidirectional call is ended early without resetting its stream. */
export interface PoliteEnd<Request> {
  /** The message that asks the server to end the call. */
  readonly message: Request;
  /** Milliseconds after which the stream is reset all the same. */
  readonly patienceMs: number;
}

// What @grpc/grpc-js says of a message over a limit, in its own words.
const TOO_LARGE = /message larger than max|decompresses to a size larger/;

// And of a connection that broke, or of a stream that ended without the status that says what became of the call,
// which on a machine with too much to do happens to one in thousands: it does not call them UNAVAILABLE itself.
const LOST =
  /^Received RST_STREAM with code (?:\d+ triggered by internal client error|0 \(Call ended without gRPC status\))/;
// What @grpc/grpc-js says where nothing answers at an address: the last reason is the telling one.
const UNREACHED =
  /(?:No connection established.*Last error: |Name resolution failed for target )(.+?)(?:Resolution note:.*)?$/s;

type AnyCall = ClientUnaryCall | ClientReadableStream<unknown> | ClientWritableStream<unknown>;

/** One request, one response. */
export function unary<Request, Response>(
  channel: Channel,
  method: MethodDefinition<Request, Response>,
  request: Request,
  attempt: Attempt,
): Promise<Response> {
  return single(channel, attempt, (client, callback) =>
    client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      attempt.metadata,
      callOptions(attempt),
      callback,
    ),
  );
}

/** Many requests, one response. */
export function clientStream<Request, Response>(
  channel: Channel,
  method: MethodDefinition<Request, Response>,
  requests: AsyncIterable<Request>,
  attempt: Attempt,
): Promise<Response> {
  return single(channel, attempt, (client, callback, fail) => {
    const call = client.makeClientStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      attempt.metadata,
      callOptions(attempt),
      callback,
    );
    writeAll(call, requests).catch(fail);
    return call;
  });
}

/** One request, many responses. Leaving the loop early resets the stream. */
export function serverStream<Request, Response>(
  channel: Channel,
  method: MethodDefinition<Request, Response>,
  request: Request,
  attempt: Attempt,
): AsyncGenerator<Response, void> {
  return responsesOf<Response>(channel, attempt, (client) =>
    client.makeServerStreamRequest<Request, Response>(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      attempt.metadata,
      callOptions(attempt),
    ),
  );
}

/** Many requests, many responses. Leaving the loop early ends the call politely. */
export function bidirectional<Request, Response>(
  channel: Channel,
  method: MethodDefinition<Request, Response>,
  requests: AsyncIterable<Request>,
  attempt: Attempt,
  polite: PoliteEnd<Request>,
): AsyncGenerator<Response, void> {
  let writing = true;
  let call: ClientDuplexStream<Request, Response> | undefined;
  const start = (client: Client, fail: (error: unknown) => void) => {
    const started = client.makeBidiStreamRequest<Request, Response>(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      attempt.metadata,
      callOptions(attempt),
    );
    writeAll(started, requests, () => writing).catch(fail);
    call = started;
    return started;
  };
  const leave = () => {
    writing = false;
    // After the last request nothing can be said any more but a reset.
    if (!call || call.writableEnded) {
      call?.cancel();
      return;
    }
    const asked = call;
    asked.end(polite.message);
    const timer = setTimeout(() => {
      asked.cancel();
    }, polite.patienceMs);
    asked.once('status', () => {
      clearTimeout(timer);
    });
  };
  return responsesOf<Response>(channel, attempt, start, leave);
}

/** The error for a status or for what the caller's signal says. */
export function errorOf(error: unknown, signal?: AbortSignal): VggError {
  if (signal?.aborted === true) return abortedError(signal);
  if (error instanceof VggError) return error;
  if (!isStatus(error)) return new VggError('INTERNAL', 'Internal error', { cause: error });
  if (error.code === status.RESOURCE_EXHAUSTED && TOO_LARGE.test(error.details)) {
    return new VggError('TOO_LARGE', `Expected a smaller message: ${error.details}`, { cause: error });
  }
  if (error.code === status.INTERNAL && LOST.test(error.details)) {
    return new VggError('UNAVAILABLE', 'The connection was lost', { cause: error });
  }
  const [, reason] = UNREACHED.exec(error.details) ?? [];
  if (error.code === status.UNAVAILABLE && reason !== undefined) {
    return new VggError('UNAVAILABLE', `Cannot reach the service: ${connectionReason(reason)}`, {
      cause: error,
    });
  }
  return fromStatus(error);
}

/** The error of a call that its caller's signal ended: the signal's reason if that is one of ours. */
export function abortedError(signal: AbortSignal): VggError {
  const reason: unknown = signal.reason;
  if (reason instanceof VggError) return reason;
  if (reason instanceof Error && reason.name === 'TimeoutError') {
    return new VggError('DEADLINE_EXCEEDED', 'Deadline exceeded', { cause: reason });
  }
  return new VggError('CANCELLED', 'The call was cancelled', { cause: reason });
}

function isStatus(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'metadata' in error && typeof error.code === 'number';
}

// Follows a call to its end: gives the lease back, and lets go of the caller's signal.
function follow(call: AnyCall, lease: Lease, { signal }: Attempt, abort: () => void) {
  let wasCancelled = false;
  const cancel = call.cancel.bind(call);
  call.cancel = () => {
    wasCancelled = true;
    cancel();
  };
  if (signal) {
    // Any number of calls may share a signal; that is no leak.
    setMaxListeners(0, signal);
    signal.addEventListener('abort', abort);
  }
  call.once('status', ({ code }: StatusObject) => {
    signal?.removeEventListener('abort', abort);
    // What this side ends by itself is a reset: its own deadline, a message that it cannot take.
    const here = [status.DEADLINE_EXCEEDED, status.RESOURCE_EXHAUSTED, status.INTERNAL].includes(code);
    lease.release(wasCancelled || here);
  });
}

// A call that could not even be started gives its lease back at once.
function started<Call>(lease: Lease, start: () => Call): Call {
  try {
    return start();
  } catch (error) {
    lease.release(false);
    throw errorOf(error);
  }
}

function single<Response>(
  channel: Channel,
  attempt: Attempt,
  start: (
    client: Client,
    callback: (error: ServiceError | null, response?: Response) => void,
    fail: (error: unknown) => void,
  ) => AnyCall,
): Promise<Response> {
  const { signal } = attempt;
  return new Promise<Response>((resolve, reject) => {
    if (signal?.aborted === true) throw abortedError(signal);
    const lease = channel.lease();
    const fail = (error: unknown) => {
      reject(errorOf(error, signal));
      call.cancel();
    };
    const answered = (error: ServiceError | null, response?: Response) => {
      if (error) reject(errorOf(error, signal));
      else resolve(response as Response);
    };
    const call = started(lease, () => start(lease.client, answered, fail));
    follow(call, lease, attempt, () => {
      fail(undefined);
    });
  });
}

async function* responsesOf<Response>(
  channel: Channel,
  attempt: Attempt,
  start: (client: Client, fail: (error: unknown) => void) => ClientReadableStream<Response>,
  leave: (call: ClientReadableStream<Response>) => void = (call) => {
    call.cancel();
  },
): AsyncGenerator<Response, void> {
  const { signal } = attempt;
  if (signal?.aborted === true) throw abortedError(signal);
  const lease = channel.lease();
  let failed: (error: unknown) => void = () => {};
  const failure = new Promise<never>((_resolve, reject) => {
    failed = reject;
  });
  failure.catch(() => {});
  const call = started(lease, () => start(lease.client, failed));
  const state = { over: false };
  call.once('status', () => {
    state.over = true;
  });
  // Errors reach the reader through its iterator; after it has left nobody wants them.
  call.on('error', () => {});
  follow(call, lease, attempt, () => {
    failed(undefined);
  });
  const responses = call.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      const next = (await Promise.race([failure, responses.next()])) as IteratorResult<Response>;
      if (next.done === true) return;
      yield next.value;
    }
  } catch (error) {
    throw errorOf(error, signal);
  } finally {
    if (!state.over) {
      leave(call);
      // Unread messages must not keep the end of the call from arriving.
      call.resume();
    }
  }
}

// gRPC counts by the machine's clock, from now on.
function callOptions({ leftMs }: Attempt): { deadline: number } {
  return { deadline: Date.now() + leftMs() };
}

// Writes as fast as the connection takes it.
async function writeAll<Request>(
  call: ClientWritableStream<Request>,
  requests: AsyncIterable<Request>,
  going: () => boolean = () => true,
): Promise<void> {
  const over = new Promise<'over'>((resolve) => {
    call.once('status', () => {
      resolve('over');
    });
  });
  const iterator = requests[Symbol.asyncIterator]();
  for (;;) {
    const next = await Promise.race([over, iterator.next()]);
    // What the reader holds is the source's to close, not this attempt's.
    if (next === 'over' || !going()) return;
    if (next.done === true) break;
    if (!call.write(next.value)) {
      if ((await Promise.race([over, once(call, 'drain')])) === 'over') return;
    }
  }
  if (going()) call.end();
}
