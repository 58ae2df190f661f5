// The paper's experiments in small, on any folder of photos with one folder a class:
//
//     node dist/bench/paper.js PHOTOS [--seeds 1,2] [--epochs 24] [--work paper-runs] [--results docs/paper]
//
// Trains every network of bench/paper/trials.ts with the same budget, evaluates them on photos that no training
// saw, holds the paper's claims against the outcome, and writes tables, plots and the numbers behind them to
// --results. Takes hours; interrupted, the same command goes on. With --only-report nothing is trained.

import { basename, resolve } from 'node:path';
import { integer } from '../cli/options.ts';
import { writeResults } from './paper/results.ts';
import { readSeed, runSeed } from './paper/runs.ts';
import { parseOptions } from './options.ts';

const { values, positionals } = parseOptions(import.meta.url, {
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '1' },
    epochs: { type: 'string', default: '24' },
    work: { type: 'string', default: 'paper-runs' },
    results: { type: 'string', default: 'docs/paper' },
    'only-report': { type: 'boolean', default: false },
  },
});
const [photos] = positionals;
if (photos === undefined) {
  console.error('Expected a folder of photos: node dist/bench/paper.js PHOTOS');
  process.exit(2);
}
const epochs = integer(values.epochs, '--epochs', 1, 1e6);
const runs = values.seeds.split(',').map((text) => ({ epochs, seed: integer(text, '--seeds', 0, 2 ** 31) }));
const work = resolve(values.work);
for (const run of values['only-report'] ? [] : runs) await runSeed(resolve(photos), work, run);
const results = await Promise.all(runs.map((run) => readSeed(work, run)));
await writeResults(results, { dataset: basename(resolve(photos)), epochs }, resolve(values.results));
console.error(`Tables, plots and numbers are in ${values.results}`);
