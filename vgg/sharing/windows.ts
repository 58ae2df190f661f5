// Activations along one axis in windows of neighbours, so that a tile of outputs reads its inputs once. Knows keys;
// not what is computed in a window.

import { OUTSIDE, type AxisLevel, type AxisStep } from './axis.ts';

/** Windows that together have every key of a level, or of some of its spans. */
export interface Windows {
  readonly count: number;
  /** Outputs of a window. */
  readonly outputs: number;
  /** Inputs of a window: kernel for the first output, and a stride for each further one. */
  readonly inputs: number;
  /** [count × inputs] keys of the level below, or OUTSIDE. */
  readonly reads: Int32Array;
  /** [keys] window · outputs + place in it, where each key is taken from; −1: no window has it. */
  readonly places: Int32Array;
}

/**
 * Covers spans of a level with windows of `outputs` neighbours. Each is walked from its start; where a key has no
 * window yet one begins, and keys further on that have one already are computed again for nothing. So a span costs at
 * most ⌈length / outputs⌉ windows, and spans that share keys less.
 */
export function coverWindows(
  below: AxisLevel,
  level: AxisLevel,
  { kernel, pad, stride }: AxisStep,
  outputs: number,
  spans: Iterable<number> = level.spans.keys(),
): Windows {
  const inputs = (outputs - 1) * stride + kernel;
  const places = new Int32Array(level.keys).fill(-1);
  const reads: number[] = [];
  let count = 0;
  for (const span of spans) {
    const keys = level.spans[span] ?? new Int32Array();
    const sources = below.spans[span] ?? new Int32Array();
    for (let start = 0; start < keys.length;) {
      if (places[keys[start] ?? 0] !== -1) {
        start++;
        continue;
      }
      for (let i = 0; i < inputs; i++) reads.push(sources[start * stride - pad + i] ?? OUTSIDE);
      for (let i = 0; i < outputs && start + i < keys.length; i++) {
        const key = keys[start + i] ?? 0;
        if (places[key] === -1) places[key] = count * outputs + i;
      }
      count++;
      start += outputs;
    }
  }
  return { count, outputs, inputs, reads: Int32Array.from(reads), places };
}
