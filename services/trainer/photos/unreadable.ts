// Photos that cannot be decoded: named, counted, left out; too many of them are an error. Knows names alone.

import { VggError } from '../../../vgg/errors.ts';

/** A photo that cannot be decoded, and why not. */
export interface Unreadable {
  name: string;
  reason: string;
}

// Of all photos; one is always forgiven.
const FORGIVEN = 0.01;

/** Counts photos that cannot be decoded; each is told once. */
export class UnreadablePhotos {
  readonly #names = new Set<string>();
  readonly #photos: number;
  readonly #tell: (unreadable: Unreadable) => void;

  /** @param photos how many there are in all */
  constructor(photos: number, tell: (unreadable: Unreadable) => void) {
    this.#photos = photos;
    this.#tell = tell;
  }

  /** @throws VggError INVALID_ARGUMENT once they are more than one in a hundred */
  add(unreadable: Unreadable): void {
    if (this.#names.has(unreadable.name)) return;
    this.#names.add(unreadable.name);
    this.#tell(unreadable);
    if (this.#names.size <= Math.max(1, Math.floor(FORGIVEN * this.#photos))) return;
    const [first = '', second = ''] = this.#names;
    throw new VggError(
      'INVALID_ARGUMENT',
      `Expected at most 1 % of ${String(this.#photos)} photos to be unreadable but found ` +
        `${String(this.#names.size)}, such as ${first} and ${second}: ${unreadable.reason}`,
    );
  }
}

/** Why a photo could not be decoded, as one line. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
