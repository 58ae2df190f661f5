// The reports in text: a table that fits its terminal, and a CSV that other programs read.

import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CSV_COLUMNS, csvReport } from '../../../loadtest/report/csv.ts';
import { amount, ms, percent } from '../../../loadtest/report/figures.ts';
import { terminalReport } from '../../../loadtest/report/terminal.ts';
import type { LoadTestResult } from '../../../loadtest/result.ts';
import { everyResult, hostile } from './results.ts';

const results = Object.entries(everyResult());

describe('at a terminal', () => {
  test.each(results)('%s: every step has its line of figures', (_, result) => {
    const lines = terminalReport(result, { width: 100, colour: false });
    const first = lines.findIndex((line) => /^ +load .*p99/.test(line));
    for (const [i, { answersPerSecond, latency, requests }] of result.steps.entries()) {
      const figures = [latency.p50, latency.p90, latency.p99, latency.p999, latency.max];
      const shown = lines[first + 1 + i]?.trim().split(/ {2,}/).slice(1, 9);
      expect(shown).toEqual([
        ...[requests.sent.toLocaleString('en-US'), amount(answersPerSecond)],
        percent(requests.failed / requests.sent).replace(' %', ''),
        ...figures.map((value) => (latency.count > 0 ? ms(value) : '-')),
      ]);
    }
  });

  test('a search ends with its verdict', () => {
    const { search, failing } = everyResult();
    const last = (result?: LoadTestResult) =>
      result && terminalReport(result, { width: 100, colour: false }).at(-1);
    expect(last(search)).toBe('VALID: 30/s keeps p99 ≤ 250 ms, 35/s does not. Found in 5 steps.');
    expect(last(failing)).toBe(
      'INVALID: the largest rate that keeps p99 ≤ 250 ms was not found. Every request failed.',
    );
  });

  test('what makes figures worthless is said, and of which loads', () => {
    const text = terminalReport(everyResult()['search'] as LoadTestResult, {
      width: 100,
      colour: false,
    }).join('\n');
    expect(text).toMatch(/40\/s Poisson, 35\/s Poisson: The generator could not keep up/);
    expect(text).toMatch(/^ {2}40\/s Poisson .* generator!$/m);
    expect(text).not.toMatch(/^ {2}30\/s Poisson .* generator!$/m);
  });

  test.each([80, 100, 140])('lines fit %d columns, whatever others say', (width) => {
    for (const [, result] of results) {
      fc.assert(
        fc.property(fc.string({ unit: 'grapheme-ascii', maxLength: 300 }), (text) => {
          for (const line of terminalReport(hostile(result, text), { width, colour: false })) {
            expect(line.length).toBeLessThanOrEqual(width);
          }
        }),
        { numRuns: 20 },
      );
    }
  });

  test('others cannot move the cursor, and colours are only where they are wanted', () => {
    const text = 'a\x1b[2J\x07\r\nb\u202e\u2028c';
    for (const [, result] of results) {
      const plain = terminalReport(hostile(result, text), { width: 100, colour: false });
      const coloured = terminalReport(hostile(result, text), { width: 100, colour: true });
      expect(plain.join('')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      // eslint-disable-next-line no-control-regex -- these are what is looked for
      const codes = /\x1b\[[\d;]+m/g;
      expect(coloured.map((line) => line.replace(codes, ''))).toEqual(plain);
      expect(coloured.join('')).toMatch(codes);
    }
  });
});

describe('CSV', () => {
  const read = (text: string) =>
    parse(text, { columns: true, record_delimiter: '\r\n' }) as unknown as Record<string, string>[];

  test.each(results)('%s: a row a step, with the exact figures', (_, result) => {
    const rows = read(csvReport(result));
    expect(rows.length).toBe(result.steps.length);
    for (const [i, step] of result.steps.entries()) {
      const row = rows[i] ?? {};
      expect(Object.keys(row)).toEqual(CSV_COLUMNS.map(({ name }) => name));
      const number = (name: string) => (row[name] === '' ? undefined : Number(row[name]));
      expect(number('rate_per_second')).toBe(step.load.loop === 'open' ? step.load.ratePerSecond : undefined);
      expect(number('concurrency')).toBe(step.load.loop === 'closed' ? step.load.concurrency : undefined);
      for (const key of [
        'intended',
        'sent',
        'answered',
        'failed',
        'abandoned',
        'cancelled',
        'slow',
      ] as const) {
        expect(number(key)).toBe(step.requests[key]);
      }
      for (const key of ['mean', 'min', 'p50', 'p90', 'p95', 'p99', 'p999', 'max'] as const) {
        expect(number(`latency_${key}_ms`)).toBe(step.latency[key]);
        expect(number(`service_time_${key}_ms`)).toBe(step.serviceTime[key]);
        expect(number(`late_${key}_ms`)).toBe(step.generator.late[key]);
      }
      expect(number('answers_per_second')).toBe(step.answersPerSecond);
      expect(number('server_views_per_second')).toBe(step.server?.viewsPerSecond);
      expect(number('server_engine_busy')).toBe(step.server?.batches.busy);
      expect(number('aftermath_dropped_views')).toBe(step.aftermath?.droppedViews);
      expect(number('aftermath_left_views')).toBe(step.aftermath?.queuedViews.last);
      expect(number('aftermath_left_calls')).toBe(step.aftermath?.callsInFlight.last);
      expect(number('aftermath_clear_after_ms')).toBe(step.aftermath?.clearAfterMs ?? undefined);
      expect(row['bound_kept']).toBe(step.bound ? String(step.bound.kept) : '');
      expect(row['stable']).toBe(String(step.stability.stable));
    }
  });

  test('holds any text, and none becomes a formula', () => {
    const result = everyResult()['search'] as LoadTestResult;
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const [, , row] = read(csvReport(hostile(result, text)));
        const shown = row?.['stability_reason'] ?? '';
        expect(shown).toBe(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);
      }),
    );
  });

  test('columns have names of their own, and say what is in them', () => {
    const names = CSV_COLUMNS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(CSV_COLUMNS.every(({ what }) => what.length > 3)).toBe(true);
  });
});
