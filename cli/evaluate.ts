// vgg evaluate: the paper's tables for anybody's photos and models.

import { Option, type Command } from 'commander';
import { writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { createClient, type Kernel, type VggClient } from '../sdk/index.ts';
import { VggError, expected } from '../vgg/errors.ts';
import { KERNELS, PROTOCOLS, type Protocol } from '../vgg/views.ts';
import { classIndices } from './evaluate/classes.ts';
import { drawn, linesOf, readDataset, text, type Dataset } from './evaluate/dataset.ts';
import { Journal, type JournalHeader } from './evaluate/journal.ts';
import { localModels, serverModels, type ModelFacts } from './evaluate/models.ts';
import { planOf, type Plan, type Wanted } from './evaluate/plan.ts';
import { reportOf, type Report } from './evaluate/report.ts';
import { evaluatePhotos, type KnownPhoto } from './evaluate/run.ts';
import { markdownReport, terminalReport } from './evaluate/tables.ts';
import { Tally } from './evaluate/tally.ts';
import { INTERRUPTED, interruptSignal } from './interrupt.ts';
import { modelsFolder } from './models-folder.ts';
import { integer, kebab, named, number } from './options.ts';
import { startStack } from './stack.ts';
import { columns, print, progress, say } from './terminal.ts';

interface EvaluateFlags {
  model?: string[];
  models?: string;
  protocols: Protocol[];
  scales?: number[][];
  trainScales?: number[][];
  grid?: number;
  align?: number;
  kernel?: Kernel;
  perLocation?: boolean;
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

/** Adds the command. */
export function addEvaluate(program: Command): void {
  const most = 1_000_000_000;
  const whole = (option: string, least: number) => (text: string) => integer(text, option, least, most);
  program
    .command('evaluate')
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
        .default(['CENTER_CROP', 'MULTI_CROP', 'DENSE', 'DENSE_AND_MULTI_CROP'], 'the first, third to fifth')
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
    .option('--align <n>', 'crop offsets are multiples of this many pixels (default: 1)', whole('--align', 1))
    .option('--kernel <name>', `resize kernel: ${KERNELS.join(', ')} (default: the model's)`, (text) =>
      named(KERNELS, text.toLowerCase(), '--kernel'),
    )
    .option('--per-location', 'softmax at each location, then mean; default is mean, then softmax')
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
    .addHelpText('after', HELP)
    .action(run);
}

const HELP = `
Folders are named as the model's classes: exactly, or but for case, spaces, dashes and underscores. 1,000 folders
named by synset (n01440764 …) are ImageNet's classes.

ImageNet's validation set as it is published, ILSVRC2012_val_*.JPEG in one folder, takes --ground-truth with a line for
each photo: an index from 0 or 1 in the order of sorted synsets, a synset, or FILE INDEX (Caffe's val.txt). The
development kit's ILSVRC2012_validation_ground_truth.txt is none of these: its numbers are ILSVRC IDs, whose order is
another. It takes --ilsvrc-ids FILE too, with the synset of ID 1 in the first line (the development kit's meta.mat has
them), and is refused without.

Every answer is kept in a journal (DIR-evaluation.jsonl here, unless --output names another): what was interrupted goes
on with --resume, and with a larger --limit only the further photos are asked about.

Examples:
  vgg evaluate photos --per-class 10
  vgg evaluate val --ground-truth val.txt --models imagenet --model vgg16,vgg19 --scales '256,384,512;384' --fuse

Exit status: 0 if every photo was answered, 1 if not, ${String(INTERRUPTED)} if interrupted.`;

async function run(path: string, flags: EvaluateFlags): Promise<void> {
  const signal = interruptSignal();
  if (flags.server !== undefined && flags.models !== undefined) {
    throw new VggError(
      'INVALID_ARGUMENT',
      'Expected --models or --server but received both: a server has models of its own',
    );
  }
  const dataset = await readDataset(path, flags.groundTruth);
  const deadlineMs = flags.timeout * 1000;
  const server =
    flags.server === undefined ? undefined : createClient({ aggregator: flags.server, deadlineMs });
  try {
    const folder = modelsFolder(flags.models);
    const models = server
      ? await serverModels(server, flags.model ?? [], signal)
      : await localModels(folder, flags.model ?? []);
    const { photos, ignoredClasses } = await knownPhotos(dataset, models[0]?.labels ?? [], flags);
    const wanted = wantedOf(flags, models.length);
    const plan = planOf(models, wanted);
    const existing = flags.resume ? 'resume' : flags.overwrite ? 'replace' : 'refuse';
    const journal = await Journal.open(
      journalFile(path, flags.output),
      headerOf(models, plan, wanted),
      existing,
    );
    const tally = new Tally(plan.rows.length);
    try {
      const bar = shown(photos.length, tally);
      const ask = async (client: VggClient) =>
        await evaluatePhotos(photos, {
          ...{ client, models, plan, journal, tally, deadlineMs, signal, inFlight: flags.inFlight },
          onPhoto: bar.onPhoto,
        }).finally(bar.stop);
      const failures = await (server ? ask(server) : inProcess(folder, models, deadlineMs, ask));
      const { seed, perClassTable: perClass = false } = flags;
      const train = trainOf(flags.trainScales, models.length);
      await tell(
        reportOf({
          path,
          imagenet: dataset.imagenet,
          ignoredClasses,
          models,
          plan,
          tally,
          failures,
          seed,
          train,
          perClass,
        }),
        flags,
      );
    } catch (error) {
      say(
        `${String(tally.photos)} of ${String(photos.length)} photos are in ${journal.file}: the same command with --resume goes on`,
      );
      throw error;
    } finally {
      await journal.close();
    }
  } finally {
    server?.close();
  }
}

// The photos that are evaluated, with the model's class indices.
async function knownPhotos(
  { photos, first }: Dataset,
  labels: readonly string[],
  flags: EvaluateFlags,
): Promise<{ photos: KnownPhoto[]; ignoredClasses: string[] }> {
  const list = async (file: string | undefined) =>
    file === undefined ? undefined : linesOf(await text(file));
  const words = [...new Set(photos.map(({ truth }) => truth))];
  const { indices, unknown } = classIndices(words, labels, {
    classes: await list(flags.classes),
    ilsvrcIds: await list(flags.ilsvrcIds),
    indexBase: flags.indexBase,
    first,
  });
  if (unknown.length > 0 && !flags.ignoreUnknown) {
    const names =
      unknown.length > 20 ? [...unknown.slice(0, 20), `${String(unknown.length - 20)} more`] : unknown;
    throw new VggError(
      'INVALID_ARGUMENT',
      `Expected classes of the model, which lacks ${names.join(', ')} (--ignore-unknown leaves their photos out, --classes FILE gives names)`,
    );
  }
  const chosen = drawn(
    photos.filter(({ truth }) => indices.has(truth)),
    flags.seed,
    flags,
  );
  if (chosen.length === 0) throw expected('photos of classes that the model has', 'none', 'DIR');
  return {
    photos: chosen.map(({ truth, ...photo }) => ({ ...photo, truth: indices.get(truth) ?? -1 })),
    ignoredClasses: unknown,
  };
}

function wantedOf(flags: EvaluateFlags, models: number): Wanted {
  const { protocols, scales, grid, align, kernel, perLocation, fuse = false } = flags;
  if (fuse && models < 2) throw expected('at least two models with --fuse', models, '--model');
  return {
    protocols,
    scaleSets: scales ?? [],
    fuse,
    ...(grid !== undefined && { grid }),
    ...(align !== undefined && { align }),
    ...(kernel && { kernel }),
    ...(perLocation && { scoreOrder: 'SOFTMAX_THEN_MEAN' as const }),
  };
}

function trainOf(scales: number[][] | undefined, models: number): number[][] | undefined {
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

function headerOf(models: readonly ModelFacts[], { rows }: Plan, wanted: Wanted): JournalHeader {
  const { grid = 5, align = 1, kernel = "the model's", scoreOrder = 'MEAN_THEN_SOFTMAX' } = wanted;
  return {
    journal: 'vgg evaluate',
    version: 1,
    models: models.map(({ name, identity }) => ({ name, ...identity })),
    options: { grid, align, kernel, scoreOrder },
    rows: rows.map((row) => ({
      models: row.models.flatMap((model) => models[model]?.name ?? []),
      protocol: row.protocol,
      scales: row.scales.map((scales) => [...scales]),
    })),
  };
}

function journalFile(path: string, output: string | undefined): string {
  if (output === undefined)
    return resolve(`${basename(resolve(path)).replace(/\.csv$/i, '')}-evaluation.jsonl`);
  return output.endsWith('.jsonl') ? output : join(output, 'journal.jsonl');
}

async function inProcess<Result>(
  models: string,
  facts: readonly ModelFacts[],
  deadlineMs: number,
  work: (client: VggClient) => Promise<Result>,
): Promise<Result> {
  const stack = await startStack({ models, load: facts.map(({ name }) => name), logLevel: 'silent' });
  const client = createClient({ aggregator: stack.aggregator.address, deadlineMs });
  try {
    return await work(client);
  } finally {
    client.close();
    await stack.close();
  }
}

// The progress bar: photos a second, and the error of the first row so far.
function shown(total: number, tally: Tally): { onPhoto: (asked: boolean) => void; stop: () => void } {
  const bar = progress(total, 'photos', process.stderr.isTTY, 12);
  const started = performance.now();
  let [done, fresh] = [0, 0];
  return {
    onPhoto: (asked) => {
      done++;
      if (asked) fresh++;
      const rate = fresh / ((performance.now() - started) / 1000);
      const error = tally.photos > 0 ? (100 * tally.errors(0).top1) / tally.photos : 0;
      bar.update(done, `${rate.toFixed(1)}/s  top-1 ${error.toFixed(1)} %`);
    },
    stop: () => {
      bar.stop();
    },
  };
}

async function tell(report: Report, flags: EvaluateFlags): Promise<void> {
  const { output, markdown } = flags;
  if (flags.json) print(JSON.stringify(report));
  else for (const line of terminalReport(report, columns())) print(line);
  if (output !== undefined && !output.endsWith('.jsonl')) {
    await writeFile(join(output, 'report.json'), `${JSON.stringify(report, null, 1)}\n`);
    await writeFile(join(output, 'report.md'), markdownReport(report));
  }
  if (markdown !== undefined) await writeFile(markdown, markdownReport(report));
  for (const { photo, message } of report.failures) say(`${photo}: ${message}`);
  if (report.failures.length > 0) process.exitCode = 1;
}

function numbers(text: string, between: RegExp, option: string): number[] {
  return text.split(between).map((each) => number(each, option));
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
