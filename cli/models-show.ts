// vgg models show NAME: what a model is, and where it comes from.

import type { Command } from 'commander';
import type { OpenModel } from '../models/store.ts';
import { describeNetwork } from '../vgg/describe.ts';
import { parameterCount } from '../vgg/networks.ts';
import { describeLines } from './describe.ts';
import { modelsFolder, openNamed } from './models-folder.ts';
import { print } from './terminal.ts';

/** Adds the command. */
export function addModelsShow(models: Command): void {
  models
    .command('show')
    .argument('<name>', 'name of a model')
    .description('show what a model is, and where it comes from')
    .option('--models <dir>', 'folder of models (default: $VGG_MODELS, or the one in the package)')
    .option('--json', 'print one JSON object')
    .action(async (name: string, flags: { models?: string; json?: boolean }) => {
      show(await openNamed(modelsFolder(flags.models), name), flags.json ?? false);
    });
}

function show({ json: facts, spec, labels, tensors, weightsPath }: OpenModel, json: boolean): void {
  if (json) {
    print(JSON.stringify({ ...facts, parameters: parameterCount(spec), labels }));
    return;
  }
  const types = [...new Set(tensors.map(({ dtype }) => dtype))].join(', ');
  const lines: [string, string][] = [
    ['name', facts.name],
    ['file', weightsPath],
    ['sha256', facts.sha256],
    ['stored as', types],
    ['licence', facts.licence || 'not known'],
    ['provenance', facts.provenance || 'not known'],
    ['mean', facts.mean.map((level) => level.toFixed(2)).join(', ')],
    ['scales', facts.scales.join(', ')],
    ['kernel', facts.kernel],
    [
      'classes',
      `${String(facts.classes)}: ${labels.slice(0, 6).join(', ')}${labels.length > 6 ? ', …' : ''}`,
    ],
  ];
  for (const [name, value] of lines) print(`${name.padEnd(11)} ${value}`);
  print();
  for (const line of describeLines(describeNetwork(spec))) print(line);
}
