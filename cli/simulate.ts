// vgg simulate: what a deployment would do and cost under a load, predicted; nothing is started or asked.

import { InvalidArgumentError, Option, type Command } from 'commander';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { PRICES, readPrices } from '../infra/prices.ts';
import type { Stage } from '../infra/scaling.ts';
import { length, steady, type Curve } from '../loadtest/arrivals/curve.ts';
import { namedCurve, parseTrace } from '../loadtest/arrivals/trace.ts';
import { htmlReport } from '../loadtest/report/html.ts';
import { terminalReport } from '../loadtest/report/terminal.ts';
import { billOf, deployed, MEASURED_COSTS } from '../loadtest/simulate/deployment.ts';
import { GPU_PLANNING, planPhoto } from '../loadtest/simulate/plans.ts';
import { predictedResult, simulate } from '../loadtest/simulate/simulate.ts';
import { readTimingTable, tableTiming, type TimingTable } from '../loadtest/simulate/timings.ts';
import { defaultScales } from '../vgg/pack.ts';
import { NETWORK_NAMES, type NetworkName, type NetworkSpec } from '../vgg/networks.ts';
import { PROTOCOLS, resolveEvaluation, type Protocol } from '../vgg/views.ts';
import { integer } from './options.ts';
import { columns, print } from './terminal.ts';

interface SimulateFlags {
  instance: string;
  spot?: boolean;
  prices?: string;
  timings?: string;
  stage: Stage;
  network: NetworkName;
  protocol: Protocol;
  photo: { width: number; height: number };
  rate: number;
  trace?: string;
  duration: number;
  replicas?: number;
  scaleToZero?: boolean;
  retries: number;
  timeout: number;
  grain: number;
  seed: number;
  json?: boolean;
  report?: string;
}

// Of a photo of the web: bytes of a pixel in a JPEG.
const BYTES_PER_PIXEL = 0.6;

/** Adds the command. */
export function addSimulate(program: Command): void {
  program
    .command('simulate')
    .description(
      'predict what a deployment does and costs under a load; GPUs are estimates unless --timings measured them',
    )
    .option('--instance <type>', 'instance of a task of inference, of the price table', 'g6.xlarge')
    .option('--spot', 'pay the typical spot price, and lose an instance every ten hours')
    .option('--prices <file>', 'JSON with prices that replace the table’s')
    .option(
      '--timings <file>',
      'measured batches instead of an estimate: what bench/batch --json wrote (crops; dense views of 500×375)',
    )
    .option(
      '--stage <stage>',
      'bounds of the numbers of tasks: dev or prod',
      oneOf(['dev', 'prod'] as const),
      'prod',
    )
    .option(
      '--network <name>',
      'network, at full width, of 224 pixels and 1000 classes',
      oneOf(NETWORK_NAMES),
      'D',
    )
    .option('--protocol <name>', 'views of a photo', protocolOf, 'MULTI_CROP')
    .addOption(
      new Option('--photo <size>', 'WIDTHxHEIGHT of photos')
        .argParser(sizeOf)
        .default({ width: 500, height: 375 }, '500x375'),
    )
    .option('--rate <n>', 'photos a second, Poisson', numberOf, 1)
    .option(
      '--trace <file>',
      'rates that change: a file as of loadtest, or day:LOW..HIGH, ramp:LOW..HIGH, burst:LOW..HIGH',
    )
    .option('--duration <seconds>', 'how long it lasts', numberOf, 600)
    .option('--replicas <n>', 'so many tasks of inference, always', (text) =>
      integer(text, '--replicas', 1, 10_000),
    )
    .option('--scale-to-zero', 'no task of inference while nobody asks')
    .option(
      '--retries <n>',
      'times that clients ask again for a photo that was lost, or when they were told to come back',
      (text) => integer(text, '--retries', 0, 9),
      0,
    )
    .option(
      '--timeout <seconds>',
      "clients' time for an answer, all attempts together; an attempt has the gateway's time at most",
      numberOf,
      600,
    )
    .option(
      '--grain <n>',
      'crops simulated as one: quicker, a little coarser',
      (text) => integer(text, '--grain', 1, 64),
      4,
    )
    .option('--seed <n>', 'of all chance', (text) => integer(text, '--seed', 0, 2 ** 31), 1)
    .option('--json', 'the result, as loadtest has it, and the costs')
    .option('--report <file>', 'an HTML page')
    .action(run);
}

async function run(flags: SimulateFlags): Promise<void> {
  const prices = flags.prices === undefined ? PRICES : readPrices(readFileSync(flags.prices, 'utf8'));
  const spec: NetworkSpec = { network: flags.network, width: 1, hidden: 4096, classes: 1000, inputSize: 224 };
  const { width, height } = flags.photo;
  const bytes = width * height * BYTES_PER_PIXEL;
  const evaluation = resolveEvaluation(
    { protocol: flags.protocol },
    { inputSize: spec.inputSize, scales: defaultScales(spec.inputSize) },
  );
  const photo = planPhoto({
    ...{ spec, evaluation, grain: flags.grain, ...GPU_PLANNING },
    photo: { width, height, bytes },
  });
  const { replicas, scaleToZero } = flags;
  const most = deployedBounds(flags.stage, replicas, scaleToZero);
  const curve = curveOf(flags);
  const timings = flags.timings === undefined ? undefined : readTimingTable(flags.timings);
  const simulation = await simulate({
    settings: deployed({
      ...{ prices, instance: flags.instance, stage: flags.stage, spec, costs: MEASURED_COSTS },
      env: process.env,
      scaling: true,
      ...(timings && { engine: tableTiming(timings) }),
      ...(most && { bounds: { inference: most } }),
      ...(flags.spot === true && { interruptionsPerHour: 0.1 }),
    }),
    kinds: [{ what: { protocol: flags.protocol, model: flags.network }, weight: 1 }],
    photos: ['photo'],
    plan: () => photo,
    load: { loop: 'open', spread: 'poisson', curve, trace: flags.trace !== undefined },
    warmUpSeconds: 0,
    clients: { attempts: 1 + flags.retries, deadlineMs: 1000 * flags.timeout },
    seed: flags.seed,
  });
  const bill = billOf(simulation.system, prices, flags.instance, flags.spot);
  const result = predictedResult([simulation], {
    command: ['vgg', ...process.argv.slice(2)].join(' '),
    startedAt: new Date().toISOString(),
    seed: flags.seed,
    photos: { count: 1, smallest: bytes, largest: bytes, total: bytes },
    system: `network ${flags.network} on ${flags.instance}${flags.spot === true ? ' (spot)' : ''}, ${flags.stage}`,
  });
  const { answered } = simulation.step.requests;
  const starts = simulation.system.inference.starts.length;
  const perThousand = answered > 0 ? (1000 * bill.total) / answered : 0;
  if (flags.json === true) {
    print(
      JSON.stringify({
        ...result,
        cost: { ...bill, perThousand, currency: 'USD', prices: prices.date },
        starts,
      }),
    );
  } else {
    for (const line of terminalReport(result, { width: columns(), colour: false })) print(line);
    print(`
Cost          ${bill.total.toFixed(2)} USD: inference ${bill.inference.toFixed(2)}, Fargate ${bill.fargate.toFixed(2)}, network ${bill.network.toFixed(2)}; ${perThousand.toFixed(3)} for 1,000 photos
              prices of ${prices.date}, ${prices.region}: ${prices.source}
Starts        ${String(starts)} of inference tasks
Predicted     by simulation; ${timings ? batchesOf(timings) : 'the GPU is an estimate from its data sheet, never measured'}`);
  }
  if (flags.report !== undefined) await writeFile(flags.report, htmlReport(result));
}

function batchesOf({ model, engine, measured }: TimingTable): string {
  return `batches are those of ${model} by ${engine.library} ${engine.version} (${engine.device}), measured on ${measured}`;
}

function deployedBounds(stage: Stage, replicas: number | undefined, toZero: boolean | undefined) {
  if (replicas !== undefined) return { min: replicas, max: replicas };
  return toZero === true ? { min: 0, max: stage === 'dev' ? 2 : 40 } : undefined;
}

function curveOf({ trace, rate, duration }: SimulateFlags): Curve {
  if (trace === undefined) return steady(rate, duration);
  const curve = namedCurve(trace, duration) ?? parseTrace(readFileSync(trace, 'utf8'), trace);
  if (length(curve) <= 0) throw new InvalidArgumentError('Expected a trace longer than 0 seconds');
  return curve;
}

function protocolOf(text: string): Protocol {
  const name = text.toUpperCase().replaceAll('-', '_');
  const protocol = PROTOCOLS.find((each) => each === name);
  if (protocol) return protocol;
  const names = PROTOCOLS.map((each) => each.toLowerCase().replaceAll('_', '-'));
  throw new InvalidArgumentError(`Expected one of ${names.join(', ')}`);
}

function oneOf<Name extends string>(names: readonly Name[]) {
  return (text: string): Name => {
    const name = names.find((each) => each === text);
    if (name === undefined) throw new InvalidArgumentError(`Expected one of ${names.join(', ')}`);
    return name;
  };
}

function numberOf(text: string): number {
  const value = Number(text);
  if (text === '' || !(value > 0) || !Number.isFinite(value)) {
    throw new InvalidArgumentError('Expected a number above 0');
  }
  return value;
}

function sizeOf(text: string) {
  const [, width, height] = /^(\d{1,5})x(\d{1,5})$/.exec(text) ?? [];
  if (width === undefined) throw new InvalidArgumentError('Expected WIDTHxHEIGHT');
  return { width: Number(width), height: Number(height) };
}
