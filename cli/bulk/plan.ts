// vgg bulk plan: how long so many photos take on so many machines, and what it costs, before there is either. Knows what
// a person says of them; the times are loadtest/simulate's, the prices infra's, the courses infra/bulk's.

import { Option, type Command } from 'commander';
import { readFileSync } from 'node:fs';
import {
  coursesOf,
  cutOf,
  rateOf,
  type Capacity,
  type Course,
  type PhotoTimes,
  type Rate,
} from '../../infra/bulk/capacity.ts';
import { PRICES, instanceHour, readPrices, type InstanceType, type Prices } from '../../infra/prices.ts';
import { MEASURED_COSTS } from '../../loadtest/simulate/deployment.ts';
import { gpuSheet, gpuTiming } from '../../loadtest/simulate/gpu.ts';
import { photoCpu } from '../../loadtest/simulate/photo-cpu.ts';
import { VggError, expected } from '../../vgg/errors.ts';
import { NETWORK_NAMES, macs, type NetworkName, type NetworkSpec } from '../../vgg/networks.ts';
import { randomAt } from '../../vgg/random.ts';
import { evaluationViews, resolveEvaluation, type Evaluation } from '../../vgg/views.ts';
import { addViewOptions, integer, kebab, named, number, type EvaluationFlags } from '../options.ts';
import { print, table, thousands } from '../terminal.ts';
import { dollars, span } from './estimate.ts';

interface PlanFlags extends EvaluationFlags {
  photos: number;
  instance: string;
  machines: number;
  spot?: boolean;
  network: NetworkName;
  workers: number;
  photoSize: { width: number; height: number; bytes: number };
  photosPerSecond?: number;
  machineStart: number;
  taskStart: number;
  interruptions?: number;
  notice: boolean;
  prices?: string;
  seed: number;
  json?: boolean;
}

const COURSES = 100;
// Crops of a batch: more are hardly quicker.
const BATCH = 32;
// Of a JPEG, as photos of data sets have it.
const BYTES_PER_PIXEL = 0.6;
const PARTS: Record<keyof PhotoTimes, string> = { gpu: 'GPU', cpu: 'vCPUs', thread: 'JavaScript thread' };
const SPOT_INTERRUPTIONS = 0.05;

/** Adds the command. */
export function addPlan(bulk: Command): void {
  const positive = (option: string) => (text: string) => {
    const value = number(text, option);
    if (!(value > 0)) throw expected('a number > 0', text, option);
    return value;
  };
  const atLeast0 = (option: string) => (text: string) => {
    const value = number(text, option);
    if (!(value >= 0)) throw expected('a number ≥ 0', text, option);
    return value;
  };
  const command = bulk
    .command('plan')
    .description('how long so many photos take on so many machines, and what that costs: simulated')
    .requiredOption('--photos <n>', 'such as 10e6', (text) => integer(text, '--photos', 1, 1e12))
    .option('--instance <type>', 'machine, of the price table', 'g6.xlarge')
    .option('--machines <n>', 'so many of them', (text) => integer(text, '--machines', 1, 10_000), 32)
    .option('--spot', 'at the spot price, and taken away now and then')
    .option(
      '--network <name>',
      `row of the paper's Table 1, with 1000 classes: ${NETWORK_NAMES.join(', ')}`,
      (text) => named(NETWORK_NAMES, text, '--network'),
      'D' as NetworkName,
    );
  addViewOptions(command)
    .addOption(
      new Option('--photo-size <width>x<height>', 'of the photos, in pixels: what decoding them takes')
        .default(photoOf('500x375'), '500x375')
        .argParser(photoOf),
    )
    .option('--workers <n>', 'processes a machine', (text) => integer(text, '--workers', 1, 1024), 1)
    .option(
      '--photos-per-second <n>',
      "of one machine, measured (vgg bulk --estimate) (default: the least of what its GPU can do by the data sheet, its CPUs, and its processes' JavaScript threads)",
      positive('--photos-per-second'),
    )
    .option('--machine-start <seconds>', 'until a machine can start a task', atLeast0('--machine-start'), 180)
    .option(
      '--task-start <seconds>',
      "until a task's first photo: container, models",
      positive('--task-start'),
      60,
    )
    .option(
      '--interruptions <n>',
      `times a machine is taken away in an hour (default: ${String(SPOT_INTERRUPTIONS)} with --spot, else 0)`,
      atLeast0('--interruptions'),
    )
    .option('--no-notice', 'machines are taken away without the notice in which a task keeps what it has')
    .option('--prices <file>', 'JSON with today’s prices, any part of the table')
    .option('--seed <n>', 'of the interruptions', (text) => integer(text, '--seed', 0, 2 ** 31), 1)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  vgg bulk plan --photos 10e6 --spot
  vgg bulk plan --photos 10e6 --protocol center-crop --scales 256 --machines 8
  vgg bulk plan --photos 2e6 --photos-per-second 41 --instance p5.4xlarge`,
    )
    .action(plan);
}

function plan(flags: PlanFlags): void {
  const prices = pricesOf(flags.prices);
  const instance = prices.instances[flags.instance];
  if (!instance) {
    throw expected(`one of ${Object.keys(prices.instances).join(', ')}`, flags.instance, '--instance');
  }
  const spec: NetworkSpec = { network: flags.network, width: 1, hidden: 4096, classes: 1000, inputSize: 224 };
  const evaluation = resolveEvaluation(
    {
      ...(flags.protocol && { protocol: flags.protocol }),
      ...(flags.scales && { scales: flags.scales }),
      ...(flags.grid !== undefined && { grid: flags.grid }),
      ...(flags.align !== undefined && { align: flags.align }),
    },
    { inputSize: spec.inputSize, scales: [256, 384, 512] },
  );
  const { views } = evaluationViews(flags.photoSize, evaluation, spec.inputSize);
  const rate = flags.photosPerSecond === undefined ? reckoned(spec, evaluation, instance, flags) : undefined;
  const photosPerSecond = flags.photosPerSecond ?? rate?.photosPerSecond ?? NaN;
  const capacity: Capacity = {
    ...{ photos: flags.photos, photosPerSecond, machines: flags.machines },
    ...{ machineStart: flags.machineStart, taskStart: flags.taskStart, notice: flags.notice },
    interruptionsPerHour: flags.interruptions ?? (flags.spot ? SPOT_INTERRUPTIONS : 0),
  };
  const cut = cutOf(capacity);
  const courses = coursesOf(capacity, cut, flags.seed, COURSES);
  const [typical, late] = [courses[Math.floor(COURSES / 2)], courses[Math.floor(COURSES * 0.95)]];
  if (!typical || !late) throw new VggError('INTERNAL', 'Expected courses but there are none');
  const hour = instanceHour(prices, flags.instance, flags.spot);
  const machines = (typical.machineSeconds / 3600) * hour;
  const requests = requestsOf(typical, flags.photos, prices);
  if (flags.json) {
    print(
      JSON.stringify({
        capacity,
        ...(rate && { rate }),
        cut,
        course: typical,
        seconds95: late.seconds,
        dollars: { machines, requests },
      }),
    );
    return;
  }
  const part = (seconds: number) => `${((100 * seconds) / typical.machineSeconds).toFixed(1)} %`;
  const kind = flags.spot ? 'spot' : 'on demand';
  const lines: [string, string][] = [
    [
      'photos',
      `${thousands(flags.photos)}, ${kebab(evaluation.protocol)} at ${evaluation.scales.join(', ')}: ${String(views.length)} view${views.length === 1 ? '' : 's'} each`,
    ],
    [
      'machines',
      `${thousands(flags.machines)} × ${flags.instance}${instance.gpu ? ` (${instance.gpu.name})` : ''}, ${kind}`,
    ],
    ['photos/s', `${photosPerSecond.toPrecision(3)} a machine (${rate ? limitOf(rate) : 'as you say'})`],
    ...(rate ? ([['at most', partsOf(rate, instance, flags.workers)]] as [string, string][]) : []),
    ['time', `${span(typical.seconds)}; in 1 of 20 courses more than ${span(late.seconds)}`],
    ['shards', `${thousands(typical.shards)} of ${thousands(cut.shardPhotos)} photos`],
    [
      'tasks',
      `${thousands(typical.tasks)} of ${thousands(cut.taskShards)} shards, about ${span((cut.taskShards * cut.shardPhotos) / photosPerSecond)} each`,
    ],
    [
      'machine hours',
      `${thousands(Math.round(typical.machineSeconds / 3600))}: answering ${part(typical.useful)}, starting ${part(typical.starting)}, lost ${part(typical.lost)}`,
    ],
    ['interruptions', thousands(typical.interruptions)],
    [
      'cost',
      `${dollars(machines + requests)}: machines ${dollars(machines)} at ${dollars(hour)} an hour, requests ${dollars(requests)}`,
    ],
    ['a thousand photos', dollars(((machines + requests) * 1000) / flags.photos)],
    ['prices of', `${prices.date}, ${prices.region}: ${prices.source}`],
  ];
  for (const line of table(['what', 'how much'], lines).slice(1)) print(line);
}

function reckoned(
  spec: NetworkSpec,
  evaluation: Evaluation,
  { gpu, vcpu }: InstanceType,
  { workers, photoSize }: PlanFlags,
): Rate {
  if (!gpu) {
    throw new VggError(
      'INVALID_ARGUMENT',
      'Expected --photos-per-second for a machine without a GPU: vgg bulk --estimate measures it there',
    );
  }
  const { planes, views } = evaluationViews(photoSize, evaluation, spec.inputSize);
  const mega = ({ width, height }: { width: number; height: number }) => (width * height) / 1e6;
  const { loop, beside } = photoCpu(MEASURED_COSTS, {
    ...{ megabytes: photoSize.bytes / 1e6, megapixels: mega(photoSize), views: views.length },
    planes: planes.map((plane) => ({ megabytes: 3 * mega(plane), megapixels: mega(plane) })),
  });
  const times = {
    gpu: gpuSeconds(spec, views, gpu.name),
    cpu: (loop + beside) / 1000,
    thread: loop / 1000,
  };
  return rateOf(times, { gpus: gpu.count, vcpus: vcpu, processes: workers });
}

// By the GPU's data sheet, batches of crops being full; dense views count by their pixels.
function gpuSeconds(
  spec: NetworkSpec,
  views: readonly { width: number; height: number }[],
  name: string,
): number {
  const pixels = spec.inputSize ** 2;
  const crop = {
    ...{ shapeKey: 'crop', cost: macs(spec, spec.inputSize, spec.inputSize), views: { length: 1 } },
    ...{ pixels, shared: false, limit: BATCH },
  };
  const random = { ...randomAt(0, 'plan'), normal: () => 0 };
  const batchMs = gpuTiming(spec, gpuSheet(name)).batchMs(Array<typeof crop>(BATCH).fill(crop), random);
  const photoPixels = views.reduce((sum, { width, height }) => sum + width * height, 0);
  return (photoPixels / pixels) * (batchMs / BATCH / 1000);
}

function limitOf({ limit }: Rate): string {
  return limit === 'gpu'
    ? 'its GPU limits: by the data sheet, never measured'
    : `its ${PARTS[limit]} limit${limit === 'cpu' ? '' : 's'}`;
}

function partsOf({ parts }: Rate, { vcpu }: InstanceType, workers: number): string {
  const threads = workers === 1 ? `1 ${PARTS.thread}` : `${String(workers)} ${PARTS.thread}s`;
  const rate = (part: keyof PhotoTimes) => `${parts[part].toPrecision(3)}/s`;
  return `${PARTS.gpu} ${rate('gpu')}, ${String(vcpu)} ${PARTS.cpu} ${rate('cpu')}, ${threads} ${rate('thread')}`;
}

function photoOf(text: string): PlanFlags['photoSize'] {
  const [, width = '', height = ''] = /^(\d+)x(\d+)$/.exec(text) ?? [];
  const size = { width: Number(width), height: Number(height) };
  if (!(size.width >= 1 && size.height >= 1 && size.width <= 16_384 && size.height <= 16_384)) {
    throw expected('WIDTHxHEIGHT, each from 1 to 16384 pixels', text, '--photo-size');
  }
  return { ...size, bytes: BYTES_PER_PIXEL * size.width * size.height };
}

// S3 and Step Functions: each photo is read once; a shard is a few pieces, a task a few transitions.
function requestsOf({ shards, tasks, interruptions }: Course, photos: number, { requests }: Prices): number {
  const reads = photos + 6 * shards + 4 * (tasks + interruptions);
  const writes = 3 * shards + tasks + photos / 1000;
  const transitions = 10 + 4 * (tasks + interruptions);
  return (
    (reads * requests.get1000 + writes * requests.put1000 + transitions * requests.transition1000) / 1000
  );
}

function pricesOf(file: string | undefined): Prices {
  if (file === undefined) return PRICES;
  try {
    return readPrices(readFileSync(file, 'utf8'));
  } catch (cause) {
    if (cause instanceof VggError) throw cause;
    throw new VggError('NOT_FOUND', `Expected a readable file but received ${file} (--prices)`, { cause });
  }
}
