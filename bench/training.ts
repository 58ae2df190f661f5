// Images a second of a training step, against PyTorch with the same network, batch and threads:
//
//     node dist/bench/training.js [--python python3] [--threads 2] [--batch 64] [--steps 8] [--runs 3]
//
// A step is forward, backward and update, batch normalisation, dropout, momentum and L2 included; pixels are
// random and in memory. Runs of both sides alternate, each on a fresh network, the first steps of each not
// counted; PyTorch gets the faster of its two memory layouts. Without a Python that has torch, only this
// side is measured.

import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parseArgs, promisify } from 'node:util';
import { prepareTensorFlowEnvironment } from '../services/host/tensorflow/env.ts';
import { loadTensorFlow, tensorFlowFacts, type TensorFlow } from '../services/host/tensorflow/library.ts';
import { initialise } from '../services/trainer/network/initialisation.ts';
import { TrainingNetwork } from '../services/trainer/network/network.ts';
import { randomAt } from '../services/trainer/random.ts';
import { networkLayers, type NetworkSpec } from '../vgg/index.ts';

const NETS: NetworkSpec[] = [
  { network: 'D', width: 1 / 4, hidden: 512, classes: 100, inputSize: 64, batchNorm: true },
  { network: 'A', width: 1 / 2, hidden: 512, classes: 100, inputSize: 64, batchNorm: true },
];
const WARM_UP = 3;

// argv: threads, batch, steps, warm-up, body (JSON: [[kernel, channels, …] of each block]), size, hidden, classes.
// Prints seconds of the median step in either memory layout.
const PYTORCH = `
import json, sys, time, torch
from torch import nn
threads, batch, steps, warm_up = map(int, sys.argv[1:5])
body, (size, hidden, classes) = json.loads(sys.argv[5]), map(int, sys.argv[6:9])
torch.set_num_threads(threads)
def build():
    layers, channels = [], 3
    for block in body:
        for kernel, outputs in block:
            layers += [nn.Conv2d(channels, outputs, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(True)]
            channels = outputs
        layers.append(nn.MaxPool2d(2))
    side = size // 32
    layers += [nn.Flatten(), nn.Linear(side * side * channels, hidden), nn.ReLU(True), nn.Dropout(), nn.Linear(hidden, hidden), nn.ReLU(True), nn.Dropout(), nn.Linear(hidden, classes)]
    return nn.Sequential(*layers)
seconds = []
for layout in (torch.contiguous_format, torch.channels_last):
    net = build().to(memory_format=layout)
    decays = [p for p in net.parameters() if p.dim() > 1]
    others = [p for p in net.parameters() if p.dim() == 1]
    optimiser = torch.optim.SGD([{"params": decays, "weight_decay": 5e-4}, {"params": others}], 1e-3, momentum=0.9)
    x = (torch.randn(batch, 3, size, size) * 50).to(memory_format=layout)
    y = torch.randint(0, classes, (batch,))
    times = []
    for step in range(warm_up + steps):
        start = time.perf_counter()
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimiser.step()
        loss.item()
        times.append(time.perf_counter() - start)
    seconds.append(sorted(times[warm_up:])[steps // 2])
print(json.dumps({"version": torch.__version__, "seconds": seconds}))
`;
import { median } from './median.ts';

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    threads: { type: 'string', default: String(availableParallelism()) },
    batch: { type: 'string', default: '64' },
    steps: { type: 'string', default: '8' },
    runs: { type: 'string', default: '3' },
  },
});
const [threads, batch, steps, runs] = [values.threads, values.batch, values.steps, values.runs].map(
  Number,
) as [number, number, number, number];
prepareTensorFlowEnvironment({ threads, device: 'cpu' });
const library = await loadTensorFlow();
const facts = tensorFlowFacts(library);
console.log(
  `TensorFlow ${facts.version}, ${facts.device}, ${String(threads)} threads, batch ${String(batch)}`,
);

for (const spec of NETS) {
  const ours: number[] = [];
  const theirs: number[] = [];
  let pytorch = 'PyTorch';
  for (let run = 0; run < runs; run++) {
    ours.push(await stepSeconds(library, spec));
    const their = await pytorchSeconds(spec);
    if (typeof their === 'string') pytorch = their;
    else {
      theirs.push(Math.min(...their.seconds));
      pytorch = `PyTorch ${their.version}`;
    }
  }
  const rate = (seconds: number[]) => batch / median(seconds);
  console.log(
    `\n${spec.network}, width ${String(spec.width)}, ${String(spec.inputSize)}×${String(spec.inputSize)}, batch normalisation: median of ${String(runs)} runs`,
  );
  console.log(`this       ${rate(ours).toFixed(0)} images/s (${(1000 * median(ours)).toFixed(0)} ms a step)`);
  if (theirs.length === 0) console.log(pytorch);
  else {
    const ratio = rate(ours) / rate(theirs);
    console.log(
      `${pytorch.padEnd(10)} ${rate(theirs).toFixed(0)} images/s: ${ratio.toFixed(2)} times as fast as it`,
    );
  }
}

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

async function pytorchSeconds(spec: NetworkSpec): Promise<{ version: string; seconds: number[] } | string> {
  const body: [number, number][][] = [[]];
  for (const layer of networkLayers(spec)) {
    if (layer.kind === 'pool') body.push([]);
    else if (layer.kind === 'conv' && !layer.name.startsWith('fc'))
      body.at(-1)?.push([layer.kernel, layer.outChannels]);
  }
  body.pop();
  const { inputSize, hidden, classes } = spec;
  const numbers = [threads, batch, steps, WARM_UP].map(String);
  const shape = [inputSize, hidden, classes].map(String);
  try {
    const args = ['-c', PYTORCH, ...numbers, JSON.stringify(body), ...shape];
    const { stdout } = await promisify(execFile)(values.python, args);
    return JSON.parse(stdout) as { version: string; seconds: number[] };
  } catch (error) {
    const last = (error as Error).message.trim().split('\n').at(-1) ?? '';
    return `no PyTorch to compare with: ${values.python}: ${last}`;
  }
}
