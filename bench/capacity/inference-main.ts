// The inference service as it is, once its engine was timed: the same engine, with the speeds that it measured when it
// loaded the model, plans and serves afterwards. For bench/capacity.
//
//     node dist/bench/capacity/inference-main.js OUT MODELS/NAME WIDTHxHEIGHT PROTOCOL[:SCALES]…

import { writeFileSync } from 'node:fs';
import { openModel } from '../../models/store.ts';
import { readConfig } from '../../services/inference/config.ts';
import type { Engine, EngineModel } from '../../services/inference/engine.ts';
import { startEngine } from '../../services/inference/engines.ts';
import { startInference } from '../../services/inference/main.ts';
import { timeBatches } from '../batch/timing.ts';
import { evaluationOf, plannedBy, unitsByKind } from './plans.ts';

const [, , out = '', folder = '', size = '', ...protocols] = process.argv;
const [width = 0, height = 0] = size.split('x').map(Number);
const config = readConfig(process.env);
const engine = await startEngine(config.engine, { sharing: config.sharing });
const model = await engine.load(await openModel(folder));

const plans = protocols.map((text) => {
  const evaluation = evaluationOf(text, model);
  return { text, ...plannedBy(model, { width, height }, evaluation) };
});
const kinds = unitsByKind(model, () =>
  protocols.flatMap((text) => plannedBy(model, { width, height }, evaluationOf(text, model)).units),
);
const table = await timeBatches(engine, model, kinds, { rounds: 20, mostMs: 45_000 });
writeFileSync(
  out,
  JSON.stringify({
    table,
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
