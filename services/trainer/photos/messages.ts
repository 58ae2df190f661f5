// What passes between the reader of pieces and the threads that make them.

import type { ErrorCode } from '../../../vgg/errors.ts';
import type { Job, Piece } from './pieces.ts';

/** Cells of the memory that all share, [3] int32: who makes what next, and how far ahead, without messages. */
export const CONTROL = {
  /** Pieces that threads have taken on. */
  taken: 0,
  /** Pieces that the reader has asked for: threads may be `ahead` of it. */
  asked: 1,
  /** 1 when threads shall end. */
  closed: 2,
  /** Pieces that are made. */
  made: 3,
} as const;

/** A thread's data. */
export interface ThreadData {
  job: Job;
  /** {@link CONTROL} */
  control: SharedArrayBuffer;
  /** Number of the first piece. */
  first: number;
  /** How many there are; none: without end. */
  count: number | undefined;
  /** Pieces that may be made before the reader asks for them. */
  ahead: number;
}

/** What a thread sends. */
export type ThreadMessage =
  | { kind: 'piece'; place: number; piece: Piece }
  | { kind: 'failure'; code: ErrorCode; message: string; cause: string };
