// Batches of an engine, timed: a table of units in a batch against milliseconds, which loadtest/simulate reads.
// Knows engines and units; not where units come from.

import { availableParallelism, cpus } from 'node:os';
import { TIMES, type TimingRow, type TimingTable } from '../../loadtest/simulate/timings.ts';
import { machineTimes } from '../capacity/threads.ts';
import { mean } from '../median.ts';
import type { Engine, EngineModel, Unit } from '../../services/inference/engine.ts';

/** How long to time. */
export interface TimingOptions {
  /** Rounds at most; each times every size once. */
  rounds: number;
  /** No round begins after so many milliseconds. */
  mostMs: number;
}

// Of a timing.
const LEAST_MS = 60;
// A batch beside which others used more than so many cores is not the engine's time.
const MOST_FOREIGN = 0.15;

/**
 * Times batches of units of each kind, in all sizes that the batcher may form.
 *
 * @param kinds units that are alike, as many as the largest batch; each from a plane of its own, as an engine computes
 *   what units of one plane share only once
 */
export async function timeBatches(
  engine: Engine,
  model: EngineModel,
  kinds: readonly (readonly Unit[])[],
  { rounds, mostMs }: TimingOptions,
): Promise<TimingTable> {
  const cells = kinds.flatMap((batch) => {
    const [unit] = batch;
    if (!unit || batch.length < model.batchLimit(unit))
      throw new Error('Expected units for the largest batch');
    return sizesUpTo(model.batchLimit(unit)).map((units) => ({
      unit,
      batch: batch.slice(0, units),
      times: [] as number[],
      all: [] as number[],
    }));
  });
  let cpuMs = 0;
  let wallMs = 0;
  const began = performance.now();
  // Sizes take turns, so that a busy moment of the machine falls on all of them. The first round warms up.
  for (let round = 0; round <= rounds && (round < 3 || performance.now() - began < mostMs); round++) {
    for (const { batch, times, all } of cells) {
      const cpu = process.cpuUsage();
      const before = machineTimes();
      const start = performance.now();
      // Hundredths of a second are what the machine counts in: short batches are timed several at a time.
      const group: number[] = [];
      let ms = 0;
      while (ms < LEAST_MS) {
        await model.score(batch);
        const since = performance.now() - start;
        group.push(since - ms);
        ms = since;
      }
      const { user, system } = process.cpuUsage(cpu);
      const after = machineTimes();
      const own = (user + system) / 1000;
      const foreign = (after.used + after.stolen - before.used - before.stolen - own) / ms;
      if (round === 0) continue;
      all.push(...group);
      if (foreign > MOST_FOREIGN) continue;
      times.push(...group);
      cpuMs += own;
      wallMs += ms;
    }
  }
  // Without one undisturbed run the quickest one is the nearest to it.
  for (const { times, all } of cells) if (times.length === 0) times.push(Math.min(...all));
  const { library, version, device, threads } = engine.facts();
  return {
    version: 2,
    measured: new Date().toISOString().slice(0, 10),
    machine: {
      cores: availableParallelism(),
      model: cpus()[0]?.model ?? 'unknown',
      node: process.version,
    },
    engine: { library, version, device, threads },
    model: model.model.name,
    busyCores: wallMs > 0 ? cpuMs / wallMs : threads,
    rows: cells.map(({ unit, batch, times }): TimingRow => ({
      shapeKey: unit.shapeKey,
      views: unit.views.length,
      units: batch.length,
      meanMs: mean(times),
      timesMs: partsOf(times),
      runs: times.length,
    })),
  };
}

/** Means of {@link TIMES} equal parts of the times in their order: their mean is that of the times. */
export function partsOf(times: readonly number[]): number[] {
  const sorted = [...times].sort((a, b) => a - b);
  const each = sorted.length / TIMES;
  return Array.from({ length: TIMES }, (_, part) => {
    let sum = 0;
    for (let i = Math.floor(part * each); i < Math.min(sorted.length, (part + 1) * each); i++)
      sum += (sorted[i] ?? 0) * (Math.min(i + 1, (part + 1) * each) - Math.max(i, part * each));
    return Number((sum / each).toFixed(3));
  });
}

function sizesUpTo(limit: number): number[] {
  const sizes = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64].filter((size) => size < limit);
  return [...sizes, limit];
}
