// Which photos are held out for validation. Knows names and classes alone: a photo's side does not depend on the
// order of the disk, nor on photos of other classes.

import { createHash } from 'node:crypto';
import type { PhotoFile } from './folder.ts';

/** The two sides of a list of photos; the order is the list's. */
export interface Split<Photo> {
  training: Photo[];
  validation: Photo[];
}

/**
 * Holds out a share of each class: those whose names have the least hashes. A class of one photo keeps it for
 * training; of two or more, at least one is held out and at least one is not. Nothing is held out for a share of 0.
 *
 * @param share of each class's photos, from 0, less than 1
 * @param seed another one holds out others
 */
export function splitPhotos<Photo extends PhotoFile>(
  photos: readonly Photo[],
  share: number,
  seed: number,
): Split<Photo> {
  const classes = new Map<number, { name: string; hash: string }[]>();
  for (const { name, classIndex } of photos) {
    const members = classes.get(classIndex) ?? [];
    if (members.length === 0) classes.set(classIndex, members);
    const hash = createHash('sha256')
      .update(`${String(seed)}\n${name}`)
      .digest('hex');
    members.push({ name, hash });
  }
  const held = new Set<string>();
  for (const members of classes.values()) {
    const count = heldOut(members.length, share);
    members.sort((one, other) => (one.hash < other.hash ? -1 : 1));
    for (const { name } of members.slice(0, count)) held.add(name);
  }
  return {
    training: photos.filter(({ name }) => !held.has(name)),
    validation: photos.filter(({ name }) => held.has(name)),
  };
}

function heldOut(photos: number, share: number): number {
  if (share <= 0 || photos < 2) return 0;
  return Math.min(photos - 1, Math.max(1, Math.round(share * photos)));
}
