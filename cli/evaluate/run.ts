// Photos through models: several at once, each asked what the plan says, each answer journaled and counted.
// Knows the order of things and which failures are a photo's own; neither geometry nor statistics.

import { readFile, stat } from 'node:fs/promises';
import type { Answer, VggClient } from '../../sdk/index.ts';
import { VggError, asVggError } from '../../vgg/errors.ts';
import { viewCount } from '../../vgg/views.ts';
import { PosteriorMean, meanOfModels, topK } from '../../vgg/scores.ts';
import type { Photo } from './dataset.ts';
import { Budget } from './budget.ts';
import type { FullOutcome, Journal, PhotoFile } from './journal.ts';
import type { ModelFacts } from './models.ts';
import type { ModelPlan, Plan } from './plan.ts';
import type { Tally } from './tally.ts';

/** A photo whose truth is a class index. */
export interface KnownPhoto extends Omit<Photo, 'truth'> {
  truth: number;
}

/** A photo that has no answer. */
export interface FailedPhoto {
  photo: string;
  message: string;
}

/** What an evaluation runs on. */
export interface RunOptions {
  client: VggClient;
  models: readonly ModelFacts[];
  plan: Plan;
  journal: Journal;
  tally: Tally;
  /** Photos at once. */
  inFlight: number;
  /** For one photo's requests. */
  deadlineMs: number;
  signal: AbortSignal;
  /** Told of every photo that has been answered or has failed; whether it was asked about just now. */
  onPhoto: (asked: boolean) => void;
}

interface Run extends RunOptions {
  budget: Budget;
}

// Views that are asked about at once: enough for several full batches, a quarter of what an engine queues.
const VIEWS_AT_ONCE = 1024;

/**
 * Evaluates photos; those that the journal has are counted without being asked about.
 *
 * @returns the photos that could not be answered, by name
 * @throws VggError what no other photo would survive either, or the signal's reason
 */
export async function evaluatePhotos(
  photos: readonly KnownPhoto[],
  options: RunOptions,
): Promise<FailedPhoto[]> {
  const failed: FailedPhoto[] = [];
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const waiting = photos.values();
  const run = { ...options, signal, budget: new Budget(VIEWS_AT_ONCE) };
  const work = async () => {
    for (const photo of waiting) {
      signal.throwIfAborted();
      let asked = true;
      try {
        asked = await evaluatePhoto(photo, run);
      } catch (error) {
        if (signal.aborted || !isPhotosOwn(error)) throw error;
        failed.push({ photo: photo.name, message: asVggError(error).message });
      }
      options.onPhoto(asked);
    }
  };
  const workers = Array.from({ length: options.inFlight }, () =>
    work().catch((error: unknown) => {
      stop.abort(error);
    }),
  );
  await Promise.all(workers);
  signal.throwIfAborted();
  return failed.sort((a, b) => (a.photo < b.photo ? -1 : 1));
}

// Whether the photo was asked about: not if the journal has it.
async function evaluatePhoto(photo: KnownPhoto, run: Run): Promise<boolean> {
  const { journal, tally } = run;
  const file = await photoFile(photo);
  const known = journal.outcomes(file, photo.truth);
  if (known) {
    tally.add(photo.truth, known);
    return false;
  }
  const outcomes = await answers(await readFile(photo.file).catch(unreadable(photo.file)), photo.truth, run);
  await journal.write(file, photo.truth, outcomes);
  tally.add(photo.truth, outcomes);
  return true;
}

async function photoFile({ file, name }: KnownPhoto): Promise<PhotoFile> {
  const { size, mtimeMs } = await stat(file).catch(unreadable(file));
  return { name, size, modified: Math.floor(mtimeMs) };
}

function unreadable(file: string): (cause: unknown) => never {
  return (cause) => {
    throw new VggError('NOT_FOUND', `Expected a readable file but received ${file}`, { cause });
  };
}

interface RowAnswer {
  /** [classes] */
  posterior: Float64Array;
  ms: number;
}

// What every row says of a photo.
async function answers(bytes: Uint8Array, truth: number, run: Run): Promise<FullOutcome[]> {
  const { plan } = run;
  const rows: (RowAnswer | undefined)[] = [];
  const asked = plan.models.map(async (model) => {
    for (const [row, answer] of await answersOfModel(bytes, model, run)) rows[row] = answer;
  });
  await allDone(asked);
  return plan.rows.map(({ of }) => {
    const members = of.flatMap((row) => rows[row] ?? []);
    const [first] = members;
    if (!first) throw new VggError('INTERNAL', 'Expected an answer for every row');
    const posterior =
      members.length === 1 ? first.posterior : meanOfModels(members.map((each) => each.posterior));
    return outcomeOf(
      posterior,
      truth,
      members.reduce((sum, { ms }) => sum + ms, 0),
    );
  });
}

async function answersOfModel(
  bytes: Uint8Array,
  { model, requests, rows }: ModelPlan,
  { client, models, deadlineMs, signal, budget }: Run,
): Promise<Map<number, RowAnswer>> {
  const name = models[model]?.name;
  const replies = await allDone(
    requests.map((request) =>
      budget.spend(viewCount(request), () =>
        client.classify(bytes, {
          ...request,
          ...(name !== undefined && { models: [name] }),
          ...{ top: 1, viewScores: true, priority: 'BATCH', deadlineMs, signal },
        }),
      ),
    ),
  );
  const scored = replies.map(viewsOf);
  return new Map(
    rows.map(({ row, views }) => {
      const mean = new PosteriorMean(models[model]?.labels.length ?? 0);
      let ms = 0;
      for (const [index, { request, view, weight }] of views.entries()) {
        const score = scored[request]?.[view];
        if (!score) throw new VggError('INTERNAL', `Expected a score of view ${String(view)}`);
        mean.add(index, score.posterior, weight);
        ms += score.ms;
      }
      return [row, { posterior: mean.mean(), ms }];
    }),
  );
}

// Scores by view index; the answer's engine time shared out by area, which multiplications are in proportion to.
function viewsOf({ viewScores = [], timing }: Answer): { posterior: Float32Array; ms: number }[] {
  const area = viewScores.reduce((sum, { view }) => sum + view.width * view.height, 0);
  const scores: { posterior: Float32Array; ms: number }[] = [];
  for (const { view, posterior } of viewScores) {
    scores[view.index] = { posterior, ms: (timing.computeMs * view.width * view.height) / area };
  }
  return scores;
}

/** A posterior as an outcome: the truth's rank is its place in {@link topK}'s order. */
export function outcomeOf(posterior: Float64Array, truth: number, ms: number): FullOutcome {
  const own = posterior[truth] ?? NaN;
  const before = posterior.reduce(
    (count, score, i) => count + Number(score > own || (score === own && i < truth)),
    0,
  );
  const top = topK(posterior, 5).map(({ classIndex, score }): [number, number] => [
    classIndex,
    Number(score.toPrecision(6)),
  ]);
  return { first: top[0]?.[0] ?? -1, rank: before + 1, ms: Number(ms.toFixed(3)), top };
}

// Waits for all, so that nothing is left running behind a failure.
async function allDone<Result>(promises: readonly Promise<Result>[]): Promise<Result[]> {
  await Promise.allSettled(promises);
  return await Promise.all(promises);
}

// Whether other photos may well be answered where this one was not.
function isPhotosOwn(error: unknown): boolean {
  if (!(error instanceof VggError)) return false;
  if (error.fields.some(({ field }) => OPTION.test(field))) return false;
  switch (error.code) {
    case 'INVALID_ARGUMENT':
    case 'UNSUPPORTED_FORMAT':
    case 'TOO_LARGE':
    case 'NOT_FOUND':
    case 'DEADLINE_EXCEEDED':
    case 'INTERNAL':
      return true;
    case 'RESOURCE_EXHAUSTED':
    case 'UNAVAILABLE':
    case 'CANCELLED':
    case 'UNAUTHENTICATED':
    case 'PERMISSION_DENIED':
      return false;
  }
}
const OPTION = /^(scales|grid|align|protocol|kernel|models?|evaluation|scoreOrder|share)\b/;
