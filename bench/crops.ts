// The views of a photo, every one by itself against what they share computed once, against other libraries with the
// same weights and the same crops: times and ratios for the paper's D and E and the default model.
//
//     node dist/bench/crops.js [--python python3] [--peers onnxruntime,openvino,ncnn,mnn,pytorch]
//         [--networks D,E,default] [--planes 256,384,512] [--protocols multi-crop,dense] [--repeats 5] [--threads N]
//         [--engine onnx] [--device cpu] [--sharing measured]
//         [--json FILE] [--svg FILE] [--report docs/performance.md [--only-report]]
//     node dist/bench/crops.js --sweep …      the same network on many planes: is any slower than by itself?
//
// Sides take turns in one run. Peers are Python packages (bench/peers/requirements.txt); each is a process of its own
// that gets finished float32 crops, chooses the quickest of the few ways that it has, scores 16 crops in its turn, and
// must give the same posteriors. What is missing is left out. --planes are of networks with inputs of 224; the default
// model has its own. --report keeps the numbers beside the page, and writes its tables and its plot from them.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { integer, kebab, named } from '../cli/options.ts';
import { DEVICES, ENGINE_CHOICES, SHARING_CHOICES, startEngine } from '../services/inference/engines.ts';
import { NETWORK_NAMES } from '../vgg/networks.ts';
import { commandOf, load, machineOf } from './crops/machine.ts';
import { measureNetwork, type Absent } from './crops/measure.ts';
import { DEFAULT, subjectOf } from './crops/networks.ts';
import { cropsBlocks, filled, installLine, sweepBlocks } from './crops/page.ts';
import { PEERS, type PeerName } from './crops/peers.ts';
import { cropsSvg } from './crops/plot.ts';
import type { CropsResults } from './crops/results.ts';
import { sweepNetwork, type SweepResults } from './crops/sweep.ts';
import {
  asText,
  machineLines,
  productsTable,
  summaryLines,
  sweepLine,
  sweepTable,
  timesTable,
} from './crops/tables.ts';
import { parseOptions } from './options.ts';

const { values } = parseOptions(import.meta.url, {
  options: {
    python: { type: 'string', default: 'python3' },
    peers: { type: 'string', default: Object.keys(PEERS).join(',') },
    networks: { type: 'string', default: `D,E,${DEFAULT}` },
    planes: { type: 'string', default: '256,384,512' },
    protocols: { type: 'string', default: 'multi-crop,dense' },
    repeats: { type: 'string', default: '5' },
    threads: { type: 'string', default: String(availableParallelism()) },
    engine: { type: 'string', default: 'onnx' },
    device: { type: 'string', default: 'cpu' },
    sharing: { type: 'string', default: 'measured' },
    json: { type: 'string' },
    svg: { type: 'string' },
    report: { type: 'string' },
    'only-report': { type: 'boolean', default: false },
    sweep: { type: 'boolean', default: false },
  },
});
const list = (text: string) => text.split(',').filter((item) => item !== '');
const repeats = integer(values.repeats, '--repeats', 1, 1000);
const threads = integer(values.threads, '--threads', 1, 1024);
const networks = list(values.networks).map((name) =>
  named([...NETWORK_NAMES, DEFAULT] as const, name, '--networks'),
);
const planes = list(values.planes).map((text) => integer(text, '--planes', 224, 4096));
const protocols = list(values.protocols).map(
  (text) =>
    (({ 'multi-crop': 'MULTI_CROP', dense: 'DENSE' }) as const)[
      named(['multi-crop', 'dense'], text, '--protocols')
    ],
);
const peers = list(values.peers).map((name) => named(Object.keys(PEERS) as PeerName[], name, '--peers'));
const engineChoice = named(ENGINE_CHOICES, values.engine, '--engine');
const wishes = {
  threads,
  device: named(DEVICES, values.device, '--device'),
  sharing: named(SHARING_CHOICES, values.sharing, '--sharing'),
};
// Numbers and plots of a page lie in a folder of its name.
const beside = values.report?.replace(/\.md$/, '');
const kept =
  values.json ??
  (beside === undefined ? undefined : join(beside, values.sweep ? 'sweep.json' : 'crops.json'));
const plot = values.svg ?? (beside === undefined ? undefined : join(beside, 'crops.svg'));
const onStep = (step: string) => {
  console.error(step);
};

if (values.sweep) await sweep();
else await crops();

async function crops(): Promise<void> {
  const results = values['only-report'] ? (read() as CropsResults) : await measureAll();
  if (!values['only-report']) {
    write(kept, jsonOf(results));
    show(results);
  }
  write(plot, cropsSvg(results));
  if (values.report !== undefined)
    write(values.report, filled(readFileSync(values.report, 'utf8'), cropsBlocks(results)));
}

async function measureAll(): Promise<CropsResults> {
  const before = load();
  const engine = await startEngine(engineChoice, wishes);
  const absent: Absent = new Map();
  const results: CropsResults['networks'] = [];
  const measurement = { protocols, repeats, threads, python: values.python, peers, onStep };
  for (const name of networks)
    results.push(await measureNetwork(engine, await subjectOf(name, planes), measurement, absent));
  const facts = engine.facts();
  await engine.close();
  return {
    command: commandOf('crops.js', process.argv.slice(2)),
    machine: machineOf(facts, before),
    repeats,
    absent: [...absent].map(([name, reason]) => ({ name, reason })),
    networks: results,
  };
}

function show(results: CropsResults): void {
  console.log(machineLines(results).join('\n'));
  for (const network of results.networks) {
    for (const protocol of protocols) {
      console.log(
        `\n${network.name} (weights: ${network.weights}), ${kebab(protocol)}, offsets by ${String(network.align)}`,
      );
      console.log(`${asText(timesTable(network, protocol))}\n`);
      console.log(`products, billions\n${asText(productsTable(network, protocol))}`);
    }
  }
  console.log(`\n${summaryLines(results).join('\n')}`);
  for (const { name, reason } of results.absent) console.log(`left out: ${name}: ${reason}`);
  const install = installLine(values.python, results.absent);
  if (install !== undefined) console.log(install);
}

async function sweep(): Promise<void> {
  const results = values['only-report'] ? (read() as SweepResults) : await sweepAll();
  if (!values['only-report']) {
    write(kept, jsonOf(results));
    console.log(machineLines(results).join('\n'));
    for (const network of results.networks)
      console.log(`\n${sweepLine(network)}\n${asText(sweepTable(network))}`);
  }
  if (values.report !== undefined)
    write(values.report, filled(readFileSync(values.report, 'utf8'), sweepBlocks(results)));
}

async function sweepAll(): Promise<SweepResults> {
  const before = load();
  const engine = await startEngine(engineChoice, wishes);
  const results: SweepResults['networks'] = [];
  for (const name of networks)
    results.push(await sweepNetwork(engine, await subjectOf(name, planes), repeats, onStep));
  const facts = engine.facts();
  await engine.close();
  const command = commandOf('crops.js', process.argv.slice(2));
  return { command, machine: machineOf(facts, before), repeats, networks: results };
}

function read(): unknown {
  if (kept === undefined || !existsSync(kept)) throw new Error(`Expected numbers in ${kept ?? '--json'}`);
  return JSON.parse(readFileSync(kept, 'utf8'));
}

// A list of times is one line.
function jsonOf(results: CropsResults | SweepResults): string {
  const text = JSON.stringify(results, undefined, 1);
  return text.replace(/\[[\d\s.,]+\]/g, (times) => times.replace(/\s+/g, '').replaceAll(',', ', '));
}

function write(file: string | undefined, text: string): void {
  if (file === undefined) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text.endsWith('\n') ? text : `${text}\n`);
}
