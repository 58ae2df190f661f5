// Latency by percentile, as HDR histograms are plotted: the axis stretches towards 100 %, where the few slow answers
// are. Knows distributions.

import type { Scale } from '../../../drawing/scale.ts';
import type { Distribution, LoadTestResult, Step } from '../../result.ts';
import { count, loadKey, loadName, loadSize, ms, PERCENTILES } from '../figures.ts';
import { hueOf } from './hues.ts';
import { html, type Markup } from './markup.ts';
import { LEFT, panelsPlot, RIGHT, type Line } from './plot.ts';
import { foldedTable, type Cell } from './table.ts';

// More lines than that cannot be told apart; the table has all.
const MOST_LINES = 8;

/** The plot and its table. */
export function percentilePlot({ steps }: LoadTestResult, predicted?: LoadTestResult): Markup {
  const measured = steps
    .filter(({ latency }) => latency.count > 0)
    // A search tries rates up and down.
    .sort((a, b) => loadSize(a.load) - loadSize(b.load));
  const [only] = measured;
  if (!only) return html``;
  const shown = evenly(measured, MOST_LINES);
  const lines = measured.length === 1 ? alone(only) : together(shown);
  const match = (step: Step) => predicted?.steps.find(({ load }) => loadKey(load) === loadKey(step.load));
  const guesses = shown.flatMap((step, i): Line[] => {
    const guess = match(step);
    if (!guess || guess.latency.count === 0) return [];
    return [
      {
        name: shown.length === 1 ? 'predicted' : i === 0 ? 'dashed: predicted' : '',
        ...(shown.length === 1 ? { style: 'c2' } : { style: 'hue', hue: hueOf(i, shown.length) }),
        dashed: true,
        points: pointsOf(guess.latency),
      },
    ];
  });
  const all = [...lines, ...guesses];
  const parts = all.flatMap(({ points }) => points.flatMap((point) => (point ? [point.x] : [])));
  const left =
    shown.length < measured.length
      ? ` ${String(shown.length)} of ${String(measured.length)} steps are shown.`
      : '';
  return html`${panelsPlot(
    {
      id: 'percentiles',
      title: 'Latency by percentile',
      description: `How many milliseconds what part of the answers took at most. ${shown.map((step) => `${loadName(step.load)}: half within ${ms(step.latency.p50)} ms, 99 % within ${ms(step.latency.p99)} ms`).join('; ')}.${left}`,
    },
    {
      x: percentileScale(Math.max(...parts, 0.9)),
      xTick: (part) => `${String(Number((100 * part).toPrecision(8)))} %`,
      xTitle: 'part of answers that took at most so long; each step to the right is a tenth of the rest',
      panels: [{ title: 'latency, ms', height: 300, lines: all, logarithmic: true }],
    },
  )}${foldedTable({
    caption: 'Latency by percentile, ms',
    header: ['load', 'from', 'answers', 'mean', ...PERCENTILES.map(([, name]) => name), 'max'],
    rows: measured.flatMap((step) => {
      const guess = match(step);
      return [
        row(step, 'meant to start', step.latency),
        row(step, 'sent', step.serviceTime),
        ...(guess ? [row(step, 'predicted', guess.latency)] : []),
      ];
    }),
  })}`;
}

// Of one step, what a test would say that counts from the sending: the gap is the time that requests were late.
function alone({ latency, serviceTime }: Step): Line[] {
  return [
    { name: 'from the moment a request was meant to start', style: 'c1', points: pointsOf(latency) },
    { name: 'from the moment it was sent', style: 'quiet', points: pointsOf(serviceTime) },
  ];
}

function together(steps: readonly Step[]): Line[] {
  return steps.map(({ load, latency }, i) => ({
    name: loadName(load),
    ...{ style: 'hue', hue: hueOf(i, steps.length) },
    points: pointsOf(latency),
  }));
}

// The last sample's part is 1, which such an axis never reaches: it stands half a sample before.
function pointsOf({ percentiles, count: samples }: Distribution): { x: number; y: number }[] {
  const most = 1 - 0.5 / Math.max(samples, 1);
  return percentiles.map(({ value, part }) => ({ x: Math.min(part, most), y: value }));
}

/** Parts from 0 to at least `most` < 1, by the logarithm of the rest. */
export function percentileScale(most: number): Scale {
  const decades = Math.max(1, -Math.log10(1 - most));
  const ticks = [0, 0.5, ...Array.from({ length: Math.floor(decades + 1e-9) }, (_, i) => 1 - 10 ** -(i + 1))];
  return { at: (part) => LEFT + (-Math.log10(1 - part) / decades) * (RIGHT - LEFT), ticks };
}

function row({ load }: Step, from: string, latency: Distribution): Cell[] {
  const figures = [latency.mean, ...PERCENTILES.map(([key]) => latency[key]), latency.max];
  return [
    loadName(load),
    from,
    { value: latency.count, text: count(latency.count) },
    ...figures.map((value) => (latency.count > 0 ? { value, text: ms(value) } : '–')),
  ];
}

function evenly<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all];
  return Array.from({ length: most }, (_, i) => all[Math.round((i * (all.length - 1)) / (most - 1))] as T);
}
