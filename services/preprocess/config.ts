// The variables of preprocess: the only place in it that reads the environment.

import { availableParallelism } from 'node:os';
import { readEnv, type EnvValues } from '../host/env.ts';
import { hostVariables } from '../host/host-variables.ts';
import { bytes, duration, integer } from '../host/variables.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';

const MIB = 1024 ** 2;
// libuv's threads, on which photos are decoded: more decodings at once than these would only wait.
const LIBUV_THREADS = 4;

/** Every variable of the service, by the name that the code uses: VGG_PREPROCESS_PORT is `port`. */
export const preprocessVariables = {
  ...hostVariables({ port: 50052 }),
  maxPhoto: bytes({
    description: "Most bytes of a photo's file.",
    default: DEFAULT_LIMITS.photoBytes,
    min: 1,
    max: 512 * MIB,
  }),
  maxMegapixels: integer({
    description: 'Most pixels of a photo, in millions; checked before it is decoded.',
    default: DEFAULT_LIMITS.photoMegapixels,
    min: 1,
    max: 500,
  }),
  maxSide: integer({
    description: 'Longest side of a photo and of a plane, in pixels.',
    default: DEFAULT_LIMITS.side,
    min: 32,
    max: 65_535,
  }),
  maxPlaneMegapixels: integer({
    description: 'Most pixels of one plane, in millions.',
    default: DEFAULT_LIMITS.planeMegapixels,
    min: 1,
    max: 100,
  }),
  maxViews: integer({
    description: 'Most views of one evaluation.',
    default: DEFAULT_LIMITS.views,
    min: 1,
    max: 100_000,
  }),
  stepTime: duration({
    description: 'Most time for decoding a photo, and for making one plane of it; whole seconds.',
    default: DEFAULT_LIMITS.stepSeconds * 1000,
    min: 1000,
    max: 600_000,
  }),
  decodes: integer({
    description: 'Photos that are worked on at once; more than UV_THREADPOOL_SIZE (4) only wait.',
    default: Math.min(availableParallelism(), LIBUV_THREADS),
    min: 1,
    max: 1024,
  }),
  queue: integer({
    description: 'Photos that may wait to be worked on; the next one is refused.',
    default: 64,
    min: 0,
    max: 100_000,
  }),
};

/** Values of {@link preprocessVariables}. Durations in milliseconds, sizes in bytes. */
export type PreprocessConfig = EnvValues<typeof preprocessVariables>;

/**
 * The service's config.
 *
 * @throws VggError INVALID_ARGUMENT naming every variable that is unknown or wrong
 */
export function readConfig(env: NodeJS.ProcessEnv): PreprocessConfig {
  return readEnv(env, 'preprocess', preprocessVariables);
}

/** The limits of a config. */
export function limitsOf(config: PreprocessConfig): Limits {
  return {
    photoBytes: config.maxPhoto,
    photoMegapixels: config.maxMegapixels,
    side: config.maxSide,
    planeMegapixels: config.maxPlaneMegapixels,
    views: config.maxViews,
    stepSeconds: Math.ceil(config.stepTime / 1000),
  };
}
