import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { photoFacts, readPhotos } from '../../loadtest/photos.ts';
import { kindsOf, mixOf, workload } from '../../loadtest/workload.ts';
import { taking } from './queue.ts';

const kinds = kindsOf(
  [
    { what: 'MULTI_CROP', weight: 3 },
    { what: 'CENTER_CROP', weight: 1 },
  ],
  [
    { what: 'd', weight: 1 },
    { what: 'e', weight: 1 },
  ],
);
const photos = [taking(1), taking(2), taking(3)];
const drawn = (count: number, more = {}, seed = 1, step = 0) => {
  const next = workload({ kinds, photos, ...more }, seed, step);
  return Array.from({ length: count }, () => next());
};

describe('a workload', () => {
  test('has kinds by their weights, and photos alike', () => {
    expect(mixOf(kinds)).toEqual([
      { protocol: 'MULTI_CROP', model: 'd', share: 0.375 },
      { protocol: 'MULTI_CROP', model: 'e', share: 0.375 },
      { protocol: 'CENTER_CROP', model: 'd', share: 0.125 },
      { protocol: 'CENTER_CROP', model: 'e', share: 0.125 },
    ]);
    const requests = drawn(10_000);
    const part = (is: (request: (typeof requests)[number]) => boolean) =>
      requests.filter(is).length / requests.length;
    expect(part(({ kind }) => kind.protocol === 'MULTI_CROP')).toBeCloseTo(0.75, 1);
    expect(part(({ kind }) => kind.model === 'e')).toBeCloseTo(0.5, 1);
    for (const each of photos) expect(part(({ photo }) => photo === each)).toBeCloseTo(1 / 3, 1);
  });

  test('is the same for the same seed and step, and another for others', () => {
    expect(drawn(100)).toEqual(drawn(100));
    expect(drawn(100)).not.toEqual(drawn(100, {}, 2));
    expect(drawn(100)).not.toEqual(drawn(100, {}, 1, 1));
  });

  test('who cancels or is slow does not change what is sent', () => {
    const plain = drawn(1000);
    const storm = drawn(1000, {
      cancel: { part: 0.3, withinMs: 200 },
      slow: { part: 0.1, bytesPerSecond: 5 },
    });
    expect(storm.map(({ kind, photo }) => ({ kind, photo }))).toEqual(plain);
    const cancelled = storm.flatMap(({ cancelAfterMs }) => cancelAfterMs ?? []);
    expect(Math.abs(cancelled.length - 300)).toBeLessThan(60);
    expect(Math.max(...cancelled)).toBeLessThan(200);
    expect(Math.max(...cancelled)).toBeGreaterThan(180);
    expect(Math.abs(storm.filter((each) => each.slowBytesPerSecond === 5).length - 100)).toBeLessThan(40);
  });

  test('of nothing is refused', () => {
    expect(() => workload({ kinds: [], photos }, 1, 0)).toThrow('at least one kind');
    expect(() => workload({ kinds, photos: [] }, 1, 0)).toThrow('at least one photo');
  });
});

describe('photos of a folder', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vgg-photos-'));
    await mkdir(join(folder, 'cats'));
    await mkdir(join(folder, 'none'));
    await writeFile(join(folder, 'b.jpg'), Buffer.alloc(100));
    await writeFile(join(folder, 'cats', 'a.PNG'), Buffer.alloc(50));
    await writeFile(join(folder, 'empty.jpg'), '');
    await writeFile(join(folder, 'README.md'), 'no photo');
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  test('are read, those of folders in it too; other files are not', async () => {
    const read = await readPhotos(folder, 1);
    expect(read.map(({ name, bytes }) => [name, bytes.length])).toEqual([
      ['b.jpg', 100],
      [join('cats', 'a.PNG'), 50],
    ]);
    expect(photoFacts(read)).toEqual({ count: 2, smallest: 50, largest: 100, total: 150 });
  });

  test('are no more than memory is given for', async () => {
    const read = await readPhotos(folder, 1, 120);
    expect(read).toHaveLength(1);
  });

  test('may be one', async () => {
    expect((await readPhotos(join(folder, 'b.jpg'), 1)).map(({ name }) => name)).toEqual(['b.jpg']);
  });

  test('must be there', async () => {
    await expect(readPhotos(join(folder, 'nowhere'), 1)).rejects.toThrow('Expected a folder of photos');
    await expect(readPhotos(join(folder, 'none'), 1)).rejects.toThrow('Expected a folder with image files');
    await expect(readPhotos(folder, 1, 10)).rejects.toThrow('Expected a photo of at most 10 bytes');
  });
});
