// vgg models: what is in a folder of models, and how more get there.

import type { Command } from 'commander';
import { addDescribe } from './describe.ts';
import { addImport } from './import.ts';
import { addModelsList } from './models-list.ts';
import { addModelsShow } from './models-show.ts';
import { addPull } from './pull.ts';

/** Adds the commands. */
export function addModels(program: Command): void {
  const models = program.command('models').description('list, show, describe, import and pull models');
  for (const add of [addModelsList, addModelsShow, addDescribe, addImport, addPull]) add(models);
}
