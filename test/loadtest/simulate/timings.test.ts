// Batches are drawn from those that were measured.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { partsOf } from '../../../bench/batch/timing.ts';
import type { PlannedUnit } from '../../../loadtest/simulate/plans.ts';
import { readTimingTable, tableTiming, TIMES, type TimingTable } from '../../../loadtest/simulate/timings.ts';
import { randomAt } from '../../../vgg/random.ts';

// 97 of 100 batches take 9 to 11 ms, the others 60.
const MEASURED = Array.from({ length: 1000 }, (_, i) => (i % 100 < 97 ? 9 + (i % 100) / 48 : 60));
const MEAN = MEASURED.reduce((sum, ms) => sum + ms, 0) / MEASURED.length;

const TABLE: TimingTable = {
  version: 2,
  measured: '2026-11-27',
  machine: { cores: 1, model: 'a processor', node: 'v20' },
  engine: { library: 'a library', version: '1', device: 'cpu', threads: 1 },
  model: 'a model',
  busyCores: 1,
  rows: [
    { shapeKey: '64x64', views: 3, units: 1, meanMs: MEAN, timesMs: partsOf(MEASURED), runs: 1000 },
    { shapeKey: '64x64', views: 3, units: 4, meanMs: 40, timesMs: [40], runs: 9 },
  ],
};

function batch(units: number, views = 3): PlannedUnit[] {
  const unit = { shapeKey: '64x64', cost: 1, views: { length: views }, pixels: 1, shared: false, limit: 4 };
  return Array.from({ length: units }, () => unit);
}

describe('times of a table', () => {
  const engine = tableTiming(TABLE);
  const random = randomAt(1, 'times');

  test('come as often as they were measured, and have their mean', () => {
    const drawn = Array.from({ length: 20_000 }, () => engine.batchMs(batch(1), random));
    expect(drawn.filter((ms) => ms === 60).length / drawn.length).toBeCloseTo(0.03, 2);
    expect(drawn.filter((ms) => ms > 8.9 && ms < 11.1).length / drawn.length).toBeCloseTo(0.97, 2);
    expect(drawn.reduce((sum, ms) => sum + ms, 0) / drawn.length / MEAN).toBeCloseTo(1, 1);
  });

  test('of sizes in between lie in between, of larger ones grow with the units', () => {
    expect(engine.batchMs(batch(3), random)).toBeCloseTo(MEAN + (2 / 3) * (40 - MEAN), 6);
    expect(engine.batchMs(batch(8), random)).toBe(80);
  });

  test('are of the units that one object stands for', () => {
    expect(engine.batchMs(batch(1, 12), random)).toBe(40);
  });

  test('take cores of the machine, unless they were a GPU’s', () => {
    expect(engine.threads).toBe(1);
    const gpu = { ...TABLE, engine: { ...TABLE.engine, device: 'gpu', threads: 16 } };
    expect(tableTiming(gpu).threads).toBe(0);
  });

  test('of another shape are not made up', () => {
    const [unit] = batch(1);
    expect(() => engine.batchMs([{ ...(unit as PlannedUnit), shapeKey: '9x9' }], random)).toThrow(
      'Expected a shape of the timing table (a model) but received 9x9',
    );
  });
});

describe('parts of times', () => {
  test.each([1, 7, 199, 200, 1000])('of %i times have their mean, and are in order', (count) => {
    const times = Array.from({ length: count }, (_, i) => 1 + ((i * 7919) % 997));
    const parts = partsOf(times);
    expect(parts).toHaveLength(TIMES);
    expect(parts).toEqual(parts.toSorted((a, b) => a - b));
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(parts)).toBeCloseTo(mean(times), 2);
  });
});

describe('a table’s file', () => {
  test('is read as it was written, and anything else is refused', () => {
    const folder = mkdtempSync(join(tmpdir(), 'vgg-timings-'));
    const path = join(folder, 'timings.json');
    const read = (content: unknown) => {
      writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
      return readTimingTable(path);
    };
    try {
      expect(read(TABLE)).toEqual(TABLE);
      expect(() => read('{')).toThrow('Expected JSON of a timing table');
      const [row] = TABLE.rows;
      for (const other of [
        null,
        [],
        { ...TABLE, version: 1 },
        { ...TABLE, rows: [] },
        { ...TABLE, rows: [null] },
        { ...TABLE, rows: [{ ...row, timesMs: undefined }] },
        { ...TABLE, rows: [{ ...row, timesMs: [-1] }] },
        { ...TABLE, rows: [{ ...row, meanMs: 0 }] },
        { ...TABLE, rows: [{ ...row, units: '1' }] },
      ])
        expect(() => read(other)).toThrow('Expected a timing table of version 2 but received');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
