// vgg models: what is in a folder of models, and how more get there.

import { Option, type Command } from 'commander';
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { importWeights } from '../models/import.ts';
import { listModels, openModel, type OpenModel } from '../models/store.ts';
import { describeNetwork } from '../vgg/describe.ts';
import { VggError, expected } from '../vgg/errors.ts';
import { NETWORK_NAMES, parameterCount, type NetworkName } from '../vgg/networks.ts';
import { KERNELS, type Kernel } from '../vgg/views.ts';
import { addDescribe, describeLines } from './describe.ts';
import { interruptSignal } from './interrupt.ts';
import { EMBEDDED_MODELS, named, number } from './options.ts';
import { print, progress, say, size, table, thousands } from './terminal.ts';

interface ImportFlags {
  network?: NetworkName;
  name?: string;
  labels?: string;
  mean?: [number, number, number];
  scales?: number[];
  kernel?: Kernel;
  dtype?: 'F32' | 'F16';
  provenance?: string;
  licence?: string;
  to: string;
}

/** The folder of models: the flag, VGG_MODELS, or the package's own. */
export function modelsFolder(flag: string | undefined): string {
  return resolve(flag ?? (process.env['VGG_MODELS'] || EMBEDDED_MODELS));
}

/** Adds the commands. */
export function addModels(program: Command): void {
  const models = program.command('models').description('list, show, describe and import models');
  models
    .command('list')
    .description('list the models in a folder')
    .option('--models <dir>', 'folder of models (default: $VGG_MODELS, or the one in the package)')
    .option('--json', 'print one JSON object a model')
    .action(async (flags: { models?: string; json?: boolean }) => {
      await list(modelsFolder(flags.models), flags.json ?? false);
    });
  models
    .command('show')
    .argument('<name>', 'name of a model')
    .description('show what a model is, and where it comes from')
    .option('--models <dir>', 'folder of models (default: $VGG_MODELS, or the one in the package)')
    .option('--json', 'print one JSON object')
    .action(async (name: string, flags: { models?: string; json?: boolean }) => {
      show(await openNamed(modelsFolder(flags.models), name), flags.json ?? false);
    });
  addDescribe(models);
  models
    .command('import')
    .argument('<file>', 'weights in safetensors, with names conv1_1.weight … fc8.bias')
    .description('make a model of a weights file')
    .addOption(
      new Option(
        '--network <name>',
        `${NETWORK_NAMES.join(', ')}; needed where the tensors fit several`,
      ).argParser((text) => named(NETWORK_NAMES, text, '--network')),
    )
    .option('--name <name>', 'name of the model (default: the file’s)')
    .option('--labels <file>', 'class names, one a line (default: their indices)')
    .option('--mean <r,g,b>', 'mean colour of the training set', readMean)
    .option('--scales <list>', 'default scales in pixels', (text) =>
      text.split(',').map((each) => number(each, '--scales')),
    )
    .option('--kernel <name>', 'resize kernel of the training', (text) => named(KERNELS, text, '--kernel'))
    .option('--dtype <type>', 'store weights as f32 or f16 (default: as they are)', (text) =>
      named(['F32', 'F16'], text.toUpperCase(), '--dtype'),
    )
    .option('--provenance <text>', 'where the weights come from')
    .option('--licence <id>', 'licence of the weights')
    .option('--to <dir>', 'folder of models to put it in', './models')
    .addHelpText(
      'after',
      '\nExample: vgg models import weights.safetensors --network D --name birds --labels birds.txt --to ./models',
    )
    .action(importFile);
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

async function importFile(file: string, { to, labels, ...flags }: ImportFlags): Promise<void> {
  const signal = interruptSignal();
  const name = flags.name ?? (file.split('/').at(-1) ?? '').replace(/\.[^.]*$/, '').toLowerCase();
  const names = labels === undefined ? undefined : await readLabels(labels);
  let shown: ReturnType<typeof progress> | undefined;
  try {
    const folder = await importWeights(file, {
      ...flags,
      name,
      to: resolve(to),
      ...(names && { labels: names }),
      onProgress: (done, total) => {
        shown ??= progress(Math.round(total / 1e6), 'MB');
        shown.update(Math.round(done / 1e6));
      },
      signal,
    });
    shown?.stop();
    const { spec, tensors } = await openModel(folder);
    say(
      `Imported network ${spec.network}: ${String(tensors.length)} tensors, ${thousands(parameterCount(spec))} parameters`,
    );
    print(folder);
  } finally {
    shown?.stop();
  }
}

async function readLabels(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new VggError('NOT_FOUND', `Expected a file of labels but cannot read ${path}`, { cause });
  });
  return text.replace(/\r?\n$/, '').split(/\r?\n/);
}

function readMean(text: string): [number, number, number] {
  const [red, green, blue, ...more] = text.split(',').map((each) => number(each, '--mean'));
  if (red === undefined || green === undefined || blue === undefined || more.length > 0) {
    throw expected('three levels, R,G,B', text, '--mean');
  }
  return [red, green, blue];
}
