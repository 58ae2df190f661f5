// A layer's state in two dimensions: row keys × column keys, who has each pair, and the tiles that a layer
// computes of it. Knows keys, windows and tiles; not where an activation lies in memory.

import { svgDocument, text } from '../../drawing/svg.ts';
import type { NetworkSpec } from '../../vgg/networks.ts';
import { OUTSIDE } from '../../vgg/sharing/axis.ts';
import { pixelAxes, sharedStages, type Axes } from '../../vgg/sharing/stages.ts';
import { tileOutputs } from '../../vgg/sharing/tile-sides.ts';
import { tileCount, type Cover } from '../../vgg/sharing/tiles.ts';
import type { Windows } from '../../vgg/sharing/windows.ts';
import type { Size, View } from '../../vgg/views.ts';
import { areas, FILLS, legend } from './drawing.ts';

const CELL = 6;
const LEFT = 24;
const TOP = 150;
const GAP = 56;
const NARROWEST = 520;

/** A tile as an example: the window of rows and the window of columns that some view's place is taken from. */
interface Example {
  name: string;
  row: number;
  column: number;
}

/**
 * The state that a convolution reads and the state that it makes, of the whole plane and crops that are not mirrored.
 *
 * @param layer a convolution without a pool behind it
 */
export function statePicture(spec: NetworkSpec, plane: Size, views: readonly View[], layer: string): string {
  const stages = sharedStages(spec, pixelAxes(views), tileOutputs);
  const at = stages.findIndex((stage) => stage.layer.name === layer);
  const [before, stage] = [stages[at - 1], stages[at]];
  if (!before || stage?.kind !== 'tiles')
    throw new Error(`Expected a convolution in tiles but received ${layer}`);
  const { axes, tiling } = stage;
  const [cover] = tiling.covers;
  if (!cover) throw new Error('Expected tiles');
  const examples = examplesOf(views, axes, cover);
  const columns = Math.max(before.axes.columns.keys, axes.columns.keys);
  const width = Math.max(NARROWEST, LEFT * 2 + CELL * columns);
  const second = TOP + CELL * before.axes.rows.keys + GAP;
  const height = second + CELL * axes.rows.keys + 24;
  const crops = views.length - 1;
  return svgDocument(
    `${layer} of the whole plane and ${String(crops)} crops, ${String(plane.width)}×${String(plane.height)}`,
    { width, height, left: LEFT },
    [
      FILLS,
      ...legend(LEFT, 58, [
        ['clean pale', 'an activation that the whole plane and crops have'],
        ['other pale', 'of the whole plane alone: what no crop sees'],
        ['edge pale', 'of crops alone: their edges'],
        ['unused', 'of nobody: neither computed nor read'],
      ]),
      text(
        '',
        LEFT,
        TOP - 12,
        `What it reads: ${sizeOf(before.axes)} keys, and what tiles a, b and c read of them`,
      ),
      ...cells(before.axes, views, TOP),
      ...examples.flatMap(({ name, row, column }) =>
        boxed(name, keysRead(cover.rows, row), keysRead(cover.columns, column), TOP),
      ),
      text(
        '',
        LEFT,
        second - 12,
        `What it makes: ${sizeOf(axes)} keys, in ${String(tileCount(tiling))} tiles`,
      ),
      ...cells(axes, views, second),
      ...tiling.covers.map((each) => frames(each, second)),
      ...examples.flatMap(({ name, row, column }) =>
        boxed(name, keysMade(cover.rows, row), keysMade(cover.columns, column), second),
      ),
    ],
  );
}

const sizeOf = ({ rows, columns }: Axes) => `${String(rows.keys)} × ${String(columns.keys)}`;

// In the middle of the plane, in the corner of a crop, and at the right edge of one.
function examplesOf(views: readonly View[], axes: Axes, { rows, columns }: Cover): Example[] {
  const whole = views.findIndex(
    ({ x, y, width }) => x === 0 && y === 0 && width === Math.max(...views.map((view) => view.width)),
  );
  const crop = views.findIndex(({ x, y }, index) => index !== whole && x > 0 && y > 0);
  const windowAt = (windows: Windows, keys: Int32Array | undefined, share: number) => {
    const key = keys?.[Math.round(share * (keys.length - 1))] ?? 0;
    return Math.floor((windows.places[key] ?? 0) / windows.outputs);
  };
  const rowOf = (view: number, share: number) =>
    windowAt(rows, axes.rows.spans[axes.views[view]?.row ?? 0], share);
  const columnOf = (view: number, share: number) =>
    windowAt(columns, axes.columns.spans[axes.views[view]?.column ?? 0], share);
  return [
    { name: 'a', row: rowOf(whole, 0.4), column: columnOf(whole, 0.4) },
    { name: 'b', row: rowOf(crop, 0), column: columnOf(crop, 0) },
    { name: 'c', row: rowOf(crop, 0.6), column: columnOf(crop, 1) },
  ];
}

function cells(axes: Axes, views: readonly View[], top: number): string[] {
  const { rows, columns } = axes;
  const whole = new Uint8Array(rows.keys * columns.keys);
  const crops = new Uint8Array(rows.keys * columns.keys);
  const widest = Math.max(...views.map(({ width }) => width));
  for (const [index, { row, column }] of axes.views.entries()) {
    const has = views[index]?.width === widest ? whole : crops;
    for (const r of rows.spans[row] ?? [])
      for (const c of columns.spans[column] ?? []) has[r * columns.keys + c] = 1;
  }
  const boxes = (wanted: (at: number) => boolean) =>
    Array.from({ length: rows.keys }, (_, row) =>
      runs(
        Array.from({ length: columns.keys }, (_, column) => column).filter((column) =>
          wanted(row * columns.keys + column),
        ),
      ).map(([from, to]) => ({
        ...{ x: LEFT + from * CELL, y: top + row * CELL },
        ...{ width: (to - from + 1) * CELL, height: CELL },
      })),
    ).flat();
  return [
    areas(
      'unused',
      boxes((at) => whole[at] === 0 && crops[at] === 0),
    ),
    areas(
      'clean pale',
      boxes((at) => whole[at] === 1 && crops[at] === 1),
    ),
    areas(
      'other pale',
      boxes((at) => whole[at] === 1 && crops[at] === 0),
    ),
    areas(
      'edge pale',
      boxes((at) => whole[at] === 0 && crops[at] === 1),
    ),
  ];
}

// What each tile writes.
function frames({ rows, columns, isTile }: Cover, top: number): string {
  return areas(
    'frame',
    Array.from(isTile).flatMap((tile, pair) =>
      tile === 0
        ? []
        : boxes(
            keysMade(rows, Math.floor(pair / columns.count)),
            keysMade(columns, pair % columns.count),
            top,
          ),
    ),
  );
}

function keysRead({ reads, inputs }: Windows, window: number): number[] {
  return [...reads.subarray(window * inputs, (window + 1) * inputs)].filter((key) => key !== OUTSIDE);
}

function keysMade({ places, outputs }: Windows, window: number): number[] {
  return [...places.keys()].filter((key) => Math.floor((places[key] ?? 0) / outputs) === window);
}

// Pairs of rows and columns as rectangles: keys that do not follow each other are apart.
function boxes(rows: readonly number[], columns: readonly number[], top: number) {
  return runs(rows).flatMap(([firstRow, lastRow]) =>
    runs(columns).map(([first, last]) => ({
      ...{ x: LEFT + first * CELL, y: top + firstRow * CELL },
      ...{ width: (last - first + 1) * CELL, height: (lastRow - firstRow + 1) * CELL },
    })),
  );
}

function boxed(name: string, rows: readonly number[], columns: readonly number[], top: number): string[] {
  const all = boxes(rows, columns, top);
  return [
    areas('strong', all),
    ...all.map(({ x, y, width, height }) => text('', x + width / 2, y + height / 2 + 4, name, 'middle')),
  ];
}

// Numbers that follow each other, as first and last.
function runs(numbers: readonly number[]): [first: number, last: number][] {
  const sorted = [...numbers].sort((a, b) => a - b);
  const found: [number, number][] = [];
  for (const number of sorted) {
    const last = found.at(-1);
    if (last && last[1] + 1 === number) last[1] = number;
    else found.push([number, number]);
  }
  return found;
}
