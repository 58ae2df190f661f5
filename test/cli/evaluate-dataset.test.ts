// Photos and their truths as vgg evaluate finds them: folders, ground truths, tables; and which class a word means.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { classIndices } from '../../cli/evaluate/classes.ts';
import { drawn, readDataset, type Photo } from '../../cli/evaluate/dataset.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vgg-dataset-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function write(name: string, content = ''): Promise<string> {
  const file = join(folder, name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
  return file;
}

function truths(photos: readonly Photo[]): string[] {
  return photos.map(({ name, truth }) => `${name}=${truth}`);
}

describe('readDataset', () => {
  test('one folder a class; what is no photo, or hidden, is left out', async () => {
    for (const name of [
      'dog/b.JPEG',
      'cat/a.jpg',
      'cat/notes.txt',
      'cat/.hidden.jpg',
      'readme.md',
      '.git/x.jpg',
    ])
      await write(name);
    const { photos, imagenet } = await readDataset(folder);
    expect(truths(photos)).toEqual(['cat/a.jpg=cat', 'dog/b.JPEG=dog']);
    expect(photos[0]?.file).toBe(join(folder, 'cat/a.jpg'));
    expect(imagenet).toBe(false);
  });

  test('ImageNet’s validation photos take the line of their number', async () => {
    await write('val/ILSVRC2012_val_00000003.JPEG');
    await write('val/ILSVRC2012_val_00000001.JPEG');
    const truth = await write('truth.txt', '65\n970\n230\n809\n');
    const { photos, imagenet } = await readDataset(join(folder, 'val'), truth);
    expect(truths(photos)).toEqual(['ILSVRC2012_val_00000001.JPEG=65', 'ILSVRC2012_val_00000003.JPEG=230']);
    expect(imagenet).toBe(true);
    await write('val/ILSVRC2012_val_00000009.JPEG');
    await expect(readDataset(join(folder, 'val'), truth)).rejects.toThrow(
      'Expected a truth for ILSVRC2012_val_00000009.JPEG in line 9 but received nothing',
    );
  });

  test('other flat folders take a line for each photo, in the order of names', async () => {
    for (const name of ['p/b.png', 'p/a.png']) await write(name);
    const truth = await write('truth.txt', 'great white shark\ncat\n');
    const { photos } = await readDataset(join(folder, 'p'), truth);
    expect(truths(photos)).toEqual(['a.png=great white shark', 'b.png=cat']);
    await write('truth.txt', 'cat\n');
    await expect(readDataset(join(folder, 'p'), truth)).rejects.toThrow(/Expected 2 lines.*received 1/);
  });

  test('lines of file and truth', async () => {
    const truth = await write('val.txt', 'ILSVRC2012_val_00000001.JPEG 65\nx/b.jpg great white shark\n');
    const { photos } = await readDataset(folder, truth);
    expect(truths(photos)).toEqual(['ILSVRC2012_val_00000001.JPEG=65', 'x/b.jpg=great white shark']);
  });

  test('CSV, by itself or for a folder, with or without a heading', async () => {
    const rows = 'a.jpg,cat\n"b, c.jpg","tench, ""Tinca tinca"""\n';
    const table = await write('photos.csv', `file,label\n${rows}`);
    const { photos } = await readDataset(table);
    expect(truths(photos)).toEqual(['a.jpg=cat', 'b, c.jpg=tench, "Tinca tinca"']);
    expect(photos[0]?.file).toBe(join(folder, 'a.jpg'));
    await mkdir(join(folder, 'p'));
    const other = await write('other.csv', rows);
    expect((await readDataset(join(folder, 'p'), other)).photos[0]?.file).toBe(join(folder, 'p/a.jpg'));
    await write('photos.csv', 'a.jpg,cat\nb.jpg\n');
    await expect(readDataset(table)).rejects.toThrow(/Expected file,label but received b.jpg .*photos.csv:2/);
  });

  test('what is no dataset is said', async () => {
    await expect(readDataset(join(folder, 'none'))).rejects.toThrow(
      'Expected a folder of photos or a CSV file',
    );
    await expect(readDataset(folder)).rejects.toThrow('but received no photos');
    await write('a.jpg');
    await expect(readDataset(folder)).rejects.toThrow('--ground-truth FILE says what they show');
    await expect(readDataset(folder, join(folder, 'none.txt'))).rejects.toThrow('Expected a readable file');
  });
});

describe('drawn', () => {
  const photos = Array.from({ length: 60 }, (_, i) => {
    return { file: `f${String(i)}`, name: `n${String(i)}`, truth: `c${String(i % 3)}` };
  });

  test('the seed fixes the draw; fewer photos are the first of more', () => {
    const all = drawn(photos, 1, {});
    expect(all).toHaveLength(60);
    expect(all).not.toEqual(photos);
    expect([...all].sort((a, b) => Number(a.name.slice(1)) - Number(b.name.slice(1)))).toEqual(photos);
    expect(drawn(photos, 1, { limit: 10 })).toEqual(all.slice(0, 10));
    expect(drawn(photos, 2, { limit: 10 })).not.toEqual(all.slice(0, 10));
  });

  test('so many of a class', () => {
    const some = drawn(photos, 1, { perClass: 2 });
    expect(some.map(({ truth }) => truth).sort()).toEqual(['c0', 'c0', 'c1', 'c1', 'c2', 'c2']);
    expect(drawn(photos, 1, { perClass: 5, limit: 6 })).toHaveLength(6);
  });
});

describe('classIndices', () => {
  const labels = ['crane', 'Crane', 'great white shark', 'tench'];
  const of = (words: string[], hints: Parameters<typeof classIndices>[2] = {}, names = labels) => {
    const { indices, unknown } = classIndices(words, names, hints);
    return { found: Object.fromEntries(indices), unknown };
  };

  test('by name: exactly, else like just one', () => {
    expect(of(['Crane', 'great_white_shark', 'TENCH', 'CRANE', 'other'])).toEqual({
      found: { Crane: 1, great_white_shark: 2, TENCH: 3 },
      unknown: ['CRANE', 'other'],
    });
  });

  test('by index, from 0 or 1 as the indices show', () => {
    expect(of(['0', '3']).found).toEqual({ 0: 0, 3: 3 });
    expect(of(['1', '4']).found).toEqual({ 1: 0, 4: 3 });
    expect(of(['1', '3'], { indexBase: 1 }).found).toEqual({ 1: 0, 3: 2 });
    expect(of(['0', '9'], {}).unknown).toEqual(['9']);
    expect(() => of(['1', '3'])).toThrow('Expected --index-base 0 or 1');
    expect(() => of(['0', '4'])).toThrow('Expected --index-base 0 or 1');
    // Digits that are names are names.
    expect(of(['1', '0'], {}, ['1', '0']).found).toEqual({ 1: 0, 0: 1 });
  });

  test('by synset, whose order is known if all are there', () => {
    expect(of(['n00000009', 'n00000001', 'n00000005', 'n00000003']).found).toEqual({
      n00000001: 0,
      n00000003: 1,
      n00000005: 2,
      n00000009: 3,
    });
    expect(() => of(['n00000001'])).toThrow('Expected all 4 synsets, or --classes FILE');
  });

  test('by a list of the classes’ names', () => {
    const classes = ['n01 crane, bird', 'n02 crane, machine', 'n03', 'n04 tench'];
    expect(of(['n02', 'n04', 'n01 crane, bird', 'n05'], { classes })).toEqual({
      found: { n02: 1, n04: 3, 'n01 crane, bird': 0 },
      unknown: ['n05'],
    });
    expect(() => of(['n02'], { classes: ['n01'] })).toThrow(
      'Expected 4 lines, one for each class of the model',
    );
  });

  test('by ILSVRC ID, through the synsets of the IDs', () => {
    const ilsvrcIds = ['n00000005', 'n00000001', 'n00000009', 'n00000003', 'n00000000'];
    expect(of(['1', '2', '4'], { ilsvrcIds }).found).toEqual({ 1: 2, 2: 0, 4: 1 });
    expect(of(['5', '0'], { ilsvrcIds }).unknown).toEqual(['5', '0']);
  });

  test('indices in another order than ImageNet’s are noticed', () => {
    const thousand = Array.from({ length: 1000 }, (_, i) => `class ${String(i)}`);
    const words = Array.from({ length: 1000 }, (_, i) => String(i + 1));
    const sorted = { first: ['66', '971', '231', '810', '517'] };
    expect(of(words, sorted, thousand).found).toMatchObject({ 1: 0, 1000: 999 });
    expect(() => of(words, { first: ['490', '361', '171', '822', '297'] }, thousand)).toThrow(
      'are ILSVRC IDs',
    );
  });
});
