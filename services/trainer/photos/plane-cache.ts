// Decoded photos in memory that all threads share, up to a bound: what does not fit is decoded again.
// Knows bytes and places; not how photos are decoded.

import type { Pixels } from './crop.ts';

/** The memory itself; crosses to threads as it is. */
export interface CacheMemory {
  chunks: SharedArrayBuffer[];
  /** [photos, 4]: state, width, height, offset. */
  slots: SharedArrayBuffer;
  /** [1]: units given away. */
  used: SharedArrayBuffer;
}

const CHUNK = 64 * 1024 * 1024;
// Offsets are counted in units of so many bytes, which lets 32 bits reach 512 GiB.
const UNIT = 256;
const UNITS_PER_CHUNK = CHUNK / UNIT;

// States of a slot.
const FREE = 0;
const CLAIMED = 1;
const FULL = 2;

/**
 * Memory for at most `bytes` of photos. The system gives it when it is first written to.
 *
 * @param most no more than this is useful
 */
export function createCacheMemory(photos: number, bytes: number, most: number): CacheMemory {
  const total = Math.min(bytes, most, 2 ** 31 * UNIT);
  const chunks: SharedArrayBuffer[] = [];
  for (let left = total; left >= UNIT; left -= CHUNK)
    chunks.push(new SharedArrayBuffer(Math.min(left, CHUNK)));
  return { chunks, slots: new SharedArrayBuffer(photos * 16), used: new SharedArrayBuffer(4) };
}

/** Decoded photos by their index in a list. */
export class PlaneCache {
  readonly #chunks: SharedArrayBuffer[];
  readonly #slots: Int32Array;
  readonly #used: Int32Array;

  constructor({ chunks, slots, used }: CacheMemory) {
    this.#chunks = chunks;
    this.#slots = new Int32Array(slots);
    this.#used = new Int32Array(used);
  }

  /** A photo that was put in, if it was and there was room. */
  get(photo: number): Pixels | undefined {
    const at = photo * 4;
    if (Atomics.load(this.#slots, at) !== FULL) return undefined;
    const [width = 0, height = 0, offset = 0] = this.#slots.subarray(at + 1, at + 4);
    const chunk = this.#chunks[Math.floor(offset / UNITS_PER_CHUNK)];
    if (!chunk) return undefined;
    const bytes = new Uint8Array(chunk, (offset % UNITS_PER_CHUNK) * UNIT, width * height * 3);
    return { width, height, rgb8: bytes };
  }

  /** Keeps a copy, unless a thread has done so or there is no room. */
  put(photo: number, { width, height, rgb8 }: Pixels): void {
    const at = photo * 4;
    if (Atomics.compareExchange(this.#slots, at, FREE, CLAIMED) !== FREE) return;
    const bytes = width * height * 3;
    const offset = this.#take(bytes);
    const chunk = offset === undefined ? undefined : this.#chunks[Math.floor(offset / UNITS_PER_CHUNK)];
    // It stays claimed: what did not fit once will not fit later.
    if (offset === undefined || !chunk) return;
    new Uint8Array(chunk, (offset % UNITS_PER_CHUNK) * UNIT, bytes).set(rgb8.subarray(0, bytes));
    this.#slots.set([width, height, offset], at + 1);
    Atomics.store(this.#slots, at, FULL);
  }

  // A place within one chunk, in units.
  #take(bytes: number): number | undefined {
    const units = Math.ceil(bytes / UNIT);
    for (;;) {
      const used = Atomics.load(this.#used, 0);
      const chunk = this.#chunks.findIndex(
        ({ byteLength }, i) =>
          Math.max(used, i * UNITS_PER_CHUNK) + units <= i * UNITS_PER_CHUNK + Math.floor(byteLength / UNIT),
      );
      if (chunk < 0) return undefined;
      const place = Math.max(used, chunk * UNITS_PER_CHUNK);
      if (Atomics.compareExchange(this.#used, 0, used, place + units) === used) return place;
    }
  }
}
