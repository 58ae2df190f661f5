// Prometheus' text format: what clients write is what is read, and what is not the format is refused.

import fc from 'fast-check';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { parseExposition } from '../../../loadtest/server-side/exposition.ts';

const one = (line: string) => {
  const [sample, ...more] = parseExposition(line);
  expect(more).toEqual([]);
  return { ...sample, labels: { ...sample?.labels } };
};

describe('a sample', () => {
  test.each([
    ['a 1', 'a', {}, 1],
    ['a{} 1', 'a', {}, 1],
    ['a:b_c9{x="y"} -1.5e-3', 'a:b_c9', { x: 'y' }, -0.0015],
    ['\ta { x = "y" , z="" , }\t+Inf\r', 'a', { x: 'y', z: '' }, Infinity],
    ['a -Inf', 'a', {}, -Infinity],
    ['a NaN', 'a', {}, NaN],
    ['a 1e5 1395066363000', 'a', {}, 1e5],
    ['a{le="+Inf"} 17 # {trace_id="a # b"} 0.67 1.5', 'a', { le: '+Inf' }, 17],
    ['a{x="q\\"b\\\\n\\nl#}"} 1', 'a', { x: 'q"b\\n\nl#}' }, 1],
    [
      'a{__proto__="p",constructor="c"} 1',
      'a',
      Object.fromEntries([
        ['__proto__', 'p'],
        ['constructor', 'c'],
      ]),
      1,
    ],
  ])('%j', (line, name, labels, value) => {
    const sample = one(line);
    expect(sample.name).toBe(name);
    expect(Object.entries(sample.labels)).toEqual(Object.entries(labels));
    expect(sample.value).toBe(value);
  });

  test.each([
    ['{x="y"} 1', 'the name of a metric'],
    ['1a 1', 'the name of a metric'],
    ['a', 'a number'],
    ['a one', 'a number'],
    ['a 0x10', 'a number'],
    ['a 1 soon', 'a time'],
    ['a 1 2 3', 'a time'],
    ['a{x} 1', '='],
    ['a{x=y} 1', '"'],
    ['a{x="y 1', 'a closing "'],
    ['a{x="\\t"} 1', '\\\\, \\" or \\n'],
    ['a{x="y" z="w"} 1', ', or }'],
    ['a{x="y",x="z"} 1', 'one x'],
    ['a{x="y"', ', or }'],
    ['a{', 'the name of a label, or }'],
    ['<!doctype html>', 'the name of a metric'],
  ])('%j is none', (line, what) => {
    expect(() => parseExposition(`ok 1\n${line}\n`)).toThrow(`Expected ${what}`);
    expect(() => parseExposition(`ok 1\n${line}\n`)).toThrow('(line 2)');
  });
});

test('comments, types and empty lines are no samples', () => {
  const text = '# HELP a What it \\n is.\n# TYPE a counter\n\n# a 1\na 2\n# EOF\n';
  expect(parseExposition(text).map(({ value }) => value)).toEqual([2]);
});

test('whatever a client writes is read as it was', async () => {
  const label = fc.dictionary(fc.constantFrom('x', 'y', '_z9'), fc.string({ unit: 'binary' }), {
    maxKeys: 3,
  });
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(label, { selector: (each) => JSON.stringify(Object.entries(each).sort()) }),
      fc.double(),
      async (all, value) => {
        const registry = new Registry();
        const gauge = new Gauge({
          name: 'g',
          help: 'Any "help"\nat all\\',
          labelNames: ['x', 'y', '_z9'],
          registers: [registry],
        });
        for (const labels of all) gauge.set(labels, value);
        const read = parseExposition(await registry.metrics());
        expect(read.map(({ labels }) => ({ ...labels }))).toEqual(all);
        for (const sample of read)
          expect(Object.is(sample.value, value) || sample.value === value).toBe(true);
      },
    ),
    { numRuns: 60, seed: 1 },
  );
});

test('histograms are series of their buckets, sum and count', async () => {
  const registry = new Registry();
  const histogram = new Histogram({ name: 'h', help: 'h', buckets: [1, 2], registers: [registry] });
  for (const value of [0.5, 1.5, 7]) histogram.observe(value);
  new Counter({ name: 'c', help: 'c', registers: [registry] }).inc(3);
  const read = parseExposition(await registry.metrics()).map(({ name, labels, value }) => [
    name,
    labels['le'],
    value,
  ]);
  expect(read).toEqual([
    ['h_bucket', '1', 1],
    ['h_bucket', '2', 2],
    ['h_bucket', '+Inf', 3],
    ['h_sum', undefined, 9],
    ['h_count', undefined, 3],
    ['c', undefined, 3],
  ]);
});
