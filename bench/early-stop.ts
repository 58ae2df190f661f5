// What it saves to stop as soon as the first class is known, on photos of a folder with one folder a class:
//
//     node dist/bench/early-stop.js PHOTOS [--photos 200] [--protocols multi-crop,dense] [--model NAME] [--models DIR]
//         [--ground-truth FILE] [--seed 1] [--share auto]
//
// Each photo is asked about twice through all services, in this process: for the whole answer and for one that stops,
// in turns. The first class must be the same. The engine's time is that of all its batches, those in vain too.
// Photos that a model has learnt from are surer than others: FILE says which to draw from, as vgg evaluate reads it.

import { join } from 'node:path';
import { drawn, readDataset } from '../cli/evaluate/dataset.ts';
import { kebab } from '../cli/options.ts';
import { startStack } from '../cli/stack.ts';
import { bar } from '../cli/terminal.ts';
import { packageRoot } from '../proto/package-root.ts';
import { PROTOCOLS, createClient, type Answer, type Protocol, type Stop } from '../sdk/index.ts';
import { BATCH_DURATION, VIEWS } from '../services/inference/metrics.ts';
import { median } from './median.ts';
import { parseOptions } from './options.ts';

/** One answer, and what it took. */
interface Asked {
  answer: Answer;
  /** Views that the engine computed. */
  computed: number;
  engineMs: number;
  /** Of the whole process. */
  processorMs: number;
}

const SMALL = join(packageRoot, 'test/golden/photo.png');

type Pair = Record<Stop, Asked>;

const { values, positionals } = parseOptions(import.meta.url, {
  options: {
    photos: { type: 'string', default: '200' },
    protocols: { type: 'string', default: 'multi-crop,dense' },
    model: { type: 'string', default: 'caltech-101-d' },
    models: { type: 'string', default: join(packageRoot, 'models') },
    'ground-truth': { type: 'string' },
    seed: { type: 'string', default: '1' },
    share: { type: 'string', default: 'auto' },
  },
  allowPositionals: true,
});
const [folder] = positionals;
if (folder === undefined) throw new Error('PHOTOS, a folder with one folder a class, is missing');
const share = values.share === 'off' ? 'OFF' : 'AUTO';
const dataset = await readDataset(folder, values['ground-truth']);
const photos = drawn(dataset.photos, Number(values.seed), { limit: Number(values.photos) });
const stack = await startStack({ models: values.models, load: [values.model], logLevel: 'silent' });
const client = createClient({ aggregator: stack.aggregator.address, deadlineMs: 600_000 });
try {
  for (const name of values.protocols.split(',')) {
    const protocol = PROTOCOLS.find((each) => kebab(each) === name);
    if (!protocol) throw new Error(`no protocol is called ${name}`);
    await measure(protocol);
  }
} finally {
  client.close();
  await stack.close();
}

async function measure(protocol: Protocol): Promise<void> {
  const pairs: Pair[] = [];
  const cancelled = await calls('CANCELLED');
  // The first photo warms everything up.
  for (const [i, { file }] of [...photos.slice(0, 1), ...photos].entries()) {
    const order: Stop[] = i % 2 === 0 ? ['NONE', 'EXACT'] : ['EXACT', 'NONE'];
    const pair: Partial<Pair> = {};
    for (const stop of order) pair[stop] = await ask(file, protocol, stop);
    if (i > 0) pairs.push(pair as Pair);
  }
  report(protocol, pairs, (await calls('CANCELLED')) - cancelled);
}

async function ask(file: string, protocol: Protocol, stop: Stop): Promise<Asked> {
  const [views, seconds] = [await metric(VIEWS), await metric(`${BATCH_DURATION}_sum`)];
  const before = process.cpuUsage();
  const answer = await client.classify(file, { protocol, stop, share, models: values.model, top: 1 });
  // A batch in vain may still be computed: behind it wait a few views more, which do not count.
  const behind = await client.classify(SMALL, { protocol: 'CENTER_CROP', models: values.model });
  const { user, system } = process.cpuUsage(before);
  return {
    answer,
    processorMs: (user + system) / 1000,
    computed: (await metric(VIEWS)) - views - behind.views,
    engineMs: 1000 * ((await metric(`${BATCH_DURATION}_sum`)) - seconds) - behind.timing.computeMs,
  };
}

function report(protocol: Protocol, pairs: readonly Pair[], cancelled: number): void {
  const total = pairs[0]?.EXACT.answer.viewsTotal ?? NaN;
  const first = ({ answer }: Asked) => answer.predictions[0]?.label;
  const wrong = pairs.filter(({ NONE, EXACT }) => first(NONE) !== first(EXACT)).length;
  const early = pairs.filter(({ EXACT }) => EXACT.answer.views < total).length;
  const ratio = (pick: (asked: Asked) => number) => ({
    each: pairs.map(({ NONE, EXACT }) => pick(EXACT) / pick(NONE)),
    all: sum(pairs.map(({ EXACT }) => pick(EXACT))) / sum(pairs.map(({ NONE }) => pick(NONE))),
  });
  const taken = ratio(({ answer }) => answer.views);
  console.log(
    [
      `\n${values.model}, ${kebab(protocol)}: ${String(pairs.length)} photos, ${String(wrong)} with another first class; ${String(early)} known early`,
      'of what the whole answer takes  in all   p10   p25   p50   p75   p90   max',
      line('views taken', taken),
      line(
        'views computed',
        ratio(({ computed }) => computed),
      ),
      line(
        'processor time',
        ratio(({ processorMs }) => processorMs),
      ),
      line(
        'engine time',
        ratio(({ engineMs }) => engineMs),
      ),
      line(
        'time to the answer',
        ratio(({ answer }) => answer.timing.totalMs),
      ),
      `the whole answer: ${String(total)} views in ${median(pairs.map(({ NONE }) => NONE.answer.timing.totalMs)).toFixed(0)} ms; calls cancelled for those known early: ${String(cancelled)}`,
      ...histogram(taken.each),
    ].join('\n'),
  );
  if (wrong > 0) process.exitCode = 1;
}

function line(what: string, { all, each }: { all: number; each: readonly number[] }): string {
  const sorted = [...each].sort((a, b) => a - b);
  const at = [0.1, 0.25, 0.5, 0.75, 0.9, 1].map(
    (part) => sorted[Math.round(part * (sorted.length - 1))] ?? NaN,
  );
  return `${what.padEnd(32)}${[all, ...at].map((value) => value.toFixed(2).padStart(6)).join('')}`;
}

// Photos by the part of their views that was taken: nothing is known before half of the weight is there.
function histogram(parts: readonly number[]): string[] {
  const steps = 20;
  const counts = Array.from({ length: steps + 1 }, () => 0);
  for (const part of parts) {
    const step = Math.min(steps, Math.floor(part * steps + 1e-9));
    counts[step] = (counts[step] ?? 0) + 1;
  }
  const most = Math.max(...counts);
  return counts.flatMap((count, step) =>
    count === 0
      ? []
      : [
          `  ${(step < steps ? `${String(step * 5)}–${String(step * 5 + 5)} %` : 'all').padStart(9)}  ${bar(count / most, 30)}  ${String(count)}`,
        ],
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, each) => all + each, 0);
}

function calls(code: string): Promise<number> {
  return metric('vgg_rpc_requests_total', `code="${code}"`);
}

// The sum of a metric's samples, of a part of their labels, over the services behind the aggregator.
async function metric(name: string, labels = ''): Promise<number> {
  let all = 0;
  for (const { registry } of [stack.preprocess, stack.inference]) {
    for (const text of (await registry.metrics()).split('\n')) {
      const [, sample, own = '', value] = /^(\w+)(\{.*\})? (\S+)/.exec(text) ?? [];
      if (sample === name && own.includes(labels)) all += Number(value);
    }
  }
  return all;
}
