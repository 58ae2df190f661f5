// The right answers: computed once while nothing is wrong, and what every later one is compared with.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoadPhoto, LoadRequest, Target } from '../../loadtest/request.ts';
import { packageRoot } from '../../proto/package-root.ts';
import type { AnswerJson, Protocol } from '../../sdk/index.ts';

/** Posteriors that differ by more than so much in any class are different answers. */
export const TOLERANCE = 1e-4;

const PHOTOS = ['chair.jpg', 'dolphin.jpg', 'elephant.jpg'];
const FOLDER = join(packageRoot, 'services/gateway/page/photos');

/** Protocols that are asked for. */
export const PROTOCOLS = ['CENTER_CROP', 'TEN_CROP'] as const satisfies Protocol[];

/** Three small photos. */
export async function readPhotos(): Promise<LoadPhoto[]> {
  return Promise.all(PHOTOS.map(async (name) => ({ name, bytes: await readFile(join(FOLDER, name)) })));
}

/** Right answers by photo and protocol. */
export class Truth {
  readonly #posteriors = new Map<string, readonly number[]>();

  /** Asks for each photo by each protocol. @throws what the target throws */
  static async of(target: Target, photos: readonly LoadPhoto[]): Promise<Truth> {
    const truth = new Truth();
    for (const photo of photos)
      for (const protocol of PROTOCOLS) {
        const { posterior } = await target.send(
          { photo, kind: { protocol, model: '' } },
          new AbortController().signal,
        );
        if (posterior === undefined) throw new Error('Expected a posterior');
        truth.#posteriors.set(`${photo.name} ${protocol}`, posterior);
      }
    return truth;
  }

  /** Whether an answer is the right one. */
  holds({ photo, kind }: LoadRequest, { posterior }: Pick<AnswerJson, 'posterior'>): boolean {
    return this.fits(photo.name, kind.protocol, posterior ?? []);
  }

  /** Whether a posterior is the right one. */
  fits(photo: string, protocol: Protocol, posterior: ArrayLike<number>): boolean {
    const right = this.#posteriors.get(`${photo} ${protocol}`);
    if (right === undefined) throw new Error(`Expected a photo that is known but received ${photo}`);
    return (
      posterior.length === right.length &&
      right.every((value, i) => Math.abs(value - (posterior[i] ?? NaN)) <= TOLERANCE)
    );
  }
}
