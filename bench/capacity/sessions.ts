// Sessions of bench/capacity that are kept: read, and shown as a table. Knows the file; judges nothing but how close is
// close enough.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MOST_OTHERS, type Session } from './session.ts';

/** How far a prediction may be off. */
export const TOLERANCE = 0.15;

/** Those of a folder, by time. */
export function readSessions(folder: string): Session[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith('validation-'))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Session)
    .sort((a, b) => (a.measurement.measured < b.measurement.measured ? -1 : 1));
}

/** Markdown. */
export function sessionsTable(sessions: readonly Session[]): string[] {
  return [
    '| session, UTC | protocol | load | photos/s | rounds | answers | p50, ms | p90, ms | p99, ms | answers/s | p99 of a round | before: p50, p90, p99 |',
    '|---|---|---|---|---|---|---|---|---|---|---|---|',
    ...sessions.flatMap(({ measurement, atMost, rows }) => {
      const { answersPerSecond, othersCores } = measurement.atMost;
      const protocol = measurement.protocol.toLowerCase().replaceAll('_', '-');
      return [
        `| ${measurement.measured.slice(0, 16).replace('T', ' ')} | ${protocol} | 16 clients | | ${othersCores > MOST_OTHERS ? '0 of 1' : '1 of 1'} | | | | | ${shown(atMost.meanwhile)} / ${shown(answersPerSecond)} | | ${shown(atMost.before)} answers/s |`,
        ...rows.map(({ part, ratePerSecond, rounds, held, answers, p99, before, meanwhile }) =>
          [
            `| | | ${String(Math.round(100 * part))} %`,
            shown(ratePerSecond),
            `${String(rounds)} of ${String(held)}`,
            answers.toLocaleString('en-US'),
            ...(['p50', 'p90', 'p99', 'throughput'] as const).map(
              (key) => `${shown(meanwhile[key].predicted)} / ${shown(meanwhile[key].measured)}`,
            ),
            `${shown(p99.least)} – ${shown(p99.most)}`,
            `${(['p50', 'p90', 'p99'] as const).map((key) => before[key].ratio.toFixed(2)).join(', ')} |`,
          ].join(' | '),
        ),
      ];
    }),
  ];
}

/** Three digits. */
export function shown(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en-US');
}
