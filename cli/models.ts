// vgg models: what is in a folder of models, and how more get there.

import { Option, type Command } from 'commander';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { importWeights } from '../models/import.ts';
import { openModel } from '../models/store.ts';
import { VggError, expected } from '../vgg/errors.ts';
import { NETWORK_NAMES, parameterCount, type NetworkName } from '../vgg/networks.ts';
import { KERNELS, type Kernel } from '../vgg/views.ts';
import { addDescribe } from './describe.ts';
import { interruptSignal } from './interrupt.ts';
import { addModelsList } from './models-list.ts';
import { addModelsShow } from './models-show.ts';
import { named, number } from './options.ts';
import { print, progress, say, thousands } from './terminal.ts';

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

/** Adds the commands. */
export function addModels(program: Command): void {
  const models = program.command('models').description('list, show, describe and import models');
  addModelsList(models);
  addModelsShow(models);
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
