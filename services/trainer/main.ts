// Starts a training run, in this process or as a job of its own.

import { readFile } from 'node:fs/promises';
import { VggError, expected } from '../../vgg/index.ts';
import { createLogger, type Logger } from '../host/log.ts';
import { runIfMain, type Drainable } from '../host/process.ts';
import { loadTensorFlow } from '../host/tensorflow/library.ts';
import { readConfig, type TrainerConfig } from './config.ts';
import { paperRecipe, type Recipe } from './recipe.ts';
import { train, type TrainingOptions, type TrainingOutcome } from './training.ts';

export type { TrainingProgress } from './training.ts';

const NAME = 'trainer';

/**
 * Trains a network on TensorFlow, on the thread of the caller.
 *
 * @throws VggError UNAVAILABLE if the TensorFlow library is missing; else as training.ts says
 */
export async function startTraining(options: TrainingOptions): Promise<TrainingOutcome> {
  return await train(await loadTensorFlow(), options);
}

// The job: draining saves the run and ends it; when it is done the process ends by itself.
async function startJob(config: TrainerConfig): Promise<Drainable> {
  const log = createLogger(NAME, config.logLevel);
  const ending = new AbortController();
  const { photos, recipe: path, run, resume, models: to, name, threads, cache: cacheBytes } = config;
  if (photos === undefined) throw expected('a folder', 'none', 'VGG_TRAINER_PHOTOS');
  const done = startTraining({
    ...{ photos, run, resume, threads, cacheBytes, signal: ending.signal },
    recipe: await recipeFrom(path),
    model: { name, to, dtype: 'F32', licence: '', provenance: '' },
    onProgress: (progress) => {
      if (progress.kind === 'note') log.info(progress.text);
      else if (progress.kind === 'epoch') log.info(progress, 'epoch');
      else log.debug(progress, 'batch');
    },
  });
  const ended = done.then((outcome) => {
    log.info(outcome, 'trained');
  });
  ended.catch((error: unknown) => {
    if (!ending.signal.aborted) exitWith(error, log);
  });
  const end = async () => {
    ending.abort(new VggError('CANCELLED', 'The run was saved and ended'));
    await ended.catch(() => undefined);
  };
  return { drain: end, close: end };
}

function exitWith(error: unknown, log: Logger): void {
  log.fatal({ err: error }, error instanceof Error ? error.message : 'training failed');
  process.exitCode = 1;
}

/** What a recipe's file says; the rest is the paper's. @throws VggError INVALID_ARGUMENT if it is no JSON */
export async function readRecipe(path: string): Promise<Partial<Recipe>> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Partial<Recipe>;
  } catch (cause) {
    throw new VggError('INVALID_ARGUMENT', `Expected a recipe in JSON but cannot read ${path}`, { cause });
  }
}

async function recipeFrom(path: string | undefined): Promise<Recipe> {
  if (path === undefined) throw expected('a recipe', 'none', 'VGG_TRAINER_RECIPE');
  const told = await readRecipe(path);
  if (!told.network) throw expected('a network', 'none', 'recipe.network');
  return { ...paperRecipe(told.network, told.inputSize), ...told };
}

await runIfMain(import.meta.url, NAME, () => startJob(readConfig(process.env)));
