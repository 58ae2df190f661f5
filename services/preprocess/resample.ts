// Resampling along one axis as Pillow does it, antialiased, in whole numbers: which pixels make a pixel, with what
// weights, and rows made by them. Knows kernels and rows; neither photos nor which part of a plane is asked for.

import type { Kernel } from '../../vgg/views.ts';

interface Filter {
  /** Half of its width, in pixels of the source when enlarging. */
  support: number;
  weight: (x: number) => number;
}

// Coefficients are whole numbers of 2⁻²²: their products with 8-bit levels fit 32 bits.
const PRECISION = 22;
const HALF = 1 << (PRECISION - 1);

const FILTERS: Record<Exclude<Kernel, 'nearest'>, Filter> = {
  linear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  // Keys' cubic with a = −1/2 (Catmull-Rom).
  cubic: { support: 2, weight: (x) => catmullRom(Math.abs(x)) },
  lanczos3: { support: 3, weight: (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/** Which source positions make each target position, and with what weights. */
export interface Taps {
  /** Most weights of a target position. */
  count: number;
  /** [targets]: first source position. */
  first: Int32Array;
  /** [targets, count]: weights in units of 2^−PRECISION; unused ones are 0 and lie within the source. */
  weights: Int32Array;
}

/**
 * The taps of an axis that is resampled from `from` pixels to `to`.
 *
 * @param start first target position that is wanted
 * @param targets how many are
 */
export function tapsOf(from: number, to: number, kernel: Kernel, start = 0, targets = to): Taps {
  const scale = from / to;
  if (kernel === 'nearest') {
    // Added up rather than multiplied, for the same rounding of halves.
    let at = scale / 2;
    const first = new Int32Array(targets);
    for (let i = -start; i < targets; i++, at += scale) {
      if (i >= 0) first[i] = Math.min(Math.floor(at), from - 1);
    }
    return { count: 1, first, weights: new Int32Array(targets).fill(1 << PRECISION) };
  }
  const { support, weight } = FILTERS[kernel];
  const spread = Math.max(scale, 1);
  const reach = support * spread;
  const leastOf = (center: number) => Math.max(0, Math.floor(center - reach + 0.5));
  const endOf = (center: number) => Math.min(from, Math.floor(center + reach + 0.5));
  let count = 0;
  for (let i = start; i < start + targets; i++) {
    const center = (i + 0.5) * scale;
    count = Math.max(count, endOf(center) - leastOf(center));
  }
  if (count === 3 && from > 3) count = 4; // Its rows have a way of their own.
  const first = new Int32Array(targets);
  const weights = new Int32Array(targets * count);
  const each = new Float64Array(count);
  for (let i = 0; i < targets; i++) {
    const center = (start + i + 0.5) * scale;
    const least = leastOf(center);
    const taps = endOf(center) - least;
    let sum = 0;
    for (let k = 0; k < taps; k++) sum += each[k] = weight((least + k - center + 0.5) / spread);
    // So that positions without weight are read inside the source too.
    const begin = Math.min(least, from - count);
    first[i] = begin;
    for (let k = 0; k < taps; k++) {
      weights[i * count + least - begin + k] = Math.round(((each[k] ?? 0) / sum) * 2 ** PRECISION);
    }
  }
  return { count, first, weights };
}

/**
 * One row resampled across: [targets, 3] levels.
 *
 * @param sourceRow where the row begins in the source, in bytes
 * @param targetRow where it goes to in the target, in bytes
 */
export function resampleRow(
  source: Uint8Array,
  sourceRow: number,
  target: Uint8ClampedArray,
  targetRow: number,
  taps: Taps,
): void {
  const { count, first, weights } = taps;
  if (count === 2) {
    resampleTwo(source, sourceRow, target, targetRow, taps);
    return;
  }
  if (count === 4) {
    resampleFour(source, sourceRow, target, targetRow, taps);
    return;
  }
  let out = targetRow;
  for (let x = 0, tap = 0; x < first.length; x++) {
    let red = HALF;
    let green = HALF;
    let blue = HALF;
    let from = sourceRow + (first[x] ?? 0) * 3;
    for (let k = 0; k < count; k++, tap++, from += 3) {
      const weight = weights[tap] ?? 0;
      red += weight * (source[from] ?? 0);
      green += weight * (source[from + 1] ?? 0);
      blue += weight * (source[from + 2] ?? 0);
    }
    target[out++] = red >> PRECISION;
    target[out++] = green >> PRECISION;
    target[out++] = blue >> PRECISION;
  }
}

// resampleRow for the default kernel, in less time.
function resampleTwo(
  source: Uint8Array,
  sourceRow: number,
  target: Uint8ClampedArray,
  targetRow: number,
  { first, weights }: Taps,
): void {
  let out = targetRow;
  for (let x = 0; x < first.length; x++) {
    const at = sourceRow + (first[x] ?? 0) * 3;
    const left = weights[x * 2] ?? 0;
    const right = weights[x * 2 + 1] ?? 0;
    target[out++] = (HALF + left * (source[at] ?? 0) + right * (source[at + 3] ?? 0)) >> PRECISION;
    target[out++] = (HALF + left * (source[at + 1] ?? 0) + right * (source[at + 4] ?? 0)) >> PRECISION;
    target[out++] = (HALF + left * (source[at + 2] ?? 0) + right * (source[at + 5] ?? 0)) >> PRECISION;
  }
}

/**
 * Row y of the target: the source's rows mixed.
 *
 * @param bytes of a row, in source and target
 */
export function mixRows(
  source: Uint8Array,
  target: Uint8ClampedArray,
  bytes: number,
  y: number,
  taps: Taps,
): void {
  if (taps.count === 2) {
    mixTwoRows(source, target, bytes, y, taps);
    return;
  }
  if (taps.count === 4) {
    mixFourRows(source, target, bytes, y, taps);
    return;
  }
  const { count, first, weights } = taps;
  const start = (first[y] ?? 0) * bytes;
  for (let i = 0; i < bytes; i++) {
    let sum = HALF;
    for (let k = 0, from = start + i; k < count; k++, from += bytes) {
      sum += (weights[y * count + k] ?? 0) * (source[from] ?? 0);
    }
    target[y * bytes + i] = sum >> PRECISION;
  }
}

// mixRows for the default kernel, in half the time.
function mixTwoRows(
  source: Uint8Array,
  target: Uint8ClampedArray,
  bytes: number,
  y: number,
  taps: Taps,
): void {
  const { first, weights } = taps;
  const upper = weights[y * 2] ?? 0;
  const lower = weights[y * 2 + 1] ?? 0;
  const start = (first[y] ?? 0) * bytes;
  for (let i = 0; i < bytes; i++) {
    const sum = HALF + upper * (source[start + i] ?? 0) + lower * (source[start + bytes + i] ?? 0);
    target[y * bytes + i] = sum >> PRECISION;
  }
}

// resampleRow for reductions to between a half and the whole with the default kernel, in half the time.
function resampleFour(
  source: Uint8Array,
  sourceRow: number,
  target: Uint8ClampedArray,
  targetRow: number,
  { first, weights }: Taps,
): void {
  let out = targetRow;
  for (let x = 0; x < first.length; x++) {
    const at = sourceRow + (first[x] ?? 0) * 3;
    const a = weights[x * 4] ?? 0;
    const b = weights[x * 4 + 1] ?? 0;
    const c = weights[x * 4 + 2] ?? 0;
    const d = weights[x * 4 + 3] ?? 0;
    for (let channel = at; channel < at + 3; channel++) {
      const one = a * (source[channel] ?? 0) + b * (source[channel + 3] ?? 0);
      const other = c * (source[channel + 6] ?? 0) + d * (source[channel + 9] ?? 0);
      target[out++] = (HALF + one + other) >> PRECISION;
    }
  }
}

// mixRows for the same.
function mixFourRows(
  source: Uint8Array,
  target: Uint8ClampedArray,
  bytes: number,
  y: number,
  { first, weights }: Taps,
): void {
  const start = (first[y] ?? 0) * bytes;
  const a = weights[y * 4] ?? 0;
  const b = weights[y * 4 + 1] ?? 0;
  const c = weights[y * 4 + 2] ?? 0;
  const d = weights[y * 4 + 3] ?? 0;
  for (let i = start, out = y * bytes; i < start + bytes; i++, out++) {
    const one = a * (source[i] ?? 0) + b * (source[i + bytes] ?? 0);
    const other = c * (source[i + 2 * bytes] ?? 0) + d * (source[i + 3 * bytes] ?? 0);
    target[out] = (HALF + one + other) >> PRECISION;
  }
}

function catmullRom(x: number): number {
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}
