// What makes two requests the same: the bytes of the photo, the models down to their weights, everything that
// changes the answer, and whose request it is. Knows no HTTP, and not how an answer is kept.

import { createHash, webcrypto } from 'node:crypto';
import type { EvaluationOptions } from '../../../sdk/index.ts';

/** What is asked of a photo: all of it changes the answer. */
export interface Wish extends EvaluationOptions {
  /** Names in the order in which they are averaged; none: the server's default. */
  models: readonly string[];
  top: number | undefined;
  posterior: boolean;
  viewScores: boolean;
  scoreMaps: boolean;
}

/** A model as its answers depend on it. */
export interface ModelIdentity {
  name: string;
  /** Of the weights file, hexadecimal. */
  sha256: string;
  engine: string;
}

/** SHA-256 of a photo, computed off the thread that serves. */
export async function photoDigest(photo: Uint8Array): Promise<Buffer> {
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', photo as Uint8Array<ArrayBuffer>));
}

/**
 * The key of an answer, 64 hexadecimal digits: equal if and only if all of this is.
 *
 * @param space whose answers these are; '' where nobody has a credential
 * @param models the models that the wish means, by weights
 * @param digest {@link photoDigest}
 */
export function answerKey(
  space: string,
  models: readonly ModelIdentity[],
  wish: Wish,
  digest: Uint8Array,
): string {
  const identities = models.map(({ name, sha256, engine }) => [name, sha256, engine]);
  // In order of name; what is not given is not there. The models are told by their weights.
  const options = Object.entries(wish)
    .filter(([name, value]) => name !== 'models' && value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify([space, identities, options]);
  // The digest comes first, at its fixed length: nothing can be moved across the seam.
  return createHash('sha256').update(digest).update(text).digest('hex');
}
