// Which files of a folder are photos of which class.

import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { listPhotos } from '../../../services/trainer/photos/folder.ts';
import { put, scratchFolder } from './folders.ts';

test('classes and photos come by code units, whatever the disk’s order or the locale', async () => {
  const root = scratchFolder();
  for (const name of ['b/2.jpg', 'b/10.JPG', 'b/Z.png', 'b/é.webp', 'b/a.jpeg', 'B/x.gif', 'ä/y.tif'])
    put(root, name);
  const { labels, photos, others } = await listPhotos(root);
  expect(labels).toEqual(['B', 'b', 'ä']);
  expect(photos).toEqual([
    { name: 'B/x.gif', classIndex: 0 },
    ...['10.JPG', '2.jpg', 'Z.png', 'a.jpeg', 'é.webp'].map((file) => ({ name: `b/${file}`, classIndex: 1 })),
    { name: 'ä/y.tif', classIndex: 2 },
  ]);
  expect(others).toEqual([]);
});

test('other files are told apart, hidden ones passed over, loose ones ignored', async () => {
  const root = scratchFolder();
  for (const name of [
    'a/1.jpg',
    'b/1.jpg',
    'b/notes.txt',
    'b/.hidden.jpg',
    '.git/1.jpg',
    'loose.jpg',
    'a/deep.jpg/1.jpg',
  ])
    put(root, name);
  const { labels, photos, others } = await listPhotos(root);
  expect(labels).toEqual(['a', 'b']);
  expect(photos.map(({ name }) => name)).toEqual(['a/1.jpg', 'b/1.jpg']);
  expect(others).toEqual(['a/deep.jpg', 'b/notes.txt']);
});

test('links are followed inside the folder, not out of it', async () => {
  const [root, outside] = [scratchFolder(), scratchFolder()];
  for (const name of ['a/1.jpg', 'b/1.jpg']) put(root, name);
  put(outside, 'secret.jpg');
  symlinkSync('../b/1.jpg', join(root, 'a/2.jpg'));
  symlinkSync(join(outside, 'secret.jpg'), join(root, 'a/3.jpg'));
  symlinkSync('nowhere', join(root, 'a/4.jpg'));
  symlinkSync(outside, join(root, 'c'));
  const { labels, photos, others } = await listPhotos(root);
  expect(labels).toEqual(['a', 'b']);
  expect(photos.map(({ name }) => name)).toEqual(['a/1.jpg', 'a/2.jpg', 'b/1.jpg']);
  expect(others).toEqual(['a/3.jpg', 'a/4.jpg']);
});

describe('refused, by name', () => {
  test('a folder that is not there', async () => {
    await expect(listPhotos('/no/such/folder')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'Expected a folder of photos but there is none at /no/such/folder',
    });
  });

  test('classes without photos', async () => {
    const root = scratchFolder();
    put(root, 'a/1.jpg');
    put(root, 'b/1.txt');
    mkdirSync(join(root, 'c'));
    await expect(listPhotos(root)).rejects.toThrow(
      'Expected photos in every class folder but received none in b, c',
    );
  });

  test('fewer than two classes', async () => {
    const root = scratchFolder();
    put(root, 'a/1.jpg');
    await expect(listPhotos(root)).rejects.toThrow('each of two or more classes but received ["a"]');
  });
});
