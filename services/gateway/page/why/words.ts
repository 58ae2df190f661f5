// What votes come to, in words. Knows numbers and names; no markup.

import type { Rectangle } from '../../../../vgg/views/planes.ts';
import type { Slot } from './slots.ts';
import type { Tally } from './votes.ts';

/** A probability in per cent, with as many digits as tell something. */
export function percent(share: number): string {
  const value = share * 100;
  if (value > 0 && value < 0.1) return '< 0.1 %';
  if (value < 100 && value >= 99.95) return '> 99.9 %';
  return `${value === 0 || value === 100 ? value.toFixed(0) : value.toFixed(1)} %`;
}

/** A probability in whole per cent, as a cell has room for. */
export function wholePercent(share: number): string {
  return (share * 100).toFixed(0);
}

/** A score before any softmax. */
export function score(value: number): string {
  return value.toFixed(2).replace('-', '−');
}

/** Where on the photo a rectangle lies: "top left", "left", "centre". */
export function whereabouts({ x, y, width, height }: Rectangle): string {
  const part = (room: number, at: number, names: readonly [string, string]) => {
    // What has hardly any room to move is in the middle.
    if (room < 0.02) return '';
    const share = at / room;
    return share < 0.34 ? names[0] : share > 0.66 ? names[1] : '';
  };
  const vertical = part(1 - height, y, ['top', 'bottom']);
  const horizontal = part(1 - width, x, ['left', 'right']);
  return [vertical, horizontal].filter((word) => word !== '').join(' ') || 'centre';
}

/** A view by its scale, place and flip: "92, top left, mirrored". */
export function viewName({ scale, place, mirrored, dense }: Slot): string {
  return [String(scale), dense ? 'whole photo' : whereabouts(place), ...(mirrored ? ['mirrored'] : [])].join(
    ', ',
  );
}

/** A weight as a fraction where it is one: "1/150". */
export function weightName(weight: number): string {
  const parts = Math.round(1 / weight);
  return Math.abs(parts * weight - 1) < 1e-3 ? `1/${String(parts)}` : weight.toPrecision(3);
}

/** Which views are meant. */
export interface Selection {
  /** Nothing: all scales. */
  scale?: number;
  /** Nothing: both flips. */
  mirrored?: boolean;
}

/** "31 of 50 crops at 256 put elephant first." */
export function countSentence({ first, count }: Tally, label: string, selection: Selection): string {
  const { scale, mirrored } = selection;
  const kind = mirrored === undefined ? '' : mirrored ? 'mirrored ' : 'plain ';
  const where = scale === undefined ? '' : ` at ${String(scale)}`;
  if (count === 0) return `No ${kind}crop${where} was computed.`;
  if (count === 1)
    return `The one ${kind}crop${where} ${first === 1 ? 'puts' : 'does not put'} ${label} first.`;
  const many =
    first === count
      ? `All ${String(count)}`
      : first === 0
        ? `None of ${String(count)}`
        : `${String(first)} of ${String(count)}`;
  return `${many} ${kind}crops${where} ${first === 1 || first === 0 ? 'puts' : 'put'} ${label} first.`;
}
