// Which boxes of a tensor make a run of its elements: HDF5 reads boxes, readers of weights ask for runs.
// Knows arithmetic alone.

/** A box of a tensor: `count` places from `offset` along each axis. */
export interface Slab {
  offset: number[];
  count: number[];
}

/**
 * The fewest boxes that are, one after another, the elements from `start` in row-major order.
 *
 * @param shape of the tensor, each ≥ 1
 * @param count elements, ≥ 0; `start + count` is no more than the tensor has
 * @returns at most two per axis, less one
 */
export function slabsOf(shape: readonly number[], start: number, count: number): Slab[] {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const slabs: Slab[] = [];
  for (const end = start + count; start < end;) {
    // The outermost axis along which a whole step begins here and still fits.
    const axis = strides.findIndex((stride) => start % stride === 0 && end - start >= stride);
    const [size = 1, stride = 1] = [shape[axis], strides[axis]];
    const steps = Math.min(Math.floor((end - start) / stride), size - (Math.floor(start / stride) % size));
    const from = start;
    slabs.push({
      offset: shape.map((each, i) => Math.floor(from / (strides[i] ?? 1)) % each),
      count: shape.map((each, i) => (i < axis ? 1 : i === axis ? steps : each)),
    });
    start += steps * stride;
  }
  return slabs;
}
