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
  version: 2;
  /** ISO 8601 day. */
  measured: string;
  machine: { cores: number; model: string; node: string };
  engine: { library: string; version: string; device: string; threads: number };
  model: string;
  /** Cores that the process used while it had a batch. */
  busyCores: number;
  rows: TimingRow[];
}

/** Parts that a row's times are told in: what one batch in two hundred has is still to be seen. */
export const TIMES = 200;

/** Batches of so many units of one key. */
export interface TimingRow {
  shapeKey: string;
  /** Of a unit. */
  views: number;
  units: number;
  meanMs: number;
  /** Of single batches in their order: means of {@link TIMES} equal parts of them. */
  timesMs: number[];
  runs: number;
}

/**
 * An engine that takes as long as was measured: between two sizes on the straight line, with the spread of the nearer
 * one. Times are drawn from those that were measured, not from a law: most batches take much the same time, and a few,
 * into which something else came, several times as long.
 */
export function tableTiming(table: TimingTable): EngineTiming {
  const rows = new Map<string, TimingRow[]>();
  for (const row of table.rows) rows.set(row.shapeKey, [...(rows.get(row.shapeKey) ?? []), row]);
  for (const each of rows.values()) each.sort((a, b) => a.units - b.units);
  return {
    threads: table.engine.device === 'gpu' ? 0 : Math.min(table.engine.threads, table.busyCores),
    batchMs(batch, random) {
      const shapeKey = batch[0]?.shapeKey ?? '';
      const own = rows.get(shapeKey);
      if (!own) throw expected(`a shape of the timing table (${table.model})`, shapeKey, 'shapeKey');
      // One object may stand for several units, see planPhoto.
      const views = batch.reduce((sum, unit) => sum + unit.views.length, 0);
      const { meanMs, like } = at(own, views / (own[0]?.views ?? 1));
      return meanMs * drawn(like, random);
    },
  };
}

/** A factor of mean 1 with a coefficient of variation, log-normal: times are never negative, and their tail is long. */
export function chance(variation: number, random: Random): number {
  if (variation <= 0) return 1;
  const variance = Math.log(1 + variation * variation);
  return Math.exp(Math.sqrt(variance) * random.normal() - variance / 2);
}

// A factor of mean 1.
function drawn({ timesMs, meanMs }: TimingRow, random: Random): number {
  return (timesMs[random.integer(timesMs.length)] ?? meanMs) / meanMs;
}

function at(rows: readonly TimingRow[], units: number): { meanMs: number; like: TimingRow } {
  const next = rows.findIndex((row) => row.units >= units);
  const above = rows[next === -1 ? rows.length - 1 : next];
  const below = rows[(next === -1 ? rows.length - 1 : next) - 1];
  if (!above) throw new VggError('INTERNAL', 'Expected a row of the timing table but there is none');
  if (above.units === units) return { meanMs: above.meanMs, like: above };
  // Beyond what was measured, and below it, time is proportional to the units.
  if (!below || next === -1) {
    return { meanMs: (above.meanMs * units) / above.units, like: above };
  }
  const part = (units - below.units) / (above.units - below.units);
  return {
    meanMs: below.meanMs + part * (above.meanMs - below.meanMs),
    like: part < 0.5 ? below : above,
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
  if (!isTable(table)) throw expected('a timing table of version 2', path, '--timings');
  return table;
}

function isTable(value: unknown): value is TimingTable {
  if (typeof value !== 'object' || value === null) return false;
  const { version, rows } = value as Partial<TimingTable>;
  return (
    version === 2 &&
    Array.isArray(rows) &&
    rows.length > 0 &&
    rows.every(
      (row: Partial<TimingRow> | null) =>
        typeof row?.shapeKey === 'string' &&
        isPositive(row.units) &&
        isPositive(row.views) &&
        isPositive(row.meanMs) &&
        Array.isArray(row.timesMs) &&
        row.timesMs.length > 0 &&
        row.timesMs.every(isPositive),
    )
  );
}

function isPositive(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value < Infinity;
}
