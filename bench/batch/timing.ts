// Batches of an engine, timed: a table of units in a batch against milliseconds, which loadtest/simulate reads.
// Knows engines and units; not where units come from.

import { availableParallelism, cpus } from 'node:os';
import type { TimingRow, TimingTable } from '../../loadtest/simulate/timings.ts';
import type { Engine, EngineModel, Unit } from '../../services/inference/engine.ts';

/** How long to time. */
export interface TimingOptions {
  /** Rounds at most; each times every size once. */
  rounds: number;
  /** No round begins after so many milliseconds. */
  mostMs: number;
}

/** Times batches of units like each of `kinds`, in all sizes that the batcher may form. */
export async function timeBatches(
  engine: Engine,
  model: EngineModel,
  kinds: readonly Unit[],
  { rounds, mostMs }: TimingOptions,
): Promise<TimingTable> {
  const cells = kinds.flatMap((unit) =>
    sizesUpTo(model.batchLimit(unit)).map((units) => ({ unit, units, times: [] as number[] })),
  );
  let cpuMs = 0;
  let wallMs = 0;
  const began = performance.now();
  // Sizes take turns, so that a busy moment of the machine falls on all of them. The first round warms up.
  for (let round = 0; round <= rounds && (round < 3 || performance.now() - began < mostMs); round++) {
    for (const { unit, units, times } of cells) {
      const batch = Array.from({ length: units }, () => unit);
      const cpu = process.cpuUsage();
      const start = performance.now();
      await model.score(batch);
      const ms = performance.now() - start;
      const { user, system } = process.cpuUsage(cpu);
      if (round === 0) continue;
      times.push(ms);
      cpuMs += (user + system) / 1000;
      wallMs += ms;
    }
  }
  const { library, version, device, threads } = engine.facts();
  return {
    version: 1,
    measured: new Date().toISOString().slice(0, 10),
    machine: {
      cores: availableParallelism(),
      model: cpus()[0]?.model ?? 'unknown',
      node: process.version,
    },
    engine: { library, version, device, threads },
    model: model.model.name,
    busyCores: cpuMs / wallMs,
    rows: cells.map(({ unit, units, times }): TimingRow => {
      const meanMs = times.reduce((sum, time) => sum + time, 0) / times.length;
      const squares = times.reduce((sum, time) => sum + (time - meanMs) ** 2, 0);
      return {
        shapeKey: unit.shapeKey,
        views: unit.views.length,
        units,
        meanMs,
        deviationMs: Math.sqrt(squares / Math.max(1, times.length - 1)),
        runs: times.length,
      };
    }),
  };
}

function sizesUpTo(limit: number): number[] {
  const sizes = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64].filter((size) => size < limit);
  return [...sizes, limit];
}
