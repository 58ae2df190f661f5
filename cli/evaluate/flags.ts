// What vgg evaluate is told, and what follows from it alone. Knows options; neither photos nor models.

import { Option, type Command } from 'commander';
import { basename, join, resolve } from 'node:path';
import type { Kernel, Share } from '../../sdk/index.ts';
import { expected } from '../../vgg/errors.ts';
import { KERNELS, PROTOCOLS, type Protocol } from '../../vgg/views.ts';
import { INTERRUPTED } from '../interrupt.ts';
import { integer, kebab, named, number, shareOption } from '../options.ts';
import type { Wanted } from './plan.ts';

/** Values of the options, as commander gives them. */
export interface EvaluateFlags {
  model?: string[];
  models?: string;
  protocols: Protocol[];
  scales?: number[][];
  trainScales?: number[][];
  grid?: number;
  align?: number[];
  kernel?: Kernel;
  perLocation?: boolean;
  share?: Share;
  fuse?: boolean;
  limit?: number;
  perClass?: number;
  seed: number;
  groundTruth?: string;
  classes?: string;
  ilsvrcIds?: string;
  indexBase?: 0 | 1;
  ignoreUnknown?: boolean;
  server?: string;
  inFlight: number;
  timeout: number;
  output?: string;
  resume?: boolean;
  overwrite?: boolean;
  json?: boolean;
  markdown?: string;
  perClassTable?: boolean;
}

const DEFAULTS: Protocol[] = ['CENTER_CROP', 'MULTI_CROP', 'DENSE', 'DENSE_AND_MULTI_CROP'];

/** Adds argument, options and help. */
export function addEvaluateOptions(command: Command): Command {
  const most = 1_000_000_000;
  const whole = (option: string, least: number) => (text: string) => integer(text, option, least, most);
  return command
    .argument('<dir>', 'photos: one folder a class, or with --ground-truth; or a CSV file of file,label')
    .description("the paper's tables: top-1 and top-5 error of models on photos whose classes are known")
    .option(
      '--model <name>',
      'model; several times, or with commas: several (default: the default model)',
      (name: string, before: string[] | undefined) => [...(before ?? []), ...name.split(',')],
    )
    .option('--models <dir>', 'folder of models (default: $VGG_MODELS, or the one in the package)')
    .addOption(
      new Option('--protocols <list>', `of ${PROTOCOLS.map(kebab).join(', ')}`)
        .default(DEFAULTS, DEFAULTS.map(kebab).join(','))
        .argParser((text) =>
          unique(text.split(',')).map((name) => {
            const word = named(PROTOCOLS.map(kebab), name.trim(), '--protocols');
            return PROTOCOLS.find((each) => kebab(each) === word) ?? 'MULTI_CROP';
          }),
        ),
    )
    .option('--scales <sets>', "test scales Q, such as 256,384,512;256;384 (default: the model's)", (text) =>
      unique(text.split(';')).map((set, i) => numbers(set, /,/, `--scales[${String(i)}]`)),
    )
    .option(
      '--train-scales <list>',
      "S of the training, 256 or 256-512, for all models or for each with ; between: which of the paper's rows is meant",
      (text) => text.split(';').map((set, i) => numbers(set, /[-,]/, `--train-scales[${String(i)}]`)),
    )
    .option('--grid <n>', 'crops along each side for multi-crop (default: 5)', whole('--grid', 1))
    .option(
      '--align <list>',
      "crop offsets are multiples of so many pixels; 1: the paper's regular grid; several, such as 1,8, are compared (default: 8 for grids, else 1)",
      (text) => unique(text.split(',').map(whole('--align', 1))),
    )
    .option('--kernel <name>', `resize kernel: ${KERNELS.join(', ')} (default: the model's)`, (text) =>
      named(KERNELS, text.toLowerCase(), '--kernel'),
    )
    .option('--per-location', 'softmax at each location, then mean; default is mean, then softmax')
    .addOption(shareOption())
    .option('--fuse', 'also average the posteriors of every pair of models, and of all')
    .option('--limit <n>', 'at most so many photos, drawn by chance', whole('--limit', 1))
    .option('--per-class <n>', 'at most so many photos of a class, drawn by chance', whole('--per-class', 1))
    .option('--seed <n>', 'of the draw and of the intervals', whole('--seed', 0), 1)
    .option('--ground-truth <file>', 'what the photos of a flat folder show, one a line')
    .option('--classes <file>', "the photos' name of each class of the model, one a line, in its order")
    .option(
      '--ilsvrc-ids <file>',
      'synset of each ILSVRC ID, one a line, for the development kit’s ground truth',
    )
    .addOption(
      new Option(
        '--index-base <n>',
        'index of the first class, 0 or 1 (default: what the indices show)',
      ).argParser((text) => (integer(text, '--index-base', 0, 1) === 0 ? 0 : 1)),
    )
    .option('--ignore-unknown', 'leave out photos of classes that the model lacks')
    .option('--server <host:port>', 'ask this aggregator instead of computing in this process')
    .option('--in-flight <n>', 'photos that are worked on at once', whole('--in-flight', 1), 16)
    .option(
      '--timeout <seconds>',
      'time for one request',
      (text) => integer(text, '--timeout', 1, 86_400),
      600,
    )
    .option(
      '--output <path>',
      'journal.jsonl, report.json and report.md go there; or the journal, if FILE.jsonl',
    )
    .option('--resume', 'go on with the journal that is there')
    .option('--overwrite', 'begin anew over the journal that is there')
    .option('--json', 'print one JSON object')
    .option('--markdown <file>', 'also write the tables as Markdown')
    .option('--per-class-table', "also each class's error")
    .addHelpText('after', HELP);
}

const HELP = `
Folders are named as the model's classes: exactly, or but for case, spaces,
dashes and underscores. 1,000 folders named by synset (n01440764 …) are
ImageNet's classes.

ImageNet's validation set as it is published, ILSVRC2012_val_*.JPEG in one
folder, takes --ground-truth with a line for each photo: an index from 0 or 1 in
the order of sorted synsets, a synset, or FILE INDEX (Caffe's val.txt). The
development kit's ILSVRC2012_validation_ground_truth.txt is none of these: its
numbers are ILSVRC IDs, whose order is another. It takes --ilsvrc-ids FILE too,
with the synset of ID 1 in the first line (meta.mat of the kit has them), and is
refused without.

Every answer is kept in a journal (here: DIR-evaluation.jsonl, unless --output
names another). What was interrupted goes on with --resume; with a larger
--limit only the further photos are asked about.

Examples:
  vgg evaluate photos --per-class 10
  vgg evaluate val --ground-truth val.txt --models imagenet \\
    --model vgg16,vgg19 --scales '256,384,512;384' --fuse

Exit status: 0 if every photo was answered, 1 if not, ${String(INTERRUPTED)} if interrupted.`;

/** What the plan is made from. @throws VggError INVALID_ARGUMENT for an average of one model */
export function wantedOf(flags: EvaluateFlags, models: number): Wanted {
  const { protocols, scales, grid, align, kernel, perLocation, share, fuse = false } = flags;
  if (fuse && models < 2) throw expected('at least two models with --fuse', models, '--model');
  return {
    protocols,
    scaleSets: scales ?? [],
    fuse,
    ...(grid !== undefined && { grid }),
    ...(align && { aligns: align }),
    ...(kernel && { kernel }),
    ...(perLocation && { scoreOrder: 'SOFTMAX_THEN_MEAN' as const }),
    ...(share && { share }),
  };
}

/** Training scales of each model. @throws VggError INVALID_ARGUMENT unless there is one list, or one for each */
export function trainOf(scales: number[][] | undefined, models: number): number[][] | undefined {
  const [first] = scales ?? [];
  if (!scales || !first) return undefined;
  if (scales.length !== 1 && scales.length !== models) {
    throw expected(
      `training scales for all models, or for each of ${String(models)}`,
      scales.length,
      '--train-scales',
    );
  }
  return scales.length === 1 ? Array.from({ length: models }, () => first) : scales;
}

/** Where the journal is. */
export function journalFile(path: string, output: string | undefined): string {
  if (output === undefined)
    return resolve(`${basename(resolve(path)).replace(/\.csv$/i, '')}-evaluation.jsonl`);
  return output.endsWith('.jsonl') ? output : join(output, 'journal.jsonl');
}

function numbers(text: string, between: RegExp, option: string): number[] {
  return text.split(between).map((each) => number(each, option));
}

function unique<Value>(values: readonly Value[]): Value[] {
  return [...new Set(values)];
}
