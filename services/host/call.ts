// From gRPC's callbacks and streams to a handler's promises and generators, and back: deadline,
// cancellation, request id, flow control, errors, counting. Nothing of what is served.

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  Metadata,
  type MethodDefinition,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type UntypedHandleCall,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { toStatus } from '../../proto/status.ts';
import { VggError, asVggError } from '../../vgg/errors.ts';
import { deadlineExceeded, orAborted, scope, type Clock } from './deadline.ts';
import type { Bidirectional, CallContext, ClientStreaming, ServerStreaming, Unary } from './handlers.ts';
import type { Logger } from './log.ts';
import type { Outcome, RpcMetrics } from './metrics.ts';

/** Metadata key of the request's id, both ways. */
export const REQUEST_ID_KEY = 'x-request-id';
const REQUEST_ID = /^[\w.:-]{1,128}$/;

// A client resets its call when its own deadline passes, a moment before ours does.
const DEADLINE_SLACK_MS = 20;

/** What all calls of a server share. */
export interface CallHost {
  readonly log: Logger;
  readonly metrics: RpcMetrics;
  readonly clock: Clock;
  /** Time for a call whose client sets no deadline. */
  readonly deadlineMs: number;
  /** Most time for any call. */
  readonly maxDeadlineMs: number;
  /** Aborted when calls are forced to end. */
  readonly forced: AbortSignal;
  /** Counts a call in; throws UNAVAILABLE while draining. The function it returns counts it out. */
  admit(): () => void;
}

type AnyCall = ServerUnaryCall<object, object> &
  ServerWritableStream<object, object> &
  ServerDuplexStream<object, object>;

/** One rpc of a service as @grpc/grpc-js wants it. */
export function grpcHandler(
  method: MethodDefinition<object, object>,
  handler: unknown,
  host: CallHost,
): UntypedHandleCall {
  const name = method.path.slice(1);
  const serve = (call: AnyCall, callback?: sendUnaryData<object>) => {
    void run(name, call, host, async (context) => {
      const input = method.requestStream ? requestsOf(call, context.signal) : call.request;
      if (method.responseStream) {
        const responses = (handler as Bidirectional<unknown, object> | ServerStreaming<unknown, object>)(
          input as AsyncIterable<unknown>,
          context,
        );
        await send(responses, call, context.signal);
        return () => call.end();
      }
      const answer = (handler as ClientStreaming<unknown, object> | Unary<unknown, object>)(
        input as AsyncIterable<unknown>,
        context,
      );
      const response = await orAborted(answer, context.signal);
      return () => callback?.(null, response);
    }).then((end) => {
      if (typeof end === 'function') end();
      else if (callback) callback(end);
      else if (!call.cancelled) call.emit('error', end);
    });
  };
  return serve as UntypedHandleCall;
}

// Runs a handler and says how to end the call: with its result, or with a status.
async function run(
  method: string,
  call: AnyCall,
  host: CallHost,
  handle: (context: CallContext) => Promise<() => void>,
): Promise<(() => void) | ReturnType<typeof toStatus>> {
  const ended = host.metrics.started(method);
  const requestId = requestIdOf(call.metadata);
  const log = host.log.child({ requestId, method });
  const now = host.clock.now();
  const deadline = Math.min(now + timeOf(call, host.deadlineMs), now + host.maxDeadlineMs);
  const { signal, abort, dispose } = scope(deadline, [host.forced], host.clock);
  let settled = false;
  call.once('cancelled', () => {
    // It also tells of the end of every call that was answered.
    if (settled) return;
    const late = host.clock.now() >= deadline - DEADLINE_SLACK_MS;
    abort(late ? deadlineExceeded() : new VggError('CANCELLED', 'The client went away'));
  });
  // The stream's own errors follow a cancelled call, and tell nothing new.
  call.on('error', () => {});
  const settle = (outcome: Outcome, error?: VggError) => {
    settled = true;
    dispose();
    ended(outcome);
    const fields = { code: outcome, durationMs: host.clock.now() - now };
    if (outcome === 'INTERNAL') log.error({ ...fields, err: error }, 'call failed');
    else if (error?.cause !== undefined) log.warn({ ...fields, err: error }, 'call failed');
    else if (error) log.info({ ...fields, reason: error.message }, 'call failed');
    else log.debug(fields, 'call answered');
  };
  try {
    // Counted out when the last byte of the answer has been handed to HTTP/2, not before.
    call.once('cancelled', host.admit());
    const echo = new Metadata();
    echo.set(REQUEST_ID_KEY, requestId);
    call.sendMetadata(echo);
    signal.throwIfAborted();
    const header = (key: string) => textOf(call.metadata, key);
    const end = await handle({ signal, deadline, requestId, log, method, header });
    settle('OK');
    return end;
  } catch (thrown) {
    // Whatever a handler throws once its call is over, the reason is that it was over.
    const error = asVggError(signal.aborted ? signal.reason : thrown);
    settle(error.code, error);
    return toStatus(error);
  }
}

// A Node.js client that cancels ends its requests first and resets the stream a moment later, so an
// end is no promise that the call still lives: the signal tells. Leaving the loop early must not close the other direction, as a stream's own iterator would.
async function* requestsOf(call: AnyCall, signal: AbortSignal): AsyncGenerator<object> {
  try {
    for await (const request of call.iterator({ destroyOnReturn: false })) yield request as object;
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
  signal.throwIfAborted();
}

async function send(responses: AsyncIterable<object>, call: AnyCall, signal: AbortSignal): Promise<void> {
  const iterator = responses[Symbol.asyncIterator]();
  let done = false;
  try {
    for (;;) {
      const next = await orAborted(iterator.next(), signal);
      if (next.done === true) {
        done = true;
        return;
      }
      if (!call.write(next.value)) await once(call, 'drain', { signal });
    }
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    // Not awaited: a handler that does not listen to its signal must not hold the status up.
    if (!done) void Promise.resolve(iterator.return?.()).catch(() => {});
  }
}

// Milliseconds that a call has. Between processes time is a span; gRPC makes a point in time of it, on the machine's
// clock, which may be set while the call runs.
function timeOf(call: AnyCall, otherwise: number): number {
  const deadline = Number(call.getDeadline());
  return Number.isFinite(deadline) ? deadline - Date.now() : otherwise;
}

function requestIdOf(metadata: Metadata): string {
  const id = textOf(metadata, REQUEST_ID_KEY);
  return id !== undefined && REQUEST_ID.test(id) ? id : randomUUID();
}

function textOf(metadata: Metadata, key: string): string | undefined {
  const value = metadata.get(key).at(-1);
  return typeof value === 'string' ? value : undefined;
}
