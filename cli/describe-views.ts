// What the views of a photo share, as lines of text.

import { summedSavings, type PlaneSavings, type StepSavings } from '../vgg/sharing/savings.ts';
import { table, thousands } from './terminal.ts';

/** Layer by layer for each plane, then the planes. */
export function savingsLines(planes: readonly PlaneSavings[]): string[] {
  return [
    ...planes.flatMap(planeLines),
    'activations: of every view, and those that differ; keys: how many differ along each axis.',
    'GMAC: each sum as it is written; every view by itself in tiles; views together; saved: first / last.',
    '',
    ...table(
      ['plane', 'views', ...PRODUCTS],
      [
        ...planes.map(({ plane, views, total }) => [sizeOf(plane), views, ...products(total)]),
        ...(planes.length > 1
          ? [
              [
                'all',
                planes.reduce((sum, { views }) => sum + views, 0),
                ...products(summedSavings(planes.map(({ total }) => total))),
              ],
            ]
          : []),
      ],
    ),
  ];
}

const PRODUCTS = ['GMAC', 'in tiles', 'together', 'saved'];

function planeLines({ plane, views, steps, total }: PlaneSavings): string[] {
  const rows = steps.map((step) => [
    step.layers.join(', '),
    thousands(step.alone.activations),
    thousands(step.together.activations),
    `${String(step.rowKeys)}×${String(step.columnKeys)}`,
    step.together.tiles > 0 ? thousands(step.together.tiles) : '',
    ...products(step),
  ]);
  return [
    `plane of ${sizeOf(plane)}, ${String(views)} views`,
    '',
    ...table(
      ['layer', 'activations', 'differ', 'keys', 'tiles', ...PRODUCTS],
      [...rows, ['all', '', '', '', '', ...products(total)]],
    ),
    '',
  ];
}

// What a layer without products saves is not a question.
function products({ direct, alone, together }: Pick<StepSavings, 'direct' | 'alone' | 'together'>): string[] {
  if (direct === 0) return ['', '', '', ''];
  const giga = [direct, alone.products, together.products].map((macs) => (macs / 1e9).toFixed(2));
  return [...giga, `${(direct / together.products).toFixed(2)}×`];
}

function sizeOf({ width, height }: { width: number; height: number }): string {
  return `${String(width)}×${String(height)}`;
}
