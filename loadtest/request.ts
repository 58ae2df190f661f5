// What is sent and what comes of it: the words that workload, loops, targets and measuring share. Knows no transport.

import type { AnswerJson, ClassifyOptions } from '../sdk/index.ts';
import type { Protocol } from '../vgg/views.ts';

/** A photo, in memory. */
export interface LoadPhoto {
  name: string;
  bytes: Uint8Array;
}

/** A kind of request. */
export interface Kind {
  protocol: Protocol;
  /** Empty: the server's default. */
  model: string;
}

/** A request as it was planned, before the test began. */
export interface LoadRequest {
  photo: LoadPhoto;
  kind: Kind;
  /** Set if it will be cancelled so many milliseconds after it was sent, unless it is answered before. */
  cancelAfterMs?: number;
  /** Set if its client is slow: bytes a second. */
  slowBytesPerSecond?: number;
}

/** What every request of a test asks beside protocol and model. */
export type Ask = Pick<
  ClassifyOptions,
  'scales' | 'grid' | 'align' | 'kernel' | 'scoreOrder' | 'share' | 'stop' | 'top' | 'posterior'
>;

/** Something that answers requests. */
export interface Target {
  /**
   * Sends a request at once.
   *
   * @param signal ends it
   * @returns the answer, the same whatever the transport
   * @throws VggError, or another error whose `code` is what the transport calls it
   */
  send(request: LoadRequest, signal: AbortSignal): Promise<AnswerJson>;
  /** Closes its connections. */
  close(): Promise<void>;
}

interface Came {
  /** From 0, in the order of intention; warm-up included. */
  index: number;
  request: LoadRequest;
  /** All times are milliseconds since the warm-up ended; negative before. When it was meant to start. */
  intendedMs: number;
}

interface Sent extends Came {
  /** When it was sent; at `intendedMs` or later. */
  sentMs: number;
  /** When it was over. */
  endedMs: number;
}

/** What became of a request; of each that was meant to start there is exactly one. */
export type Outcome =
  | (Sent & { end: 'answered'; answer: AnswerJson })
  | (Sent & { end: 'failed'; code: string; message: string })
  /** By plan, or because the step was ended. */
  | (Sent & { end: 'cancelled' })
  /** Never sent. */
  | (Came & { end: 'abandoned' });
