// The plots: each claim's difference with its interval, and how the networks learned. Knows how to draw.

import { line, number, escaped, svgDocument } from '../../drawing/svg.ts';
import { linearScale } from '../../drawing/scale.ts';
import type { ClaimResult, Results, TrainingResult, Verdict } from './results.ts';

const WIDTH = 900;
const RIGHT = WIDTH - 24;

// The style sheet's colours; without colour, the side of zero on which an interval lies says the same.
const STYLES: Record<Verdict, string> = {
  reproduced: 'top5',
  open: 'training',
  'not reproduced': 'validation',
};

/** Differences in percentage points, the claim's side to the right of zero. */
export function claimsSvg(claims: readonly ClaimResult[]): string {
  const [left, top, step] = [440, 64, 22];
  const ends = claims.map((each) => sided(each));
  const reach = Math.max(1, ...ends.flatMap(({ low, high }) => [Math.abs(low), Math.abs(high)]));
  const bottom = top + step * claims.length;
  const half = linearScale(0, reach, 0, (RIGHT - left) / 2, 4);
  const x = (value: number) => (left + RIGHT) / 2 + Math.sign(value) * half.at(Math.abs(value));
  const ticks = [...half.ticks.map((tick) => -tick).reverse(), ...half.ticks.slice(1)];
  return svgDocument(
    'What the paper says, and what was found here',
    { width: WIDTH, height: bottom + 56, left: 24 },
    [
      ...ticks.map(
        (tick) =>
          line(tick === 0 ? 'drop' : 'grid', x(tick), top - 8, x(tick), bottom) +
          text('quiet', x(tick), bottom + 18, String(tick), 'middle'),
      ),
      text(
        'quiet',
        (left + RIGHT) / 2,
        bottom + 40,
        'percentage points of top-1 error for the claim; 95 %',
        'middle',
      ),
      ...claims.map((each, i) => {
        const y = top + step * i + 6;
        const { low, middle, high } = sided(each);
        const style = STYLES[each.verdict];
        const bar = `<path class="curve ${style}" d="M${number(x(low))} ${number(y)}L${number(x(high))} ${number(y)}"/>`;
        const dot = `<path class="curve ${style}" style="stroke-width:8" d="M${number(x(middle))} ${number(y)}h0.01"/>`;
        return text('', left - 12, y + 4, each.claim.text, 'end') + bar + dot;
      }),
    ],
  );
}

// For a claim that a row has not fewer errors, its having more is on the claim's side.
function sided({ claim, difference, interval: [low, high] }: ClaimResult) {
  return claim.says === 'fewer'
    ? { low, middle: difference, high }
    : { low: -high, middle: -difference, high: -low };
}

/** Validation error of every trial over epochs: the mean of its seeds. */
export function curvesSvg({ training, budget }: Results): string {
  const names = [...new Set(training.map(({ trial }) => trial))];
  const [left, right, top, bottom] = [64, WIDTH - 170, 56, 460];
  const x = linearScale(0, budget.epochs, left, right, 8);
  const y = linearScale(0, 100, bottom, top, 5);
  const curves = names.map((name) => meanCurve(training.filter(({ trial }) => trial === name)));
  // Names at the right end, as far apart as they need.
  const ends = curves.map((curve, i) => ({ i, at: y.at(curve.at(-1) ?? 0) + 4 })).sort((a, b) => a.at - b.at);
  for (const [place, end] of ends.entries()) end.at = Math.max(end.at, (ends[place - 1]?.at ?? 0) + 15);
  return svgDocument(
    'Top-1 error of the held-out photos, one crop, during training',
    { width: WIDTH, height: bottom + 48, left },
    [
      ...y.ticks.map(
        (tick) =>
          line('grid', left, y.at(tick), right, y.at(tick)) +
          text('quiet', left - 8, y.at(tick) + 4, `${String(tick)} %`, 'end'),
      ),
      ...x.ticks.map((tick) => text('quiet', x.at(tick), bottom + 18, String(tick), 'middle')),
      text('quiet', (left + right) / 2, bottom + 36, 'epochs', 'middle'),
      ...curves.map((curve, i) => {
        const points = curve.map((value, epoch) => `${number(x.at(epoch + 1))} ${number(y.at(value))}`);
        return `<path class="curve" style="${strokeOf(i)}" d="M${points.join('L')}"/>`;
      }),
      ...ends.map(({ i, at }) => {
        const end = y.at(curves[i]?.at(-1) ?? 0);
        const leader = `<path class="curve" style="${strokeOf(i)};stroke-width:1" d="M${number(right)} ${number(end)}L${number(right + 16)} ${number(at - 4)}"/>`;
        return leader + text('', right + 20, at, names[i] ?? '', 'start');
      }),
    ],
  );
}

function meanCurve(runs: readonly TrainingResult[]): number[] {
  const epochs = Math.min(...runs.map((run) => run.epochs.length));
  return Array.from({ length: epochs }, (_, epoch) => {
    const errors = runs.map((run) => 100 * (run.epochs[epoch]?.validation?.top1 ?? NaN));
    return errors.reduce((sum, error) => sum + error, 0) / errors.length;
  });
}

// Okabe and Ito's colours, then dashed.
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8c8c8c'];
const DASHES = ['', '7 4', '2 4'];

function strokeOf(series: number): string {
  const dashes = DASHES[Math.floor(series / COLOURS.length)] ?? '';
  return `stroke:${COLOURS[series % COLOURS.length] ?? ''}${dashes ? `;stroke-dasharray:${dashes}` : ''}`;
}

function text(
  style: string,
  x: number,
  y: number,
  content: string,
  anchor: 'start' | 'middle' | 'end',
): string {
  const named = style ? ` class="${style}"` : '';
  return `<text${named} x="${number(x)}" y="${number(y)}" text-anchor="${anchor}">${escaped(content)}</text>`;
}
