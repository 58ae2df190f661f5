// One photo, until it has a row: which failures pass, which are the photo's own, and which are everybody's. Knows errors
// and time; neither shards nor servers.

import { sleep, type Clock } from '../../sdk/clock.ts';
import { VggError, asVggError } from '../../vgg/errors.ts';
import { NoSource, type PhotoEntry } from './photos.ts';
import type { Answered } from './rows.ts';

/** Who answers photos. */
export interface Answerer {
  /** @throws VggError; WorkerDied if who worked on it is dead */
  ask(photo: Uint8Array): Promise<Answered>;
  /** The same, by a worker that has nothing else in hand: if it dies, it died of this photo. */
  askAlone(photo: Uint8Array): Promise<Answered>;
  close(): Promise<void>;
}

/** A worker died with a photo in hand. */
export class WorkerDied extends Error {
  override readonly name = 'WorkerDied';
  /** Whether it had nothing else in hand. */
  readonly alone: boolean;

  constructor(how: string, alone: boolean) {
    super(how);
    this.alone = alone;
  }
}

/** No worker can start: then none can for any photo. */
export class NoWorker extends VggError {}

/** What became of a photo. */
export type Outcome = { answered: Answered } | { setAside: VggError; retryable: boolean };

/** How patient a job is. */
export interface Patience {
  /** Attempts at a photo whose failures may be its own, and workers that it may take with it. */
  attempts: number;
  /** Time in which not one photo is answered, and the job waits for a server, in milliseconds. */
  withoutAnswersMs: number;
}

/** What asking needs to know of the job. */
export interface AskingContext {
  answerer: Answerer;
  patience: Patience;
  clock: Clock;
  /** Ends waiting. */
  signal: AbortSignal;
  progress: Progress;
}

/** When a photo was last answered, by anybody; so a photo's failures and a server's are told apart. */
export class Progress {
  answered = 0;
  lastMs: number;

  constructor(nowMs: number) {
    this.lastMs = nowMs;
  }

  tick(nowMs: number): void {
    this.answered++;
    this.lastMs = nowMs;
  }
}

/** What is known of a photo's dead workers, and is to be known after a crash as well. */
export interface Deaths {
  /** Undefined: none died, not even with several photos in hand. */
  times: number | undefined;
  keep(times: number): Promise<void>;
}

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 30_000;

/**
 * Asks about a photo until it is answered or set aside.
 *
 * @throws VggError what no other photo would survive either; the signal's reason
 */
export async function outcomeOf(
  entry: PhotoEntry,
  read: () => Promise<Uint8Array>,
  deaths: Deaths,
  { answerer, patience, clock, signal, progress }: AskingContext,
): Promise<Outcome> {
  let alone = deaths.times !== undefined;
  let died = deaths.times ?? 0;
  let [failures, waits] = [0, 0];
  for (;;) {
    signal.throwIfAborted();
    const before = progress.answered;
    try {
      const photo = await read();
      const answered = await (alone ? answerer.askAlone(photo) : answerer.ask(photo));
      progress.tick(clock.now());
      return { answered };
    } catch (error) {
      if (error instanceof WorkerDied) {
        // One of several may be anybody's fault: each is asked again by itself.
        if (error.alone) died++;
        alone = true;
        await deaths.keep(died);
        if (died >= patience.attempts) return { setAside: deadly(entry, error, died), retryable: false };
        continue;
      }
      const verdict = judge(error);
      if (verdict === 'everybody') throw error;
      if (verdict === 'photo') return { setAside: asVggError(error), retryable: false };
      // A server that is away is no photo's fault, unless it answers others meanwhile.
      if (verdict === 'unclear' || progress.answered > before) failures++;
      if (failures >= patience.attempts) return { setAside: asVggError(error), retryable: true };
      if (clock.now() - progress.lastMs > patience.withoutAnswersMs) throw lost(error, patience);
      await sleep(waitMs(error, waits++, clock), clock, signal);
    }
  }
}

/**
 * Whose failure it is: the photo's; everybody's, so that the job is to stop; unclear, so that it is tried a few times;
 * or the server's that is busy or away.
 */
export function judge(error: unknown): 'photo' | 'everybody' | 'unclear' | 'server' {
  if (error instanceof NoWorker || error instanceof NoSource) return 'everybody';
  if (!(error instanceof VggError)) return 'unclear';
  if (error.fields.some(({ field }) => OPTION.test(field))) return 'everybody';
  switch (error.code) {
    case 'INVALID_ARGUMENT':
    case 'UNSUPPORTED_FORMAT':
    case 'TOO_LARGE':
    case 'NOT_FOUND':
      return 'photo';
    case 'DEADLINE_EXCEEDED':
    case 'INTERNAL':
    case 'CANCELLED':
      return 'unclear';
    case 'RESOURCE_EXHAUSTED':
    case 'UNAVAILABLE':
      return 'server';
    case 'UNAUTHENTICATED':
    case 'PERMISSION_DENIED':
      return 'everybody';
  }
}
const OPTION = /^(scales|grid|align|protocol|kernel|models?|evaluation|scoreOrder|share|stop|top)\b/;

function waitMs(error: unknown, waits: number, clock: Clock): number {
  const told = error instanceof VggError ? error.retryAfterMs : undefined;
  const backoff = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(waits, 20));
  return Math.max(told ?? 0, backoff * (0.5 + clock.random() / 2));
}

function deadly({ photo }: PhotoEntry, { message }: WorkerDied, died: number): VggError {
  return new VggError(
    'INTERNAL',
    `Expected an answer but the worker died of ${photo} (${message}), ${String(died)} time${died === 1 ? '' : 's'}`,
  );
}

function lost(error: unknown, { withoutAnswersMs }: Patience): VggError {
  const { code, message } = asVggError(error);
  const seconds = String(Math.round(withoutAnswersMs / 1000));
  return new VggError(
    'UNAVAILABLE',
    `Expected an answer within ${seconds} s but received ${code}: ${message}`,
    { cause: error },
  );
}
