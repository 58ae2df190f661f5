// vgg models import: a weights file becomes a model; and what `pull` does with the file it fetched.

import { Option, type Command } from 'commander';
import { basename, resolve } from 'node:path';
import { importWeights, type Imported, type ImportOptions } from '../models/import.ts';
import { readLabels } from '../models/labels.ts';
import { expected } from '../vgg/errors.ts';
import { NETWORK_NAMES, parameterCount, type NetworkName } from '../vgg/networks.ts';
import { KERNELS, type Kernel } from '../vgg/views.ts';
import { interruptSignal } from './interrupt.ts';
import { named, number } from './options.ts';
import { comparePrecision, generatedPhotos } from './precision.ts';
import { print, progress, say, thousands } from './terminal.ts';

interface ImportFlags {
  network?: NetworkName;
  name?: string;
  labels?: string;
  mean?: [number, number, number];
  std?: [number, number, number];
  channels?: 'RGB' | 'BGR';
  scales?: number[];
  kernel?: Kernel;
  dtype?: 'F32' | 'F16';
  provenance?: string;
  licence?: string;
  compare?: string[];
  to: string;
}

/** Adds the command. */
export function addImport(models: Command): void {
  const command = models
    .command('import')
    .argument('<file>', 'weights: PyTorch .pth, safetensors, Keras .h5, Caffe .caffemodel or ONNX')
    .description('make a model of a weights file')
    .addOption(
      new Option(
        '--network <name>',
        `${NETWORK_NAMES.join(', ')}; needed where the tensors fit several`,
      ).argParser((text) => named(NETWORK_NAMES, text, '--network')),
    )
    .option('--name <name>', 'name of the model (default: the file’s)')
    .option(
      '--labels <file>',
      'class names, one a line; or imagenet, for the 1,000 of ILSVRC (default: their indices)',
    )
    .option('--mean <r,g,b>', 'mean colour of the training set, levels 0–255', (text) =>
      levels(text, '--mean'),
    )
    .option('--std <r,g,b>', 'deviation that training divided by, in levels; 1,1,1 for none', (text) =>
      levels(text, '--std'),
    )
    .option('--channels <order>', 'rgb or bgr: order of the first convolution’s inputs', (text) =>
      named(['RGB', 'BGR'], text.toUpperCase(), '--channels'),
    )
    .option('--scales <list>', 'default scales in pixels', (text) =>
      text.split(',').map((each) => number(each, '--scales')),
    )
    .option('--kernel <name>', 'resize kernel of the training', (text) => named(KERNELS, text, '--kernel'));
  addStorageOptions(command)
    .option('--provenance <text>', 'where the weights come from')
    .option('--licence <id>', 'licence of the weights')
    .addHelpText(
      'after',
      `
The layout is recognised by what is in the file; mean, deviation, channel order and kernel are those of
its publisher (torchvision's and timm's: 255·(0.485, 0.456, 0.406), deviations divided into the first
convolution; Keras's and Caffe's: BGR minus 123.68, 116.779, 103.939; names conv1_1 … fc8: the paper's)
unless told otherwise. Nothing in a weights file is executed.

Examples:
  vgg models import vgg16-397923af.pth --labels imagenet
  vgg models import VGG_ILSVRC_16_layers.caffemodel --name oxford-vgg16 --labels imagenet --dtype f16
  vgg models import mine.safetensors --network A-LRN --labels birds.txt --mean 120,118,105 --std 1,1,1`,
    )
    .action(run);
}

/** --dtype, --compare, --to: where and how the model is stored. */
export function addStorageOptions(command: Command): Command {
  return command
    .option('--dtype <type>', 'store weights as f32 or f16 (default: as they are)', (text) =>
      named(['F32', 'F16'], text.toUpperCase(), '--dtype'),
    )
    .option(
      '--compare <photo...>',
      'with --dtype f16: photos to compare answers on (default: generated ones)',
    )
    .option('--to <dir>', 'folder of models to put it in', './models');
}

async function run(file: string, { labels, compare, ...flags }: ImportFlags): Promise<void> {
  await importAndReport(
    file,
    {
      ...flags,
      name: flags.name ?? modelNameOf(file),
      to: resolve(flags.to),
      ...(labels !== undefined && { labels: await readLabels(labels) }),
      signal: interruptSignal(),
    },
    compare,
  );
}

/**
 * Imports a file, shows how far it is, and says what was done; prints the new model's folder.
 *
 * @param compare photos to measure half precision on; generated ones if there are none
 */
export async function importAndReport(
  file: string,
  options: ImportOptions,
  compare?: string[],
): Promise<Imported> {
  let shown: ReturnType<typeof progress> | undefined;
  try {
    const imported = await importWeights(file, {
      ...options,
      onProgress: (done, total) => {
        shown ??= progress(Math.round(total / 1e6), 'MB');
        shown.update(Math.round(done / 1e6), 'importing');
      },
    });
    shown?.stop();
    report(imported);
    if (options.dtype === 'F16') {
      say('Comparing half with full precision …');
      const photos = compare ?? (await generatedPhotos(8, (imported.spec.inputSize * 8) / 7));
      const {
        largest,
        sameFirst,
        photos: count,
      } = await comparePrecision(imported.folder, file, options, photos);
      say(
        `  posteriors differ by at most ${largest.toExponential(1)}; ${String(sameFirst)} of ${String(count)} ` +
          `${compare ? 'photos' : 'generated pictures'} have the same first class`,
      );
    }
    print(imported.folder);
    return imported;
  } finally {
    shown?.stop();
  }
}

function report({ spec, layout, read, ignored, changes }: Imported): void {
  say(`Recognised ${layout}`);
  say(
    `Imported network ${spec.network}: ${String(read.tensors)} tensors, ${thousands(read.elements)} numbers read; ` +
      `${thousands(parameterCount(spec))} parameters written`,
  );
  for (const change of changes) say(`  ${change}`);
  if (ignored.length > 0) {
    const more = ignored.length > 3 ? ', …' : '';
    say(`  not needed: ${String(ignored.length)} tensors (${ignored.slice(0, 3).join(', ')}${more})`);
  }
}

function modelNameOf(file: string): string {
  return basename(file)
    .replace(/\.[^.]*$/, '')
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-');
}

function levels(text: string, option: string): [number, number, number] {
  const [red, green, blue, ...more] = text.split(',').map((each) => number(each, option));
  if (red === undefined || green === undefined || blue === undefined || more.length > 0) {
    throw expected('three levels, R,G,B', text, option);
  }
  return [red, green, blue];
}
