// The crops of each scale and flip as a small table that mirrors where they lie, and how arrow keys walk through it.

import type { Slot } from './slots.ts';

/** A crop at its place in a table. */
export interface Cell {
  row: number;
  column: number;
  slot: Slot;
}

/** The crops of one scale and one flip. */
export interface Grid {
  scale: number;
  mirrored: boolean;
  rows: number;
  columns: number;
  cells: Cell[];
}

/** A direction on the screen. */
export type Step = 'left' | 'right' | 'up' | 'down';

/** Tables of all crops, plain before mirrored, in the order of the scales. */
export function gridsOf(slots: readonly Slot[], protocol: string): Grid[] {
  const crops = slots.filter(({ dense }) => !dense);
  const scales = [...new Set(crops.map(({ scale }) => scale))];
  return scales.flatMap((scale) =>
    [false, true].flatMap((mirrored) => {
      const own = crops.filter((slot) => slot.scale === scale && slot.mirrored === mirrored);
      return own.length > 0 ? [gridOf(own, { scale, mirrored, protocol })] : [];
    }),
  );
}

/** The cell that a step leads to: the nearest one that way, if need be in the next table; nothing at the end. */
export function neighbour(grids: readonly Grid[], index: number, step: Step): Slot | undefined {
  const grid = grids.find(({ cells }) => cells.some(({ slot }) => slot.index === index));
  const from = grid?.cells.find(({ slot }) => slot.index === index);
  if (!grid || !from) return undefined;
  const inside = nearest(grid.cells, from, step);
  if (inside) return inside.slot;
  const sideways = step === 'left' || step === 'right';
  const next = grids.find((other) =>
    sideways
      ? other.scale === grid.scale && other.mirrored === (step === 'right') && other !== grid
      : other === grids[grids.indexOf(grid) + beside(grids, grid) * (step === 'down' ? 1 : -1)],
  );
  // Entered at the near edge, in the same row or column.
  const entry = sideways
    ? { row: from.row, column: step === 'right' ? -1 : (next?.columns ?? 0) }
    : { row: step === 'down' ? -1 : (next?.rows ?? 0), column: from.column };
  return next && nearest(next.cells, entry, step)?.slot;
}

// Tables of a scale that stand side by side.
function beside(grids: readonly Grid[], { scale }: Grid): number {
  return grids.filter((grid) => grid.scale === scale).length;
}

function nearest(
  cells: readonly Cell[],
  from: { row: number; column: number },
  step: Step,
): Cell | undefined {
  const sideways = step === 'left' || step === 'right';
  const sign = step === 'right' || step === 'down' ? 1 : -1;
  const distance = ({ row, column }: Cell) => {
    const along = sign * (sideways ? column - from.column : row - from.row);
    const across = Math.abs(sideways ? row - from.row : column - from.column);
    return along > 0 ? Math.hypot(along, across) : Infinity;
  };
  // Of two corners as near, one for each direction: so the centre of four leads to all of them.
  const ordered = step === 'down' || step === 'left' ? cells.toReversed() : cells;
  const best = ordered.reduce<Cell | undefined>(
    (least, cell) => (least === undefined || distance(cell) < distance(least) ? cell : least),
    undefined,
  );
  return best && distance(best) < Infinity ? best : undefined;
}

// Corners and centre of a square, row and column.
const QUINCUNX = [
  [0, 0],
  [0, 2],
  [2, 0],
  [2, 2],
  [1, 1],
] as const;

function gridOf(
  slots: readonly Slot[],
  { scale, mirrored, protocol }: { scale: number; mirrored: boolean; protocol: string },
): Grid {
  const cells = slots.map((slot, i) => ({ ...cellPlace(slots, i, protocol), slot }));
  return {
    scale,
    mirrored,
    rows: Math.max(...cells.map(({ row }) => row)) + 1,
    columns: Math.max(...cells.map(({ column }) => column)) + 1,
    cells,
  };
}

function cellPlace(slots: readonly Slot[], i: number, protocol: string): { row: number; column: number } {
  if (protocol === 'TEN_CROP' && slots.length === 5) {
    const [row = 0, column = 0] = QUINCUNX[i] ?? [];
    return { row, column };
  }
  if (protocol === 'GOOGLENET_144' && slots.length === 18) {
    // Three squares in a row, each with its five crops; below them the squares themselves.
    const square = i < 15 ? Math.floor(i / 5) : i - 15;
    const [row, column] = i < 15 ? (QUINCUNX[i % 5] ?? [0, 0]) : [3, 1];
    return { row, column: 4 * square + column };
  }
  const side = Math.ceil(Math.sqrt(slots.length));
  return { row: Math.floor(i / side), column: i % side };
}
