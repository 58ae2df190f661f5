// The curves: values where the axes say, drops where the rate fell, nothing that breaks the document.

import { expect, test } from 'vitest';
import type { EpochLine } from '../../../services/trainer/curves/log.ts';
import { curvesSvg } from '../../../services/trainer/curves/plot.ts';
import { linearScale } from '../../../drawing/scale.ts';

function lines(count: number, change: (epoch: number) => Partial<EpochLine> = () => ({})): EpochLine[] {
  return Array.from({ length: count }, (_, i) => ({
    ...{ epoch: i + 1, step: 10 * i, loss: 4 / (i + 1), error: 0.8 / (i + 1) },
    validation: { loss: 5 / (i + 1), top1: 0.9 / (i + 1), top5: 0.4 / (i + 1) },
    ...{ learningRate: 0.01, imagesPerSecond: 1, waitedShare: 0, seconds: 1, ...change(i + 1) },
  }));
}

function curves(svg: string): { style: string; points: [number, number][] }[] {
  // Legends have lines of their own, before the curves of their panel.
  return [...svg.matchAll(/<path class="curve ([\w ]+)" d="([^"]+)"\/>$/gm)].map(
    ([, style = '', d = '']) => ({
      style,
      points: [...d.matchAll(/[ML](\S+) (\S+?)(?=[ML]|$)/g)].map(([, x, y]): [number, number] => [
        Number(x),
        Number(y),
      ]),
    }),
  );
}

test('five curves, a point an epoch, falling as the values do', () => {
  const found = curves(curvesSvg(lines(20), 'run'));
  expect(found.map(({ style }) => style)).toEqual([
    'training',
    'validation',
    'training',
    'validation',
    'top5',
  ]);
  for (const { points } of found) {
    expect(points.length).toBe(20);
    for (let i = 1; i < 20; i++) {
      expect(points[i]?.[0]).toBeGreaterThan(points[i - 1]?.[0] ?? NaN);
      expect(points[i]?.[1]).toBeGreaterThan(points[i - 1]?.[1] ?? NaN);
    }
  }
});

test('a point is where the axes’ ticks put it', () => {
  const svg = curvesSvg(lines(20), 'run');
  const [loss] = curves(svg);
  // Loss of 4 at epoch 1, 2 at epoch 2: the ticks of 4 and 2.
  const tick = (value: number) =>
    Number(new RegExp(`y="([\\d.]+)" text-anchor="end">${String(value)}<`).exec(svg)?.[1]) - 4;
  expect(loss?.points[0]?.[1]).toBeCloseTo(tick(4), 0);
  expect(loss?.points[1]?.[1]).toBeCloseTo(tick(2), 0);
});

test('the rate’s falls are drawn where they were, with the new rate', () => {
  const svg = curvesSvg(
    lines(20, (epoch) => ({ learningRate: epoch > 12 ? 1e-4 : epoch > 8 ? 1e-3 : 1e-2 })),
    'run',
  );
  expect([...svg.matchAll(/>rate ([\d.]+)</g)].map(([, rate]) => rate)).toEqual([
    '0.001',
    '0.0001',
    '0.001',
    '0.0001',
  ]);
  expect(svg.match(/class="drop"/g)).toHaveLength(4);
});

test('a cosine and a warm-up are no falls', () => {
  const cosine = lines(30, (epoch) => ({
    learningRate: 0.005 * (1 + Math.cos((Math.PI * (epoch - 1)) / 31)),
  }));
  expect(curvesSvg(cosine.slice(0, 24), 'run')).not.toContain('class="drop"');
  expect(
    curvesSvg(
      lines(5, (epoch) => ({ learningRate: epoch / 500 })),
      'run',
    ),
  ).not.toContain('class="drop"');
});

test('without held-out photos there are no validation curves', () => {
  const svg = curvesSvg(
    lines(4, () => ({ validation: null })),
    'run',
  );
  expect(curves(svg).map(({ style }) => style)).toEqual(['training', 'training']);
  expect(svg).not.toContain('top-5');
});

test.each([
  ['no epochs', lines(0)],
  ['one epoch', lines(1)],
  ['a loss that is no number', lines(6, (epoch) => (epoch === 3 ? { loss: NaN } : {}))],
  ['losses of 0', lines(3, () => ({ loss: 0, error: 0, validation: { loss: 0, top1: 0, top5: 0 } }))],
  ['a thousand epochs', lines(1000)],
])('%s make a whole document', (_, log) => {
  const svg = curvesSvg(log, 'A & B <"1">');
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  // Each element that opens is closed: a document that is none is shown as nothing.
  const open = svg.match(/<[a-z]+(?=[ >])[^>]*(?<!\/)>/g) ?? [];
  expect(open.length).toBe(svg.match(/<\/[a-z]+>/g)?.length);
  expect(svg).toContain('A &#38; B &#60;&#34;1&#34;&#62;');
});

test('a value that is no number leaves a gap', () => {
  const [loss] = curves(
    curvesSvg(
      lines(6, (epoch) => (epoch === 3 ? { loss: NaN } : {})),
      'run',
    ),
  );
  expect(loss?.points.length).toBe(5);
  expect(
    curvesSvg(
      lines(6, (epoch) => (epoch === 3 ? { loss: NaN } : {})),
      'run',
    ),
  ).toMatch(/d="M\S+ \S+L\S+ [\d.]+M/);
});

test.each([
  [0, 4.3, 5, [0, 1, 2, 3, 4, 5]],
  [0, 100, 5, [0, 20, 40, 60, 80, 100]],
  [0, 0.07, 5, [0, 0.02, 0.04, 0.06, 0.08]],
  [0, 0, 5, [0, 1]],
])('an axis from %d to %d', (least, most, count, ticks) => {
  const scale = linearScale(least, most, 200, 100, count);
  expect(scale.ticks).toEqual(ticks);
  expect(scale.at(0)).toBe(200);
  expect(scale.at(ticks.at(-1) ?? 0)).toBeCloseTo(100, 9);
});
