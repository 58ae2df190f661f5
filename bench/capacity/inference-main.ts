// The inference service as it is, once its engine was timed: the same engine, with the speeds that it measured when it
// loaded the model, plans and serves afterwards. For bench/capacity.
//
//     node dist/bench/capacity/inference-main.js OUT MODELS/NAME WIDTHxHEIGHT PROTOCOL[:SCALES]…

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openModel } from '../../models/store.ts';
import { packageRoot } from '../../proto/package-root.ts';
import { readConfig } from '../../services/inference/config.ts';
import type { Engine, EngineModel, Unit } from '../../services/inference/engine.ts';
import { startEngine } from '../../services/inference/engines.ts';
import { startInference } from '../../services/inference/main.ts';
import { timeBatches } from '../batch/timing.ts';
import { median } from '../median.ts';
import { evaluationOf, plannedBy } from './plans.ts';

const [, , out = '', folder = '', size = '', ...protocols] = process.argv;
const [width = 0, height = 0] = size.split('x').map(Number);
const config = readConfig(process.env);
const engine = await startEngine(config.engine, { sharing: config.sharing });
const model = await engine.load(await openModel(folder));

const plans = protocols.map((text) => {
  const evaluation = evaluationOf(text, model);
  return { text, ...plannedBy(model, { width, height }, evaluation) };
});
const kinds = new Map<string, Unit>();
for (const { units } of plans) for (const unit of units) kinds.set(unit.shapeKey, unit);
const table = await timeBatches(engine, model, [...kinds.values()], { rounds: 20, mostMs: 45_000 });
const sharing = await contended(model, plans.at(-1)?.units[0]);
writeFileSync(
  out,
  JSON.stringify({
    table,
    sharing,
    plans: plans.map(({ text, planes, views }) => ({ protocol: text, planes, views })),
  }),
);
await startInference(config, { engine: ready(engine, model) });

// An engine whose model is loaded.
function ready(loaded: Engine, first: EngineModel): Engine {
  return {
    name: loaded.name,
    facts: () => loaded.facts(),
    health: () => loaded.health(),
    load: () => Promise.resolve(first),
    close: () => loaded.close(),
  };
}

// Paces beside one busy process: of the engine, and of short pieces of work.
async function contended(timed: EngineModel, unit: Unit | undefined) {
  if (!unit) throw new Error('no unit to time');
  const runs = 25;
  const run = async () => {
    const times: number[] = [];
    for (let i = 0; i < runs; i++) {
      const start = performance.now();
      await timed.score([unit]);
      times.push(performance.now() - start);
    }
    return median(times);
  };
  const contender = (how: string) => fork(join(packageRoot, 'dist/bench/capacity/contender.js'), [how]);
  const alone = await run();
  const spinner = contender('spin');
  await new Promise((resolve) => setTimeout(resolve, 300));
  const beside = await run();
  spinner.kill('SIGKILL');
  const bursts = contender('bursts');
  await once(bursts, 'message');
  await new Promise((resolve) => setTimeout(resolve, 1000));
  bursts.send('engine');
  const until = performance.now() + 2500;
  while (performance.now() < until) await timed.score([unit]);
  const told = once(bursts, 'message') as Promise<[{ alone: number; beside: number }]>;
  bursts.send('over');
  const [burst] = await told;
  return { engine: { alone, beside }, burst };
}
