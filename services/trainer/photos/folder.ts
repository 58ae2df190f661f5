// Photos on disk, one folder a class: which there are, in an order that is the same on every machine.
// Knows names; opens no photo.

import { readdir, realpath, stat } from 'node:fs/promises';
import type { Dirent } from 'node:fs';
import { join, sep } from 'node:path';
import { VggError, expected } from '../../../vgg/errors.ts';

/** A photo of a folder. */
export interface PhotoFile {
  /** `class/file`, with a slash on every system. */
  name: string;
  classIndex: number;
}

/** A folder of photos. */
export interface PhotoFolder {
  root: string;
  /** Names of the class folders, in order: index = class. */
  labels: string[];
  /** By class, then by name; both by their UTF-16 code units, which no locale changes. */
  photos: PhotoFile[];
  /** Files in class folders that are no photos, or lead out of the folder. */
  others: string[];
}

const PHOTO = /\.(jpe?g|jpe|jfif|png|webp|avif|tiff?|gif)$/i;

/**
 * Lists `root/CLASS/PHOTO`. Photos are known by their extensions; names that begin with a dot are passed over.
 * A symbolic link counts as what it leads to if that lies in the same folder.
 *
 * @throws VggError NOT_FOUND without the folder; INVALID_ARGUMENT naming classes that cannot be read or have no
 *   photos, or if there are fewer than two
 */
export async function listPhotos(root: string): Promise<PhotoFolder> {
  const top = await realpath(root).catch((cause: unknown) => {
    throw new VggError('NOT_FOUND', `Expected a folder of photos but there is none at ${root}`, { cause });
  });
  const labels: string[] = [];
  for (const entry of await entriesOf(top)) {
    if ((await kindOf(top, top, entry)) === 'folder') labels.push(entry.name);
  }
  labels.sort(byCodeUnits);
  if (labels.length < 2) {
    throw expected('a folder with a folder of photos for each of two or more classes', labels, root);
  }
  const photos: PhotoFile[] = [];
  const others: string[] = [];
  const empty: string[] = [];
  for (const [classIndex, label] of labels.entries()) {
    const names: string[] = [];
    for (const entry of await entriesOf(join(top, label))) {
      const photo = PHOTO.test(entry.name) && (await kindOf(top, join(top, label), entry)) === 'file';
      (photo ? names : others).push(`${label}/${entry.name}`);
    }
    if (names.length === 0) empty.push(label);
    for (const name of names.sort(byCodeUnits)) photos.push({ name, classIndex });
  }
  if (empty.length > 0) throw expected('photos in every class folder', `none in ${empty.join(', ')}`, root);
  return { root: top, labels, photos, others: others.sort(byCodeUnits) };
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter(({ name }) => !name.startsWith('.'));
  } catch (cause) {
    throw new VggError('INVALID_ARGUMENT', `Expected a folder that can be read but received ${folder}`, {
      cause,
    });
  }
}

async function kindOf(top: string, folder: string, entry: Dirent): Promise<'file' | 'folder' | 'other'> {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'folder';
  if (!entry.isSymbolicLink()) return 'other';
  try {
    const target = await realpath(join(folder, entry.name));
    if (!target.startsWith(top + sep)) return 'other';
    const found = await stat(target);
    return found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other';
  } catch {
    return 'other'; // It leads nowhere.
  }
}

function byCodeUnits(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
