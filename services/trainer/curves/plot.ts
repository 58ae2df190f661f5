// The curves of a run as one SVG file: loss and error over epochs, and where the learning rate fell.
// Knows the log's lines and how to draw; writes no file.

import type { EpochLine } from './log.ts';
import { linearScale, type Scale } from '../../../drawing/scale.ts';
import { line, number, svgDocument } from '../../../drawing/svg.ts';

interface Series {
  name: string;
  /** Class in the style sheet, which has its colour and dashes. */
  style: string;
  /** One value an epoch; null: none. */
  values: (number | null)[];
}

interface Panel {
  title: string;
  top: number;
  series: Series[];
  unit: string;
}

const WIDTH = 760;
const HEIGHT = 640;
const LEFT = 64;
const RIGHT = WIDTH - 24;
const PANEL_HEIGHT = 220;

/**
 * Draws a run: training and validation loss above, top-1 and top-5 errors in percent below.
 *
 * @param title says which run
 * @returns an SVG document that needs nothing else; light or dark as its reader is
 */
export function curvesSvg(lines: readonly EpochLine[], title: string): string {
  const held = (value: (validation: NonNullable<EpochLine['validation']>) => number) =>
    lines.map(({ validation }) => validation && value(validation));
  const loss: Panel = {
    ...{ title: 'loss', top: 76, unit: '' },
    series: [
      { name: 'training', style: 'training', values: lines.map((line) => line.loss) },
      { name: 'validation', style: 'validation', values: held((each) => each.loss) },
    ],
  };
  const error: Panel = {
    ...{ title: 'error', top: 368, unit: ' %' },
    series: [
      { name: 'training top-1', style: 'training', values: lines.map((line) => 100 * line.error) },
      { name: 'validation top-1', style: 'validation', values: held((each) => 100 * each.top1) },
      { name: 'validation top-5', style: 'top5', values: held((each) => 100 * each.top5) },
    ],
  };
  const x = linearScale(0, Math.max(10, ...lines.map(({ epoch }) => epoch)), LEFT, RIGHT, 10);
  return svgDocument(title, { width: WIDTH, height: HEIGHT, left: LEFT }, [
    ...[loss, error].map((panel) => drawn(panel, x, lines)),
    `<text class="quiet" x="${String((LEFT + RIGHT) / 2)}" y="${String(HEIGHT - 12)}" text-anchor="middle">epochs</text>`,
  ]);
}

function drawn(panel: Panel, x: Scale, lines: readonly EpochLine[]): string {
  const { title, top, unit } = panel;
  const bottom = top + PANEL_HEIGHT;
  const series = panel.series.filter(({ values }) => values.some(isShown));
  const most = Math.max(...series.flatMap(({ values }) => values.filter(isShown)), 0);
  const y = linearScale(0, most, bottom, top, 5);
  return [
    `<text class="title" x="${String(LEFT)}" y="${String(top - 14)}">${title}</text>`,
    legend(series, top - 18),
    ...y.ticks.map(
      (tick) =>
        line('grid', LEFT, y.at(tick), RIGHT, y.at(tick)) +
        `<text class="quiet" x="${String(LEFT - 8)}" y="${number(y.at(tick) + 4)}" text-anchor="end">${String(tick)}${unit}</text>`,
    ),
    ...x.ticks.map(
      (tick) =>
        line('grid', x.at(tick), bottom, x.at(tick), bottom + 4) +
        `<text class="quiet" x="${number(x.at(tick))}" y="${String(bottom + 18)}" text-anchor="middle">${String(tick)}</text>`,
    ),
    ...falls(lines).map(
      ({ epoch, learningRate }) =>
        line('drop', x.at(epoch), top, x.at(epoch), bottom) +
        `<text class="quiet" x="${number(x.at(epoch) + 4)}" y="${String(top + 11)}">${rate(learningRate)}</text>`,
    ),
    ...series.map(({ style, values }) => curve(style, values, lines, x, y)),
  ].join('\n');
}

function curve(
  style: string,
  values: readonly (number | null)[],
  lines: readonly EpochLine[],
  x: Scale,
  y: Scale,
): string {
  let path = '';
  let pen = 'M';
  for (const [i, value] of values.entries()) {
    if (isShown(value)) {
      path += `${pen}${number(x.at(lines[i]?.epoch ?? 0))} ${number(y.at(value))}`;
      pen = 'L';
    } else {
      pen = 'M';
    }
  }
  // A lone point is a line to itself, which round ends make visible.
  if (!path.includes('L')) path += path.replace('M', 'L');
  return `<path class="curve ${style}" d="${path}"/>`;
}

function legend(series: readonly Series[], y: number): string {
  const step = 148;
  return series
    .map(({ name, style }, i) => {
      const x = RIGHT - step * (series.length - i);
      return (
        `<path class="curve ${style}" d="M${String(x)} ${String(y)}L${String(x + 26)} ${String(y)}"/>` +
        `<text x="${String(x + 34)}" y="${String(y + 4)}">${name}</text>`
      );
    })
    .join('');
}

// Between which epochs the rate fell at least by half, and to what; a cosine never does until its end.
function falls(lines: readonly EpochLine[]): { epoch: number; learningRate: number }[] {
  return lines.flatMap(({ learningRate }, i) => {
    const before = lines[i - 1];
    const fell = before && learningRate > 0 && learningRate < before.learningRate / 2;
    return fell ? [{ epoch: before.epoch, learningRate }] : [];
  });
}

function isShown(value: number | null): value is number {
  return value !== null && Number.isFinite(value);
}

function rate(value: number): string {
  return `rate ${String(Number(value.toPrecision(2)))}`;
}
