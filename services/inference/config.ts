// The variables of inference: the only place in it that reads the environment.

import { join } from 'node:path';
import { SOURCE_FORM, isSource } from '../../models/fetch/source.ts';
import { packageRoot } from '../../proto/package-root.ts';
import { VggError } from '../../vgg/errors.ts';
import { readEnv, type EnvValues } from '../host/env.ts';
import { hostVariables } from '../host/host-variables.ts';
import { bytes, choice, flag, integer, list, path, text } from '../host/variables.ts';
import { DEVICES, ENGINE_CHOICES, PRECISIONS, SHARING_CHOICES } from './engines.ts';

const GIB = 1024 ** 3;

/** Every variable of the service, by the name that the code uses: VGG_INFERENCE_PORT is `port`. */
export const inferenceVariables = {
  ...hostVariables({ port: 50053 }),
  engine: choice({
    description:
      'Engine that computes; auto takes TensorFlow on a GPU, onnxruntime if that does not start, and on the CPU.',
    default: 'auto',
    of: ENGINE_CHOICES,
    shared: true,
  }),
  device: choice({
    description:
      'What the engine computes on; gpu refuses to start without one, any takes one where there is one.',
    default: 'any',
    of: DEVICES,
    shared: true,
  }),
  precision: choice({
    description: 'What weights and activations are held in; float16 is for GPUs, and answers to about 1e-2.',
    default: 'float32',
    of: PRECISIONS,
  }),
  sharing: choice({
    description:
      'Whether what the views of a plane have in common is computed once, unless a call wants it off: measured does so where that was quicker when the model was loaded, and never on a GPU, where nobody has measured it.',
    default: 'measured',
    of: SHARING_CHOICES,
  }),
  models: path({
    description: 'Folder of models.',
    default: join(packageRoot, 'models'),
    shared: true,
  }),
  modelsSource: text({
    description:
      'Where models are fetched from into VGG_MODELS when the service starts, as NAME/FILE beneath it; VGG_INFERENCE_LOAD then names them. Credentials and region for s3 are those of the AWS SDK.',
    default: undefined,
    expects: SOURCE_FORM,
    matches: { test: isSource },
    shared: true,
  }),
  load: list({ description: 'Names of the models to load; all in the folder unless set.', default: [] }),
  defaultModel: text({
    description: 'Model for requests that name none; the first to load unless set.',
    default: '',
    shared: true,
  }),
  verify: flag({ description: 'Compare weights with their SHA-256 before they are used.', default: true }),
  threads: integer({
    description: 'Threads that the engine computes with; as many as the machine has unless set.',
    default: undefined,
    min: 1,
    max: 1024,
  }),
  queue: integer({
    description: 'Views that may wait; a call that brings more is refused.',
    default: 4096,
    min: 1,
    max: 1_000_000,
  }),
  maxViews: integer({ description: 'Most views of a call.', default: 512, min: 1, max: 100_000 }),
  planeMemory: bytes({
    description: 'Most bytes of planes that are held for all calls.',
    default: GIB,
    min: 1024 ** 2,
    max: 64 * GIB,
  }),
};

/** Values of {@link inferenceVariables}. Durations in milliseconds, sizes in bytes. */
export type InferenceConfig = EnvValues<typeof inferenceVariables>;

/**
 * The service's config.
 *
 * @throws VggError INVALID_ARGUMENT naming every variable that is unknown or wrong
 */
export function readConfig(env: NodeJS.ProcessEnv): InferenceConfig {
  const config = readEnv(env, 'inference', inferenceVariables);
  if (config.modelsSource !== undefined && config.load.length === 0) {
    throw new VggError(
      'INVALID_ARGUMENT',
      'Expected VGG_INFERENCE_LOAD to name the models beside VGG_MODELS_SOURCE but it is not set',
    );
  }
  return config;
}
