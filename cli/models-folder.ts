// The folder of models that commands work on, and a model in it by name.

import { join, resolve } from 'node:path';
import { listModels, openModel, type OpenModel } from '../models/store.ts';
import { expected } from '../vgg/errors.ts';
import { EMBEDDED_MODELS } from './options.ts';

/** The folder of models: the flag, VGG_MODELS, or the package's own. */
export function modelsFolder(flag: string | undefined): string {
  return resolve(flag ?? (process.env['VGG_MODELS'] || EMBEDDED_MODELS));
}

/** A model by name; the first one for no name. @throws VggError NOT_FOUND naming what there is */
export async function openNamed(folder: string, name: string | undefined): Promise<OpenModel> {
  const names = await listModels(folder);
  const chosen = name ?? names[0];
  if (chosen === undefined || !names.includes(chosen)) {
    throw expected(
      `a model of ${names.join(', ') || 'an empty folder'} in ${folder}`,
      chosen,
      'model',
      'NOT_FOUND',
    );
  }
  return await openModel(join(folder, chosen));
}
