// What each layer costs: every view by itself as sums are written, by itself in tiles, and together. Knows counts and
// how to draw.

import { linearScale } from '../../drawing/scale.ts';
import { line, svgDocument, text } from '../../drawing/svg.ts';
import { summedSavings, type PlaneSavings } from '../../vgg/sharing/savings.ts';
import { area, FILLS, legend } from './drawing.ts';

const WIDTH = 900;
const LEFT = 130;
const RIGHT = WIDTH - 190;
const TOP = 132;
const STEP = 40;
const BAR = 9;

/** Sums over the planes of a photo. */
export function productsPicture(network: string, planes: readonly PlaneSavings[]): string {
  const steps = (planes[0]?.steps ?? [])
    .map(({ layers }, step) => ({
      layers,
      ...summedSavings(planes.flatMap((plane) => plane.steps[step] ?? [])),
    }))
    .filter(({ direct }) => direct > 0);
  const total = summedSavings(planes.map((plane) => plane.total));
  const views = planes.reduce((sum, plane) => sum + plane.views, 0);
  const most = Math.max(...steps.map(({ direct }) => direct)) / 1e9;
  const x = linearScale(0, most, LEFT, RIGHT, 6);
  const bottom = TOP + STEP * steps.length;
  return svgDocument(
    `Products of ${network} for the ${String(views)} views of a photo`,
    { width: WIDTH, height: bottom + 48, left: 24 },
    [
      FILLS,
      ...legend(LEFT, 58, [
        ['unused', `every view by itself, each sum as it is written: ${giga(total.direct)}`],
        ['again', `every view by itself, in tiles: ${giga(total.alone.products)}`],
        ['clean', `views together, in tiles: ${giga(total.together.products)}`],
      ]),
      ...x.ticks.map(
        (tick) =>
          line('grid', x.at(tick), TOP - 8, x.at(tick), bottom) +
          text('quiet', x.at(tick), bottom + 18, String(tick), 'middle'),
      ),
      text('quiet', (LEFT + RIGHT) / 2, bottom + 36, 'billions of multiply-accumulates', 'middle'),
      ...steps.flatMap(({ layers, direct, alone, together }, step) => {
        const top = TOP + STEP * step;
        const counts = [direct, alone.products, together.products];
        return [
          text('', LEFT - 12, top + 1.5 * BAR + 4, layers.join(', '), 'end'),
          ...counts.flatMap((count, i) => {
            const bar = [LEFT, top + i * BAR, x.at(count / 1e9) - LEFT, BAR - 1] as const;
            // Nothing is seen through a pale bar.
            return [area('paper', ...bar), area(['unused', 'again', 'clean'][i] ?? '', ...bar)];
          }),
          text('quiet number', RIGHT + 16, top + 1.5 * BAR + 4, told(counts)),
        ];
      }),
    ],
  );
}

function giga(products: number): string {
  return `${(products / 1e9).toFixed(0)} GMAC`;
}

function told(counts: readonly number[]): string {
  return counts.map((count) => (count / 1e9).toFixed(1)).join(' → ');
}
