// Which activations several views share, along one axis. Knows positions on a line; neither channels nor the other axis.
//
// A view covers a span of the plane and sees zeros beyond it. Whatever a layer computes at a place of a span is fixed
// by what it reads there. So a *key* is an activation by what it is computed from: two places of two spans have the
// same key if, and only if, they read the same keys in the same order, down to the pixels. Far from the edges of two
// overlapping spans keys coincide; close to an edge, which reads a zero, they differ. Mirrored spans read the same
// pixels in reverse order.

/** A view along one axis: pixels [start, start + length), read from the end if mirrored. */
export interface Span {
  start: number;
  length: number;
  mirrored: boolean;
}

/** What a layer reads along one axis: `kernel` places, `stride` apart from place to place, zeros `pad` beyond the ends. */
export interface AxisStep {
  kernel: number;
  pad: number;
  stride: number;
}

/** No key: beyond a span's end, which is zero. */
export const OUTSIDE = -1;

/** A layer's activations along one axis. */
export interface AxisLevel {
  /** Distinct activations; keys are 0 to `keys` − 1. */
  readonly keys: number;
  /** Of each span, the key of each place. */
  readonly spans: readonly Int32Array[];
  /** [keys × kernel] keys of the level below, or OUTSIDE; of pixels, their positions on the plane. */
  readonly reads: Int32Array;
}

/** Pixels: a key is a position on the plane that some span covers. */
export function pixelLevel(spans: readonly Span[]): AxisLevel {
  const keyOf = new Map<number, number>();
  const places = spans.map(({ start, length, mirrored }) =>
    Int32Array.from({ length }, (_, offset) => {
      const position = mirrored ? start + length - 1 - offset : start + offset;
      return keyed(keyOf, position);
    }),
  );
  return { keys: keyOf.size, spans: places, reads: Int32Array.from(keyOf.keys()) };
}

/** The level that a layer makes of another. */
export function nextLevel(below: AxisLevel, { kernel, pad, stride }: AxisStep): AxisLevel {
  const reads: number[] = [];
  // Keys that read the same, by what they read: a trie, whose edges are (node, key) pairs.
  const edges = new Map<number, number>();
  let nodes = 1;
  const leaves = new Map<number, number>();
  const spans = below.spans.map((places) => {
    const length = Math.floor((places.length + 2 * pad - kernel) / stride) + 1;
    return Int32Array.from({ length: Math.max(0, length) }, (_, offset) => {
      const first = offset * stride - pad;
      let node = 0;
      for (let i = 0; i < kernel; i++) {
        const edge = node * (below.keys + 1) + (places[first + i] ?? OUTSIDE) + 1;
        let next = edges.get(edge);
        if (next === undefined) edges.set(edge, (next = nodes++));
        node = next;
      }
      const known = leaves.size;
      const key = keyed(leaves, node);
      if (key === known) for (let i = 0; i < kernel; i++) reads.push(places[first + i] ?? OUTSIDE);
      return key;
    });
  });
  return { keys: leaves.size, spans, reads: Int32Array.from(reads) };
}

// The number of an item; a new one gets the next.
function keyed(numbers: Map<number, number>, item: number): number {
  let key = numbers.get(item);
  if (key === undefined) numbers.set(item, (key = numbers.size));
  return key;
}
