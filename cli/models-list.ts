// vgg models list: what is in a folder of models.

import type { Command } from 'commander';
import { stat } from 'node:fs/promises';
import { listModels } from '../models/store.ts';
import { parameterCount } from '../vgg/networks.ts';
import { modelsFolder, openNamed } from './models-folder.ts';
import { print, say, size, table, thousands } from './terminal.ts';

/** Adds the command. */
export function addModelsList(models: Command): void {
  models
    .command('list')
    .description('list the models in a folder')
    .option('--models <dir>', 'folder of models (default: $VGG_MODELS, or the one in the package)')
    .option('--json', 'print one JSON object a model')
    .action(async (flags: { models?: string; json?: boolean }) => {
      await list(modelsFolder(flags.models), flags.json ?? false);
    });
}

async function list(folder: string, json: boolean): Promise<void> {
  const names = await listModels(folder);
  const models = await Promise.all(names.map((name) => openNamed(folder, name)));
  if (json) {
    for (const model of models) print(JSON.stringify(model.json));
    return;
  }
  if (models.length === 0) {
    say(`No models in ${folder}`);
    return;
  }
  const rows = await Promise.all(
    models.map(async ({ name, spec, weightsPath }) => [
      name,
      spec.network,
      spec.width,
      spec.classes,
      spec.inputSize,
      thousands(parameterCount(spec)),
      size((await stat(weightsPath)).size),
    ]),
  );
  for (const line of table(['name', 'network', 'width', 'classes', 'input', 'parameters', 'file'], rows))
    print(line);
}
