// Models to be fetched: made once, put into a store, compared with what comes.

import { mkdtemp, readFile, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect } from 'vitest';
import { randomModel } from '../../../bench/random-model.ts';
import { openModel } from '../../../models/store.ts';

/** What the store's bucket and prefix are. */
export const SOURCE = 's3://the-bucket/some/where';
export const PREFIX = 'the-bucket/some/where';

/** A folder with three small models. */
export async function threeModels(): Promise<{ folder: string; names: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'vgg-fetch-from-'));
  const made = await Promise.all(
    (['A', 'B', 'D'] as const).map((network) =>
      randomModel({ network, width: 1 / 32, hidden: 8, classes: 5, inputSize: 32 }, folder),
    ),
  );
  return { folder, names: made.map((each) => basename(each)) };
}

/** The files of models, by their names in a store. */
export async function objectsOf(folder: string, names: readonly string[]): Promise<Map<string, Uint8Array>> {
  const objects = new Map<string, Uint8Array>();
  for (const name of names) {
    for (const file of await readdir(join(folder, name))) {
      objects.set(`${PREFIX}/${name}/${file}`, await readFile(join(folder, name, file)));
    }
  }
  return objects;
}

/** The models are in a folder, whole, and nothing else is. */
export async function expectModels(folder: string, names: readonly string[]): Promise<void> {
  expect((await readdir(folder)).sort()).toEqual([...names].sort());
  for (const name of names) {
    expect((await readdir(join(folder, name))).sort()).toEqual([
      'labels.txt',
      'model.json',
      'weights.safetensors',
    ]);
    await openModel(join(folder, name), { verify: true });
  }
}
