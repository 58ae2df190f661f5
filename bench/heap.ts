// What options of Node.js's heap do to the services, side by side under the same load:
//
//     node dist/bench/heap.js [--rate 20] [--seconds 20] [--rounds 5] [--service preprocess,aggregator,inference]
//         [--side '--initial-old-space-size=256' --side …]
//
// Each side is a set of services of its own, started with its options; the first has none. They are loaded in turns,
// by the same arrivals: an open loop of Poisson arrivals, center crops of the default model.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { steady } from '../loadtest/arrivals/curve.ts';
import { steadyClock } from '../loadtest/clock.ts';
import { runStep } from '../loadtest/step.ts';
import { grpcTarget } from '../loadtest/targets/grpc.ts';
import { packageRoot } from '../proto/package-root.ts';
import { photoOf } from './capacity/calibration.ts';
import { threadTimes } from './capacity/threads.ts';
import { median } from './median.ts';
import { startService, type ServiceName, type ServiceProcess } from './services.ts';
import { parseOptions } from './options.ts';

const { values } = parseOptions(import.meta.url, {
  options: {
    rate: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '5' },
    service: { type: 'string', default: 'preprocess,aggregator,inference' },
    side: { type: 'string', multiple: true, default: ['--initial-old-space-size=256'] },
  },
});
const NAMES = ['preprocess', 'inference', 'aggregator'] as const;
const FIGURES = {
  'p50, ms': 1,
  'p90, ms': 1,
  'p99, ms': 1,
  'CPU of preprocess, ms a photo': 2,
  'CPU of the aggregator, ms a photo': 2,
  'collections of preprocess, ms a photo': 2,
  'collections of the aggregator, ms a photo': 2,
  'resident in preprocess, MiB': 0,
  'resident in the aggregator, MiB': 0,
} as const;
type Figures = Record<keyof typeof FIGURES, number>;
type Services = Record<(typeof NAMES)[number], ServiceProcess>;

const photo = { name: 'photo', bytes: await photoOf(500, 375) };
const changed = values.service.split(',');
const sides: { name: string; services: Services; rounds: Figures[] }[] = [];
try {
  for (const options of ['', ...values.side])
    sides.push({ name: options, services: await startAll(options.split(' ').filter(Boolean)), rounds: [] });
  for (const { services } of sides) await loaded(services, 0, 15);
  for (let round = 0; round < Number(values.rounds); round++) {
    // Nobody is always first.
    for (const side of round % 2 === 0 ? sides : sides.toReversed())
      side.rounds.push(await loaded(side.services, 1 + round, Number(values.seconds)));
  }
  for (const { name, rounds } of sides) {
    console.log(name || 'no options');
    for (const [figure, digits] of Object.entries(FIGURES)) {
      const middle = (of: readonly Figures[]) => median(of.map((each) => each[figure as keyof Figures]));
      const ratio = middle(rounds) / middle(sides[0]?.rounds ?? []);
      console.log(
        `  ${figure.padEnd(42)} ${middle(rounds).toFixed(digits).padStart(7)}${name && `   ratio ${ratio.toFixed(2)}`}`,
      );
    }
  }
} finally {
  for (const { services } of sides) for (const name of NAMES) await services[name].stop();
}

async function startAll(nodeOptions: readonly string[]): Promise<Services> {
  const start = (name: ServiceName, env: Record<string, string>) =>
    startService(name, env, changed.includes(name) ? { nodeOptions } : {});
  const preprocess = await start('preprocess', {});
  const inference = await start('inference', {
    VGG_MODELS: join(packageRoot, 'models'),
    VGG_INFERENCE_LOAD: 'caltech-101-d',
  });
  const aggregator = await start('aggregator', {
    VGG_AGGREGATOR_PREPROCESS: preprocess.address,
    VGG_AGGREGATOR_INFERENCE: inference.address,
  });
  return { preprocess, inference, aggregator };
}

async function loaded(services: Services, seed: number, seconds: number): Promise<Figures> {
  const { preprocess, aggregator } = services;
  const target = grpcTarget({
    ...{ address: aggregator.address, deadlineMs: 60_000, attempts: 1 },
    clock: steadyClock,
  });
  const of = async (service: ServiceProcess) => {
    const { main, others } = threadTimes(service.pid);
    return { cpu: main + others, collected: 1000 * (await service.metric('nodejs_gc_duration_seconds_sum')) };
  };
  const read = async () => ({ preprocess: await of(preprocess), aggregator: await of(aggregator) });
  let photos = 0;
  const before = await read();
  const { latency } = await runStep({
    load: { loop: 'open', spread: 'poisson', curve: steady(Number(values.rate), seconds) },
    warmUpSeconds: 2,
    workload: { kinds: [{ what: { protocol: 'CENTER_CROP', model: '' }, weight: 1 }], photos: [photo] },
    target,
    seed,
    onOutcome: () => photos++,
  });
  const after = await read();
  await target.close();
  const each = (name: 'preprocess' | 'aggregator', key: 'cpu' | 'collected') =>
    (after[name][key] - before[name][key]) / photos;
  return {
    'p50, ms': latency.p50,
    'p90, ms': latency.p90,
    'p99, ms': latency.p99,
    'CPU of preprocess, ms a photo': each('preprocess', 'cpu'),
    'CPU of the aggregator, ms a photo': each('aggregator', 'cpu'),
    'collections of preprocess, ms a photo': each('preprocess', 'collected'),
    'collections of the aggregator, ms a photo': each('aggregator', 'collected'),
    'resident in preprocess, MiB': resident(preprocess.pid),
    'resident in the aggregator, MiB': resident(aggregator.pid),
  };
}

function resident(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8')) ?? [];
  return Number(kibibytes) / 1024;
}
