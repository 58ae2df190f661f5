// Several photos of one request: each answered by itself, so that one that is no photo spoils no other.

import { VggError, asVggError } from '../../vgg/errors.ts';
import type { SentPhoto } from './photo.ts';
import { problemOf, type Problem } from './problem.ts';

/** A photo that could not be answered. */
export interface PhotoProblem {
  /** Name of the photo's file, or nothing. */
  photo: string;
  problem: Problem;
}

/** What became of a photo. */
export type Outcome<Each> = { answer: Each } | { name: string; error: VggError };

// Enough that their views fill batches; the rest is not yet on the road, so that a form is no flood.
const AT_ONCE = 4;

/** The outcome of each photo, in order. None is begun after the client has gone. */
export async function answerAll<Each>(
  photos: readonly SentPhoto[],
  gone: AbortSignal,
  answerOne: (photo: SentPhoto) => Promise<Each>,
): Promise<Outcome<Each>[]> {
  const outcomes: Outcome<Each>[] = [];
  const rest = photos.entries();
  const walk = async () => {
    for (const [i, photo] of rest) {
      gone.throwIfAborted();
      outcomes[i] = await answerOne(photo).then(
        (answer) => ({ answer }),
        (error: unknown) => ({ name: photo.name, error: asVggError(error) }),
      );
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, walk));
  return outcomes;
}

/** Answers, and problems in their places. */
export function answersJson<Each>(outcomes: readonly Outcome<Each>[]): { answers: (Each | PhotoProblem)[] } {
  return {
    answers: outcomes.map((outcome) =>
      'answer' in outcome ? outcome.answer : { photo: outcome.name, problem: problemOf(outcome.error) },
    ),
  };
}

/** The answers alone. @throws VggError the first photo's that has none, with its place */
export function answersOnly<Each>(outcomes: readonly Outcome<Each>[]): Each[] {
  return outcomes.map((outcome, i) => {
    if ('answer' in outcome) return outcome.answer;
    const { code, message, fields, retryAfterMs } = outcome.error;
    throw new VggError(code, `${message} (photo[${String(i)}])`, {
      ...{ cause: outcome.error, fields },
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    });
  });
}
