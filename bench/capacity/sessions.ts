// Sessions of bench/capacity that are kept: read, and shown as a table. Knows the file; judges by the rule that a session
// beside which others computed proves nothing.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Comparison } from './comparison.ts';

/** A kept session. */
export interface Session {
  measured: string;
  protocol: string;
  capacity: { measured: number; predicted: number };
  calibration: { table: { rows: { meanMs: number }[] } };
  comparisons: (Omit<Comparison, 'text'> & { othersCores: number })[];
}

/** Cores that others may use beside a measurement. */
export const MOST_OTHERS = 0.1;

/** Those of a folder, by time. */
export function readSessions(folder: string): Session[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith('validation-'))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Session)
    .sort((a, b) => (a.measured < b.measured ? -1 : 1));
}

/** Markdown. */
export function sessionsTable(sessions: readonly Session[]): string[] {
  const pair = ({ predicted, measured }: { predicted: number; measured: number }) =>
    `${shown(predicted)} / ${shown(measured)}`;
  return [
    '| session, UTC | protocol | load | photos/s | p50, ms | p90, ms | p99, ms | answers/s | others’ cores |',
    '|---|---|---|---|---|---|---|---|---|',
    ...sessions.flatMap(({ measured, protocol, capacity, comparisons }) => [
      `| ${measured.slice(11, 16)} | ${protocol} | 16 clients | | | | | ${pair(capacity)} | |`,
      ...comparisons.map(({ part, ratePerSecond, p50, p90, p99, throughput, othersCores }) =>
        [
          `| | | ${String(Math.round(100 * part))} %`,
          ...[shown(ratePerSecond), pair(p50), pair(p90), pair(p99), pair(throughput)],
          `${Math.max(0, othersCores).toFixed(2)}${othersCores > MOST_OTHERS ? ' †' : ''} |`,
        ].join(' | '),
      ),
    ]),
  ];
}

/** Three digits. */
export function shown(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en-US');
}
