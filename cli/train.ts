// vgg train: the paper's training recipe on a folder of photos. What it shows; the work is services/trainer's.

import { Option, type Command } from 'commander';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readRecipe, startTraining, type TrainingProgress } from '../services/trainer/main.ts';
import {
  INITIALISATIONS,
  paperRecipe,
  SCHEDULES,
  type Initialisation,
  type Recipe,
  type Schedule,
} from '../services/trainer/recipe.ts';
import { expected } from '../vgg/errors.ts';
import { NETWORK_NAMES, type NetworkName } from '../vgg/networks.ts';
import { KERNELS, type Kernel } from '../vgg/views.ts';
import { interruptSignal } from './interrupt.ts';
import { integer, named, number } from './options.ts';
import { print, progress, say, type Progress } from './terminal.ts';

interface TrainFlags extends Partial<Omit<Recipe, 'network' | 'scales' | 'from'>> {
  recipe?: string;
  network?: NetworkName;
  scales?: [number, number];
  preTrained?: string;
  fineTune?: string;
  run: string;
  to: string;
  name: string;
  resume?: boolean;
  dtype: 'F32' | 'F16';
  licence?: string;
  provenance?: string;
  threads: number;
  cache: number;
}

const GIB = 1024 ** 3;

/** Adds the command. */
export function addTrain(program: Command): void {
  const command = program
    .command('train')
    .argument('<dir>', 'photos, one folder a class')
    .description('train a network on a folder of photos, with the paper’s recipe')
    .option('--recipe <file>', 'recipe as JSON, such as a run’s recipe.json; options here win over it');
  const option = (flags: string, description: string, parse: (text: string) => unknown) =>
    command.addOption(new Option(flags, description).argParser(parse));
  const amount = (flags: string, description: string) =>
    option(flags, description, (text) => number(text, flags.split(' ')[0] ?? flags));
  option('--network <name>', NETWORK_NAMES.join(', '), (text): NetworkName =>
    named(NETWORK_NAMES, text, '--network'),
  );
  command.option('--batch-norm', 'batch normalisation after each convolution; folded when it is done');
  amount('--width <factor>', 'multiplier of the convolutions’ widths (1)');
  amount('--hidden <n>', 'outputs of fc6 and fc7 (4096)');
  amount('--input-size <pixels>', 'side of a crop, a multiple of 32 (224)');
  option(
    '--scales <list>',
    'training scale S in pixels: one, or least,most to draw from (256,512 in units of an input of 224)',
    scaleRange,
  );
  amount('--batch <n>', 'images of an update (256)');
  amount('--micro-batch <n>', 'images at once; a batch’s gradients are summed over such pieces (32)');
  amount('--learning-rate <rate>', 'at the beginning (0.01)');
  option('--schedule <name>', `${SCHEDULES.join(' or ')}: how it falls (plateau)`, (text): Schedule =>
    named(SCHEDULES, text, '--schedule'),
  );
  amount('--patience <epochs>', 'plateau: epochs without improvement until it falls tenfold (5)');
  amount('--drops <n>', 'plateau: times that it falls (3)');
  amount('--epochs <n>', 'most epochs (74)');
  amount('--warm-up <epochs>', 'epochs over which the rate rises from 0 (0)');
  amount('--momentum <share>', '(0.9)');
  amount('--weight-decay <factor>', 'L2 penalty (0.0005)');
  amount('--dropout <share>', 'of fc6’s and fc7’s outputs (0.5)');
  amount('--label-smoothing <share>', '(0)');
  amount('--mirror <share>', 'of photos that are mirrored (0.5)');
  amount('--colour-shift <deviation>', 'along the colours’ principal components (0.1)');
  amount('--balance <share>', '0: photos equally often; 1: classes equally often (0)');
  option('--kernel <name>', `resize kernel: ${KERNELS.join(', ')} (linear)`, (text): Kernel =>
    named(KERNELS, text, '--kernel'),
  );
  option(
    '--initialisation <name>',
    `${INITIALISATIONS.join(', ')}: how weights begin (glorot)`,
    (text): Initialisation => named(INITIALISATIONS, text, '--initialisation'),
  );
  command
    .option('--pre-trained <model>', 'folder of a trained A: its first convolutions and its fc layers begin')
    .option('--fine-tune <model>', 'folder of a model whose weights all begin, wherever they fit');
  amount('--validation <share>', 'of each class’s photos that is held out (0.1)');
  amount('--seed <n>', 'of split, order, crops, initialisation and dropout (1)');
  command
    .option('--run <dir>', 'folder of the run: recipe.json, log.jsonl, curves.svg, checkpoint', './run')
    .option('--resume', 'go on with the run’s checkpoint')
    .option('--to <dir>', 'folder of models that the trained one goes to', './models')
    .option('--name <name>', 'name of the model', 'trained')
    .option(
      '--dtype <type>',
      'store weights as f32 or f16',
      (text) => named(['F32', 'F16'], text.toUpperCase(), '--dtype'),
      'F32',
    )
    .option('--licence <id>', 'licence of the weights')
    .option('--provenance <text>', 'where the photos come from')
    .option('--threads <n>', 'threads that decode photos', (text) => integer(text, '--threads', 1, 64), 1)
    .option('--cache <GiB>', 'memory for decoded photos', (text) => number(text, '--cache'), 2)
    .addHelpText(
      'after',
      `
Numbers in brackets are the paper’s, and the defaults. Photos of DIR/CLASS are split by the seed; the log has a
line an epoch; Ctrl-C saves, and --resume goes on to the same result as if nothing had happened.

Examples:
  vgg train photos --network A --width 0.25 --input-size 64 --batch-norm --epochs 30
  vgg train photos --network D --pre-trained models/a --scales 256 --run s256
  vgg train photos --network D --fine-tune models/d-256 --scales 256,512 --learning-rate 0.001
  vgg train photos --recipe run/recipe.json --run again --seed 2`,
    )
    .action(run);
}

async function run(photos: string, flags: TrainFlags): Promise<void> {
  const signal = interruptSignal();
  const recipe = await recipeOf(flags);
  let bar: Progress | undefined;
  try {
    const outcome = await startTraining({
      photos: resolve(photos),
      run: resolve(flags.run),
      recipe,
      resume: flags.resume ?? false,
      model: {
        name: flags.name,
        to: resolve(flags.to),
        dtype: flags.dtype,
        licence: flags.licence ?? '',
        provenance: flags.provenance ?? '',
      },
      threads: flags.threads,
      cacheBytes: flags.cache * GIB,
      signal,
      onProgress: (now) => {
        if (now.kind === 'note') say(now.text);
        else if (now.kind === 'epoch') {
          bar?.stop();
          bar = undefined;
          say(epochLine(now));
        } else {
          bar ??= progress(now.batches, 'batches');
          bar.update(now.batch, batchLine(now));
        }
      },
    }).finally(() => bar?.stop());
    say(
      `Least validation error ${per(outcome.best.top1)} % top-1, ${per(outcome.best.top5)} % top-5, after epoch ${String(outcome.best.epoch)}`,
    );
    print(outcome.folder);
  } catch (error) {
    if (signal.aborted) say(`Saved; go on with: vgg train ${photos} --run ${flags.run} --resume`);
    throw error;
  }
}

async function recipeOf(flags: TrainFlags): Promise<Recipe> {
  // A run that goes on has its recipe.
  const own = join(flags.run, 'recipe.json');
  const file = flags.recipe ?? (flags.resume && existsSync(own) ? own : undefined);
  const told: Partial<Recipe> = file === undefined ? {} : await readRecipe(file);
  const network = flags.network ?? told.network;
  if (!network) throw expected(`--network, one of ${NETWORK_NAMES.join(', ')}`, 'none', '--network');
  const paper = paperRecipe(network, flags.inputSize ?? told.inputSize ?? 224);
  const keys = Object.keys(paper) as (keyof Recipe)[];
  const given = Object.fromEntries(
    keys.filter((key) => key in flags).map((key) => [key, flags[key as keyof TrainFlags]]),
  ) as Partial<Recipe>;
  const { preTrained, fineTune } = flags;
  if (preTrained !== undefined && fineTune !== undefined)
    throw expected('--pre-trained or --fine-tune', 'both', '--fine-tune');
  return {
    ...paper,
    ...told,
    ...given,
    ...(preTrained !== undefined && {
      from: { model: resolve(preTrained), layers: 'first-layers' as const },
    }),
    ...(fineTune !== undefined && { from: { model: resolve(fineTune), layers: 'all' as const } }),
  };
}

function scaleRange(text: string): [number, number] {
  const [least, most = least, ...more] = text.split(',').map((each) => number(each, '--scales'));
  if (least === undefined || most === undefined || more.length > 0)
    throw expected('one scale, or least,most', text, '--scales');
  return [least, most];
}

function batchLine({
  loss,
  imagesPerSecond,
  learningRate,
  epoch,
  epochs,
  secondsLeft,
}: TrainingProgress & { kind: 'batch' }): string {
  return `epoch ${String(epoch)}/${String(epochs)}  loss ${loss.toFixed(3)}  rate ${learningRate.toPrecision(2)}  ${imagesPerSecond.toFixed(0)} img/s  all in ${duration(secondsLeft)}`;
}

function epochLine(now: TrainingProgress & { kind: 'epoch' }): string {
  const {
    epoch,
    epochs,
    loss,
    error,
    validation,
    learningRate,
    imagesPerSecond,
    waitedShare,
    secondsLeft,
    best,
  } = now;
  const checked = validation
    ? `validation ${validation.loss.toFixed(3)}, error ${per(validation.top1)} % top-1 ${per(validation.top5)} % top-5${best ? ' *' : ''}`
    : 'nothing held out';
  return `epoch ${String(epoch)}/${String(epochs)}  loss ${loss.toFixed(3)}, error ${per(error)} %  ${checked}  rate ${learningRate.toPrecision(2)}  ${imagesPerSecond.toFixed(0)} img/s (waited ${per(waitedShare)} %)  at most ${duration(secondsLeft)} left`;
}

function per(share: number): string {
  return (100 * share).toFixed(1);
}

function duration(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  return minutes < 1
    ? `${seconds.toFixed(0)} s`
    : minutes < 90
      ? `${String(minutes)} min`
      : `${(minutes / 60).toFixed(1)} h`;
}
