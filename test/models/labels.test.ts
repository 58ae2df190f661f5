// Class names: ImageNet's, and those of a file.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { imagenetLabels, readLabels } from '../../models/labels.ts';

test('ImageNet’s 1,000 classes are in the order of the releases, each with a name of its own', async () => {
  const labels = await readLabels('imagenet');
  expect(labels).toEqual(await imagenetLabels());
  expect(labels).toHaveLength(1000);
  expect(new Set(labels).size).toBe(1000);
  for (const label of labels) expect(label).toMatch(/^\S.*\S$/);
  // Sorted by synset: the indices that every page on ImageNet gives.
  const known = {
    0: 'tench',
    134: 'crane bird',
    281: 'tabby',
    517: 'crane',
    880: 'unicycle',
    999: 'toilet tissue',
  };
  for (const [index, name] of Object.entries(known)) expect(labels[Number(index)]).toBe(name);
});

test('a file has one name a line, whatever wrote it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vgg-labels-'));
  try {
    const path = join(folder, 'imagenet');
    await writeFile(path, '\uFEFFwren\r\nmagpie, or raven\r\n');
    expect(await readLabels(path)).toEqual(['wren', 'magpie, or raven']);
    await expect(readLabels(join(folder, 'none'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  } finally {
    await rm(folder, { recursive: true });
  }
});
