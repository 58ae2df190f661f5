// What counts as a violation, and when all is well again; the table and the page made of it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { filled } from '../../bench/crops/page.ts';
import { packageRoot } from '../../proto/package-root.ts';
import { FAULTS } from './kinds/all.ts';
import type { Sample } from './load.ts';
import { pageBlocks, rowLines, type FaultResults } from './table.ts';
import { judge, type Evidence } from './verdict.ts';

const right = (intendedMs: number, tookMs: number): Sample => ({
  intendedMs,
  endedMs: intendedMs + tookMs,
  what: 'right',
});
const evidence = (samples: Sample[], more: Partial<Evidence> = {}): Evidence => ({
  samples,
  injectedMs: 1000,
  healedMs: 2000,
  mayFail: [],
  retries: new Map(),
  answered: samples.length,
  ...more,
});

describe('a verdict', () => {
  test('right answers, as quick as before: nothing to say', () => {
    const { violations, recoverySeconds, failed } = judge(evidence([right(0, 100), right(1500, 200)]));
    expect({ violations, recoverySeconds, failed }).toEqual({
      violations: [],
      recoverySeconds: 0,
      failed: {},
    });
  });

  test('a wrong answer', () => {
    const { violations, wrong } = judge(evidence([{ ...right(1500, 10), what: 'wrong' }]));
    expect([violations, wrong]).toEqual([['1 wrong answers'], 1]);
  });

  test('a failure that nothing excuses', () => {
    const lost = { ...right(1500, 10), what: 'INTERNAL', message: 'oh' };
    expect(judge(evidence([lost], { mayFail: ['UNAVAILABLE'] })).violations).toEqual([
      '1 requests failed with INTERNAL: oh',
    ]);
  });

  test('an excuse holds while the fault lasts, not before and not after', () => {
    const lost = (at: number) => ({ ...right(at, 10), what: 'UNAVAILABLE' });
    const may = { mayFail: ['UNAVAILABLE'] as const };
    expect(judge(evidence([lost(1500)], may)).violations).toEqual([]);
    for (const at of [500, 2500])
      expect(judge(evidence([lost(at)], may)).violations).toEqual([
        '1 requests failed that came before the fault or after it',
      ]);
  });

  test('more retries of one caller than its budget', () => {
    const retries = new Map([
      ['1 gateway aggregator', 200],
      ['2 aggregator score', 300],
    ]);
    expect(judge(evidence([right(0, 1)], { retries })).violations).toEqual([
      '2 aggregator score: 300 retries, where the budget allows 200.25',
    ]);
  });

  test('no request at all proves nothing', () => {
    expect(judge(evidence([])).violations).toEqual(['no request was sent']);
  });

  test('well again with the last answer that was slow', () => {
    const samples = [right(0, 100), right(1500, 2000), right(2000, 900), right(4000, 100)];
    expect(judge(evidence(samples)).recoverySeconds).toBe(2.5);
  });
});

describe('docs/explanation/faults', () => {
  const file = (name: string) => readFileSync(join(packageRoot, 'docs/explanation', name), 'utf8');
  const results = JSON.parse(file('faults.json')) as FaultResults;

  test('has the table of its figures', () => {
    const page = file('faults.md');
    expect(filled(page, pageBlocks(results))).toBe(page);
  });

  test('has every fault, and everything held', () => {
    const named = [...results.rows, ...results.leftOut].map(({ name }) => name).sort();
    expect(named).toEqual(FAULTS.map(({ name }) => name).sort());
    expect(results.rows.flatMap(({ violations }) => violations)).toEqual([]);
  });

  test('says what the faults say', () => {
    for (const { name, what, holds } of results.rows)
      expect(FAULTS.find((fault) => fault.name === name)).toMatchObject({ what, holds });
  });
});

test('what did not hold is below its row', () => {
  const row = {
    ...{ name: 'cut', what: 'w', holds: 'h', done: 'd', requests: 3, failed: { UNAVAILABLE: 1 } },
    ...{ wrong: 0, retries: 2, again: 0, recoverySeconds: 1.25, longestSeconds: 2, violations: ['oh'] },
  };
  const [line = '', below] = rowLines(row);
  expect(line.split(/\s{2,}/)).toEqual(['cut', '3', '1 UNAVAILABLE', '0', '2', '1.3', '2.0', 'NO']);
  expect(below?.trim()).toBe('oh');
});
