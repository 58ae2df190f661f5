// Images a second of a training step, against PyTorch with the same network, batch and threads:
//
//     node dist/bench/training.js [--python python3] [--threads 2] [--batch 64] [--steps 8] [--runs 3] [--device cpu]
//
// A step is forward, backward and update, batch normalisation, dropout, momentum and L2 included; pixels are
// random and in memory. Runs of both sides alternate, each on a fresh network, the first steps of each not
// counted; PyTorch gets the faster of its two memory layouts. Without a Python that has torch, only this
// side is measured.

import { availableParallelism } from 'node:os';
import { named } from '../cli/options.ts';
import { prepareTensorFlowEnvironment } from '../services/host/tensorflow/env.ts';
import { loadTensorFlow, tensorFlowFacts, type TensorFlow } from '../services/host/tensorflow/library.ts';
import { initialise } from '../services/trainer/network/initialisation.ts';
import { TrainingNetwork } from '../services/trainer/network/network.ts';
import { randomAt } from '../vgg/random.ts';
import { networkLayers, type NetworkSpec } from '../vgg/index.ts';
import { median } from './median.ts';
import { pythonPeer, startPeer, type Peer } from './peers/peer.ts';
import { parseOptions } from './options.ts';

const NETS: NetworkSpec[] = [
  { network: 'D', width: 1 / 4, hidden: 512, classes: 100, inputSize: 64, batchNorm: true },
  { network: 'A', width: 1 / 2, hidden: 512, classes: 100, inputSize: 64, batchNorm: true },
];
const WARM_UP = 3;

const { values } = parseOptions(import.meta.url, {
  options: {
    python: { type: 'string', default: 'python3' },
    threads: { type: 'string', default: String(availableParallelism()) },
    batch: { type: 'string', default: '64' },
    steps: { type: 'string', default: '8' },
    runs: { type: 'string', default: '3' },
    device: { type: 'string', default: 'cpu' },
  },
});
const [threads, batch, steps, runs] = [values.threads, values.batch, values.steps, values.runs].map(
  Number,
) as [number, number, number, number];
const device = named(['cpu', 'gpu'], values.device, '--device');
prepareTensorFlowEnvironment({ threads, device });
const library = await loadTensorFlow();
const facts = tensorFlowFacts(library);
if (facts.device !== device)
  throw new Error(`Expected TensorFlow on the ${device} but it is on the ${facts.device}`);
console.log(
  `TensorFlow ${facts.version}, ${facts.device}, ${String(threads)} threads, batch ${String(batch)}`,
);

const pytorch = await startPeer(pythonPeer(values.python, 'steps_pytorch.py'), threads);

for (const spec of NETS) {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let run = 0; run < runs; run++) {
    ours.push(await stepSeconds(library, spec));
    if (!('missing' in pytorch)) theirs.push(Math.min(...(await pytorchSeconds(pytorch, spec))));
  }
  const rate = (seconds: number[]) => batch / median(seconds);
  console.log(
    `\n${spec.network}, width ${String(spec.width)}, ${String(spec.inputSize)}×${String(spec.inputSize)}, batch normalisation: median of ${String(runs)} runs`,
  );
  console.log(`this       ${rate(ours).toFixed(0)} images/s (${(1000 * median(ours)).toFixed(0)} ms a step)`);
  if ('missing' in pytorch) console.log(`no PyTorch to compare with: ${values.python}: ${pytorch.missing}`);
  else {
    const ratio = rate(ours) / rate(theirs);
    const name = `PyTorch ${pytorch.version}`;
    console.log(
      `${name.padEnd(10)} ${rate(theirs).toFixed(0)} images/s: ${ratio.toFixed(2)} times as fast as it`,
    );
  }
}
if (!('missing' in pytorch)) await pytorch.end();

async function stepSeconds(tf: TensorFlow, spec: NetworkSpec): Promise<number> {
  const recipe = { batch, momentum: 0.9, weightDecay: 5e-4, dropout: 0.5, labelSmoothing: 0, seed: 1 };
  const network = new TrainingNetwork(tf, spec, recipe);
  await initialise(network, { initialisation: 'kaiming', seed: 1 });
  const random = randomAt(1, 'pixels');
  const pixels = new Float32Array(batch * spec.inputSize ** 2 * 3).map(() => 50 * random.normal());
  const classes = Int32Array.from({ length: batch }, () => random.integer(spec.classes));
  const times: number[] = [];
  for (let step = 0; step < WARM_UP + steps; step++) {
    const start = performance.now();
    network.accumulate({ pixels, classes });
    network.apply(1e-3);
    times.push((performance.now() - start) / 1000);
  }
  network.dispose();
  return median(times.slice(WARM_UP));
}

// Of the median step, in either layout of memory.
async function pytorchSeconds(peer: Peer, spec: NetworkSpec): Promise<number[]> {
  const body: [number, number][][] = [[]];
  for (const layer of networkLayers(spec)) {
    if (layer.kind === 'pool') body.push([]);
    else if (layer.kind === 'conv' && !layer.name.startsWith('fc'))
      body.at(-1)?.push([layer.kernel, layer.outChannels]);
  }
  body.pop();
  const { inputSize: size, hidden, classes } = spec;
  const run = { threads, device, batch, count: steps, warm_up: WARM_UP, body, size, hidden, classes };
  const { seconds } = (await peer.ask('steps', run)) as { seconds: number[][] };
  return seconds.map(median);
}
