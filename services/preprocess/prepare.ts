// The stages of a photo: header, geometry, decoding, one plane after the other.
// Knows the order of the work and when it stops; neither gRPC nor who asks.

import { VggError } from '../../vgg/errors.ts';
import { evaluationViews, type Evaluation, type PlaneSpec, type Rgb, type View } from '../../vgg/views.ts';
import { decode, type Pixels, type Purpose } from './decode.ts';
import { readHeader, type Header } from './header.ts';
import { checkPlanes, checkViews, DEFAULT_LIMITS, type Limits } from './limits.ts';
import { rescale, type Plane } from './planes.ts';

/** How a photo is to be prepared; everything is checked and resolved. */
export interface Preparation {
  evaluation: Evaluation;
  /** The model's mean colour: transparency is laid over it. */
  mean: Rgb;
  /** Side of a crop in pixels. */
  inputSize: number;
}

/** A plane with the views that are cut from it, and how much the whole answer has. */
export interface Prepared {
  plane: Plane;
  views: View[];
  total: { planes: number; views: number };
}

/** A step of the work that has ended, and how long it took. */
export type Step = { step: 'header'; header: Header } | { step: 'decode' | 'resize'; ms: number };

/** What the work stands on. */
export interface PrepareContext {
  limits?: Limits;
  /** Stops the work before its next step. */
  signal?: AbortSignal;
  /** Runs the decoding and all resizing of one photo: the place for a bound on how many do so at once. */
  run?: <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T>;
  /** Is told of each step. */
  onStep?: (step: Step) => void;
  /** Monotonic milliseconds. */
  now?: () => number;
}

// Planes of one photo that are resized at once: a second one fills the time between two.
const RESIZED_AT_ONCE = 2;

/**
 * Prepares a photo: yields its planes in order of their index, each as soon as it is ready.
 *
 * The work runs ahead of its reader, so that a slow reader holds finished planes but no decoded
 * photo; a reader that leaves stops it before the next step.
 *
 * @param photo a JPEG, PNG, WebP, AVIF, TIFF or GIF file
 * @throws VggError INVALID_ARGUMENT, UNSUPPORTED_FORMAT, TOO_LARGE; the signal's reason if it aborts
 */
export async function* preparePhoto(
  photo: Uint8Array,
  preparation: Preparation,
  context: PrepareContext = {},
): AsyncGenerator<Prepared, void, undefined> {
  const { limits = DEFAULT_LIMITS, onStep = () => undefined } = context;
  const { evaluation, inputSize } = preparation;
  const left = new AbortController();
  const signal = context.signal ? AbortSignal.any([context.signal, left.signal]) : left.signal;
  throwIfAborted(signal);
  checkViews(evaluation, limits);
  const header = await readHeader(photo, limits);
  onStep({ step: 'header', header });
  const { planes, views } = evaluationViews(header.upright, evaluation, inputSize);
  checkPlanes(planes, header.upright, limits, evaluation);

  const ready = planes.map(() => deferred<Plane>());
  const run = context.run ?? ((work) => work());
  const work = () => makePlanes(photo, header, preparation, planes, ready, { ...context, limits, signal });
  run(work, signal).catch((error: unknown) => {
    for (const { reject } of ready) reject(error);
  });
  try {
    for (const [index, { promise }] of ready.entries()) {
      const plane = await promise;
      yield {
        plane,
        views: views.filter((view) => view.plane === index),
        total: { planes: planes.length, views: views.length },
      };
      throwIfAborted(signal);
    }
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  } finally {
    left.abort(new VggError('CANCELLED', 'The reader of the planes left'));
  }
}

/**
 * A photo's pixels without any plane, for callers that make their own: upright, at least twice `largestScale` where
 * the photo is.
 *
 * @throws VggError INVALID_ARGUMENT, UNSUPPORTED_FORMAT, TOO_LARGE
 */
export async function decodePhoto(
  photo: Uint8Array,
  purpose: Purpose,
  limits: Limits = DEFAULT_LIMITS,
): Promise<Pixels> {
  return decode(photo, await readHeader(photo, limits), purpose, limits);
}

interface Deferred<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
}

async function makePlanes(
  photo: Uint8Array,
  header: Header,
  { evaluation, mean }: Preparation,
  specs: readonly PlaneSpec[],
  ready: readonly Deferred<Plane>[],
  context: PrepareContext & { limits: Limits; signal: AbortSignal },
): Promise<void> {
  const { limits, signal, now = () => performance.now(), onStep = () => undefined } = context;
  const step = async <T>(name: 'decode' | 'resize', work: () => Promise<T>): Promise<T> => {
    throwIfAborted(signal);
    const started = now();
    const made = await work();
    onStep({ step: name, ms: now() - started });
    return made;
  };
  const { kernel, scales } = evaluation;
  const purpose = { background: mean, largestScale: Math.max(...scales), kernel };
  const decoded = await step('decode', () => decode(photo, header, purpose, limits));

  const groups = scaleGroups(specs);
  const makeGroup = async ([whole, ...squares]: readonly PlaneSpec[]): Promise<void> => {
    let source: Pixels | undefined;
    for (const spec of [whole, ...squares]) {
      if (!spec) continue;
      const plane = await step('resize', () => rescale(source ?? decoded, spec, kernel, limits));
      source ??= plane;
      ready[spec.index]?.resolve(plane);
    }
  };
  const workers = Array.from({ length: RESIZED_AT_ONCE }, async () => {
    for (let group = groups.shift(); group; group = groups.shift()) await makeGroup(group);
  });
  // The slot is left when nothing runs any more, even if one of the workers has failed early.
  const failed = (await Promise.allSettled(workers)).find((each) => each.status === 'rejected');
  if (failed) throw failed.reason;
}

// Runs of planes that share a rescaled photo: the whole plane, then the squares that are cut from it.
function scaleGroups(specs: readonly PlaneSpec[]): PlaneSpec[][] {
  const groups: PlaneSpec[][] = [];
  for (const spec of specs) {
    if (spec.square) groups.at(-1)?.push(spec);
    else groups.push([spec]);
  }
  return groups;
}

function deferred<T>(): Deferred<T> {
  let resolve: Deferred<T>['resolve'] = () => undefined;
  let reject: Deferred<T>['reject'] = () => undefined;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  promise.catch(() => undefined); // The first failure has a reader, the others need none.
  return { promise, resolve, reject };
}

/** Throws the signal's reason, as an error that may be sent. */
function throwIfAborted(signal: AbortSignal): void {
  if (!signal.aborted) return;
  const reason: unknown = signal.reason;
  if (reason instanceof VggError) throw reason;
  if (reason instanceof Error && reason.name === 'TimeoutError') {
    throw new VggError('DEADLINE_EXCEEDED', 'The deadline passed while the photo was prepared', {
      cause: reason,
    });
  }
  throw new VggError('CANCELLED', 'The call was cancelled while the photo was prepared', { cause: reason });
}
