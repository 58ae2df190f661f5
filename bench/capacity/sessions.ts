// Sessions of bench/capacity that are kept: read, and shown as a table. Knows the file; judges by the rule that a session
// beside which others computed proves nothing.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Comparison } from './comparison.ts';
import type { Loaded, Session } from './session.ts';

/** Cores that others may use beside a measurement. */
export const MOST_OTHERS = 0.1;

/** How far a prediction may be off. */
export const TOLERANCE = 0.15;

/** Those of a folder, by time. */
export function readSessions(folder: string): Session[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith('validation-'))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Session)
    .sort((a, b) => (a.measurement.measured < b.measurement.measured ? -1 : 1));
}

/** A load, and what was predicted of it. */
export interface Row {
  loaded: Loaded;
  before: Comparison;
  meanwhile: Comparison;
}

/** The open loops of a session. */
export function rowsOf({ measurement, before, meanwhile }: Session): Row[] {
  return measurement.steps.flatMap((loaded, i) => {
    const [first, second] = [before.steps[i], meanwhile.steps[i]];
    return first && second ? [{ loaded, before: first, meanwhile: second }] : [];
  });
}

/** Markdown. */
export function sessionsTable(sessions: readonly Session[]): string[] {
  return [
    '| session, UTC | protocol | load | photos/s | p50, ms | p90, ms | p99, ms | answers/s | before: p50, p90, p99 | others’ cores |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...sessions.flatMap((session) => {
      const { measurement, before, meanwhile } = session;
      const { answersPerSecond, othersCores } = measurement.atMost;
      const protocol = measurement.protocol.toLowerCase().replaceAll('_', '-');
      return [
        `| ${measurement.measured.slice(0, 16).replace('T', ' ')} | ${protocol} | 16 clients | | | | | ${shown(meanwhile.atMost)} / ${shown(answersPerSecond)} | ${shown(before.atMost)} answers/s | ${others(othersCores)} |`,
        ...rowsOf(session).map(({ loaded, before: first, meanwhile: second }) =>
          [
            `| | | ${String(Math.round(100 * loaded.part))} %`,
            shown(loaded.ratePerSecond),
            ...(['p50', 'p90', 'p99', 'throughput'] as const).map(
              (key) => `${shown(second[key].predicted)} / ${shown(second[key].measured)}`,
            ),
            (['p50', 'p90', 'p99'] as const).map((key) => first[key].ratio.toFixed(2)).join(', '),
            `${others(loaded.othersCores)} |`,
          ].join(' | '),
        ),
      ];
    }),
  ];
}

function others(cores: number): string {
  return `${Math.max(0, cores).toFixed(2)}${cores > MOST_OTHERS ? ' †' : ''}`;
}

/** Three digits. */
export function shown(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en-US');
}
