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
  const runs = new Runs(1, total(spans.map(({ length }) => length)));
  const places = spans.map(({ start, length, mirrored }) => {
    const positions = Int32Array.from({ length }, (_, offset) =>
      mirrored ? start + length - 1 - offset : start + offset,
    );
    return positions.map((_, offset) => runs.numberOf(positions, offset));
  });
  return { keys: runs.count, spans: places, reads: runs.values() };
}

/** The level that a layer makes of another. */
export function nextLevel(below: AxisLevel, { kernel, pad, stride }: AxisStep): AxisLevel {
  const lengths = below.spans.map(({ length }) =>
    Math.max(0, Math.floor((length + 2 * pad - kernel) / stride) + 1),
  );
  const runs = new Runs(kernel, total(lengths));
  const spans = below.spans.map((sources, span) => {
    const padded = new Int32Array(sources.length + 2 * pad).fill(OUTSIDE);
    padded.set(sources, pad);
    const keys = new Int32Array(lengths[span] ?? 0);
    for (let place = 0; place < keys.length; place++) keys[place] = runs.numberOf(padded, place * stride);
    return keys;
  });
  return { keys: runs.count, spans, reads: runs.values() };
}

/** The distinct keys of some spans, ascending. */
export function keysOf(level: AxisLevel, spans: Iterable<number>): Int32Array {
  const has = new Uint8Array(level.keys);
  for (const span of spans) for (const key of level.spans[span] ?? []) has[key] = 1;
  return marked(has);
}

/** Where there is a 1, ascending. */
export function marked(marks: Uint8Array): Int32Array {
  const places = new Int32Array(marks.length);
  let count = 0;
  for (let place = 0; place < marks.length; place++) if (marks[place] === 1) places[count++] = place;
  return places.slice(0, count);
}

function total(lengths: readonly number[]): number {
  return lengths.reduce((sum, length) => sum + length, 0);
}

// Numbers runs of so many values: the same run has the same number, a new one gets the next. A hash table in which a
// run lies in its own slot or, if that is taken, behind it.
class Runs {
  readonly #length: number;
  readonly #values: Int32Array;
  /** 1 + number of a run; 0: free. */
  readonly #slots: Int32Array;
  #count = 0;

  /** @param most runs that there may be; slots are at least twice as many */
  constructor(length: number, most: number) {
    this.#length = length;
    this.#values = new Int32Array(length * most);
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * most + 1)));
  }

  get count(): number {
    return this.#count;
  }

  /** [count × length], in the order of their numbers. */
  values(): Int32Array {
    return this.#values.slice(0, this.#count * this.#length);
  }

  numberOf(values: Int32Array, from: number): number {
    let hash = 0;
    for (let i = 0; i < this.#length; i++) hash = Math.imul(hash ^ (values[from + i] ?? 0), 0x9e3779b1);
    // High bits depend on all values, low ones do not.
    let slot = (hash ^ (hash >>> 15)) & (this.#slots.length - 1);
    for (;;) {
      const taken = this.#slots[slot] ?? 0;
      if (taken === 0) break;
      if (this.#isRun(taken - 1, values, from)) return taken - 1;
      slot = (slot + 1) & (this.#slots.length - 1);
    }
    for (let i = 0; i < this.#length; i++)
      this.#values[this.#count * this.#length + i] = values[from + i] ?? 0;
    this.#slots[slot] = ++this.#count;
    return this.#count - 1;
  }

  #isRun(number: number, values: Int32Array, from: number): boolean {
    for (let i = 0, at = number * this.#length; i < this.#length; i++, at++)
      if (this.#values[at] !== values[from + i]) return false;
    return true;
  }
}
