// What every call may be told, and what becomes of it: deadline, signal, request id, metadata.

import { randomUUID } from 'node:crypto';
import { Metadata } from '@grpc/grpc-js';
import { expected } from '../vgg/errors.ts';
import type { Clock } from './clock.ts';
import type { Attempt } from './transport.ts';

/** What every call may be told. */
export interface CallOptions {
  /** Ends the call. Its reason is thrown if it is a VggError, else a VggError CANCELLED. */
  signal?: AbortSignal | undefined;
  /** Time for the call, retries included, in milliseconds. Default: the client's. */
  deadlineMs?: number | undefined;
  /** The same as a point in time, in milliseconds since the epoch; the earlier one holds. */
  deadline?: number | undefined;
  /** Found in every log line of the call; made here unless given. 1 to 128 of A-Z a-z 0-9 _ . : - */
  requestId?: string | undefined;
  /** Sent as gRPC metadata: `{ authorization: 'Bearer …' }`. */
  metadata?: Readonly<Record<string, string>> | undefined;
}

const REQUEST_ID = /^[\w.:-]{1,128}$/;
const LONGEST_MS = 24 * 3_600_000;

/**
 * What all attempts of a call share.
 *
 * @throws VggError INVALID_ARGUMENT naming the option at fault
 */
export function attemptOf(options: CallOptions, defaultMs: number, clock: Clock): Attempt {
  const { signal, deadlineMs = defaultMs, deadline = Infinity, requestId = randomUUID() } = options;
  checkDeadlineMs(deadlineMs, 'deadlineMs');
  if (Number.isNaN(deadline)) throw expected('milliseconds since the epoch', deadline, 'deadline');
  if (!REQUEST_ID.test(requestId)) {
    throw expected('1 to 128 of A-Z a-z 0-9 _ . : -', requestId, 'requestId');
  }
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(options.metadata ?? {})) {
    try {
      metadata.set(key, value);
    } catch {
      throw expected('a gRPC metadata key with a text value', key, 'metadata');
    }
  }
  metadata.set('x-request-id', requestId);
  // From here on time is steady: a machine whose clock is set neither ends a call nor prolongs it.
  const ends = clock.now() + Math.min(deadlineMs, deadline - clock.epoch());
  return { deadline: ends, leftMs: () => ends - clock.now(), signal, metadata };
}

/** @throws VggError INVALID_ARGUMENT unless it is a span of time that a call may have */
export function checkDeadlineMs(value: number, field: string): void {
  if (!(value > 0 && value <= LONGEST_MS)) {
    throw expected(`milliseconds from 1 to ${String(LONGEST_MS)}`, value, field);
  }
}
