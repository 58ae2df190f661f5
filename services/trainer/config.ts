// The variables of the training job: the only place in it that reads the environment.

import { readEnv, type EnvValues } from '../host/env.ts';
import { LOG_LEVELS } from '../host/log.ts';
import { bytes, choice, flag, integer, path, text } from '../host/variables.ts';

const GIB = 1024 ** 3;

/** Every variable of the job, by the name that the code uses: VGG_TRAINER_PHOTOS is `photos`. */
export const trainerVariables = {
  photos: path({ description: 'Folder of photos, one folder a class.', default: undefined }),
  run: path({ description: 'Folder of the run: recipe, log, curves, checkpoints.', default: './run' }),
  recipe: path({
    description: 'Recipe, JSON: what differs from the paper’s for its network.',
    default: undefined,
  }),
  resume: flag({ description: 'Go on with the run’s last checkpoint, if there is one.', default: true }),
  models: path({ description: 'Folder of models that the trained one goes to.', default: './models' }),
  name: text({ description: 'Name of the trained model.', default: 'trained' }),
  threads: integer({
    description: 'Threads that decode and cut photos.',
    default: 1,
    min: 1,
    max: 64,
  }),
  cache: bytes({
    description: 'Memory for decoded photos; those beyond it are decoded in each epoch.',
    default: 2 * GIB,
    min: 0,
    max: 1024 * GIB,
  }),
  logLevel: choice({
    description: 'Least severe log lines that are written.',
    default: 'info',
    of: LOG_LEVELS,
    shared: true,
  }),
};

/** Values of {@link trainerVariables}. */
export type TrainerConfig = EnvValues<typeof trainerVariables>;

/**
 * The job's config.
 *
 * @throws VggError INVALID_ARGUMENT naming every variable that is unknown or wrong
 */
export function readConfig(env: NodeJS.ProcessEnv): TrainerConfig {
  return readEnv(env, 'trainer', trainerVariables);
}
