// How long an engine takes for a batch: from a table that was measured (bench/batch.ts), the only figures of CPUs here.
// Knows units by key and number; chance is a parameter.

import { readFileSync } from 'node:fs';
import type { Random } from '../../vgg/random.ts';
import { expected, VggError } from '../../vgg/errors.ts';
import type { PlannedUnit } from './plans.ts';

/** What computes batches, as far as time goes. */
export interface EngineTiming {
  /** CPU threads that it computes with; 0: a device of its own. */
  readonly threads: number;
  /** Milliseconds of a batch of units of one key, where nothing else runs. */
  batchMs(batch: readonly PlannedUnit[], random: Random): number;
}

/** Measured batches of one model on one machine: what `bench/batch --json` writes. */
export interface TimingTable {
  version: 1;
  /** ISO 8601 day. */
  measured: string;
  machine: { cores: number; model: string; node: string };
  engine: { library: string; version: string; device: string; threads: number };
  model: string;
  /** Cores that the process used while it had a batch. */
  busyCores: number;
  rows: TimingRow[];
}

/** Batches of so many units of one key. */
export interface TimingRow {
  shapeKey: string;
  /** Of a unit. */
  views: number;
  units: number;
  meanMs: number;
  /** Standard deviation. */
  deviationMs: number;
  runs: number;
}

/** An engine that takes as long as was measured: between two sizes on the straight line, with the spread of the nearer one. */
export function tableTiming(table: TimingTable): EngineTiming {
  const rows = new Map<string, TimingRow[]>();
  for (const row of table.rows) rows.set(row.shapeKey, [...(rows.get(row.shapeKey) ?? []), row]);
  for (const each of rows.values()) each.sort((a, b) => a.units - b.units);
  return {
    threads: Math.min(table.engine.threads, table.busyCores),
    batchMs(batch, random) {
      const shapeKey = batch[0]?.shapeKey ?? '';
      const own = rows.get(shapeKey);
      if (!own) throw expected(`a shape of the timing table (${table.model})`, shapeKey, 'shapeKey');
      // One object may stand for several units, see planPhoto.
      const views = batch.reduce((sum, unit) => sum + unit.views.length, 0);
      const { meanMs, deviationMs } = at(own, views / (own[0]?.views ?? 1));
      return meanMs * chance(deviationMs / meanMs, random);
    },
  };
}

/** A factor of mean 1 with a coefficient of variation, log-normal: times are never negative, and their tail is long. */
export function chance(variation: number, random: Random): number {
  if (variation <= 0) return 1;
  const variance = Math.log(1 + variation * variation);
  return Math.exp(Math.sqrt(variance) * random.normal() - variance / 2);
}

function at(rows: readonly TimingRow[], units: number): { meanMs: number; deviationMs: number } {
  const next = rows.findIndex((row) => row.units >= units);
  const above = rows[next === -1 ? rows.length - 1 : next];
  const below = rows[(next === -1 ? rows.length - 1 : next) - 1];
  if (!above) throw new VggError('INTERNAL', 'Expected a row of the timing table but there is none');
  if (above.units === units) return above;
  // Beyond what was measured, and below it, time is proportional to the units.
  if (!below || next === -1) {
    const part = units / above.units;
    return { meanMs: above.meanMs * part, deviationMs: above.deviationMs * part };
  }
  const part = (units - below.units) / (above.units - below.units);
  return {
    meanMs: below.meanMs + part * (above.meanMs - below.meanMs),
    deviationMs: part < 0.5 ? below.deviationMs : above.deviationMs,
  };
}

/** @throws VggError INVALID_ARGUMENT if the file is no timing table */
export function readTimingTable(path: string): TimingTable {
  let table: unknown;
  try {
    table = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new VggError('INVALID_ARGUMENT', `Expected JSON of a timing table (${path})`, { cause });
  }
  if (!isTable(table)) throw expected('a timing table of version 1', path, '--timings');
  return table;
}

function isTable(value: unknown): value is TimingTable {
  if (typeof value !== 'object' || value === null) return false;
  const { version, rows } = value as Partial<TimingTable>;
  return (
    version === 1 &&
    Array.isArray(rows) &&
    rows.length > 0 &&
    rows.every(
      (row) =>
        typeof row.shapeKey === 'string' &&
        row.units >= 1 &&
        row.meanMs > 0 &&
        Number.isFinite(row.deviationMs),
    )
  );
}
