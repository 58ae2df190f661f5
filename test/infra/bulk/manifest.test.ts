// The manifest: every photo in exactly one shard, the same ones whoever cuts; and what is no manifest.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  batchesOf,
  entriesOf,
  manifestSum,
  shardsOf,
  type ShardPiece,
} from '../../../infra/bulk/manifest.ts';
import { listedPhotos } from '../../../infra/bulk/photo-list.ts';
import { photoOrder, type PhotoEntry } from '../../../infra/bulk/photos.ts';

// Names as people give them, and worse: any characters, alike but for the last.
const name = fc.oneof(
  fc.string({ minLength: 1, unit: 'binary' }),
  fc.stringMatching(/^[ab]{1,3}(\/[a-c.-]{1,3}){0,2}\.jpg$/),
);
const photos = fc.uniqueArray(name, { maxLength: 200 }).chain((names) =>
  fc
    .array(fc.record({ size: fc.nat(), etag: fc.string() }), {
      minLength: names.length,
      maxLength: names.length,
    })
    .map((facts) =>
      [...names].sort(photoOrder).map((photo, i) => ({ photo, size: 0, etag: '', ...facts[i] })),
    ),
);

async function cut(entries: Iterable<PhotoEntry>, size: number): Promise<ShardPiece[]> {
  const pieces: ShardPiece[] = [];
  for await (const piece of shardsOf(entries, size)) pieces.push(piece);
  return pieces;
}

describe('shards', () => {
  test('every photo is in exactly one, in order, and all but the last are full', async () => {
    await fc.assert(
      fc.asyncProperty(photos, fc.integer({ min: 1, max: 50 }), async (entries, size) => {
        const pieces = await cut(entries, size);
        expect(pieces.flatMap(({ shard, text }) => entriesOf(text, shard))).toEqual(entries);
        expect(pieces.map(({ shard }) => shard.part)).toEqual(
          pieces.map((_, i) => String(i).padStart(5, '0')),
        );
        for (const { shard } of pieces.slice(0, -1)) expect(shard.photos).toBe(size);
        const last = pieces.at(-1)?.shard.photos ?? 1;
        expect(last >= 1 && last <= size).toBe(true);
      }),
    );
  });

  test('the same photos give the same shards, and others give another sum', async () => {
    await fc.assert(
      fc.asyncProperty(photos, fc.integer({ min: 1, max: 50 }), fc.nat(), async (entries, size, which) => {
        const sums = async (list: PhotoEntry[]) =>
          manifestSum((await cut(list, size)).map(({ shard }) => shard));
        expect(await sums(entries)).toBe(await sums(structuredClone(entries)));
        if (entries.length === 0) return;
        const changed = structuredClone(entries);
        const one = changed[which % changed.length];
        if (one) one.etag += 'x';
        expect(await sums(changed)).not.toBe(await sums(entries));
      }),
    );
  });

  test('photos out of order, or twice, are refused by name', async () => {
    const entry = (photo: string) => ({ photo, size: 1, etag: '' });
    await expect(cut([entry('a'), entry('b'), entry('b')], 2)).rejects.toThrow(
      'Expected each photo once and in order after b but received b (manifest)',
    );
    await expect(cut([entry('b'), entry('a')], 1)).rejects.toThrow('in order after b but received a');
  });

  test('a piece that has changed is refused', async () => {
    const [piece] = await cut([{ photo: 'a', size: 1, etag: '' }], 1);
    if (!piece) throw new Error('No piece');
    const other = Buffer.from(Buffer.from(piece.text).toString().replace('"a"', '"b"'));
    expect(() => entriesOf(other, piece.shard)).toThrow(
      /^Expected the manifest that the job was made with, of SHA-256 \w+ but received \w+ \(manifest\/part-00000\.jsonl\)$/,
    );
    expect(() => entriesOf(undefined, piece.shard)).toThrow('but received nothing');
  });
});

test('batches have every shard once, in order, none above the most, and a task for each machine', () => {
  const parts = fc.integer({ min: 0, max: 300 }).map((n) => Array.from({ length: n }, (_, i) => String(i)));
  fc.assert(
    fc.property(
      parts,
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 30 }),
      (list, machines, most) => {
        const batches = batchesOf(list, machines, most);
        expect(batches.flatMap((each) => each.parts)).toEqual(list);
        expect(Math.max(0, ...batches.map((each) => each.parts.length))).toBeLessThanOrEqual(most);
        // A batch more would have to be smaller than these: no machine waits for work that is there.
        expect(batches.length).toBeGreaterThanOrEqual(Math.min(list.length, machines) / 2);
      },
    ),
  );
});

describe('lists of photos', () => {
  test('JSON Lines, CSV and names say the same', () => {
    const expected = [
      { photo: 'a,"b".jpg', size: 5, etag: 'x' },
      { photo: 'c.jpg', size: 7, etag: 'y' },
    ];
    const lines = expected.map((each) => JSON.stringify(each)).reverse();
    expect(listedPhotos(lines.join('\n'), 'list')).toEqual(expected);
    expect(listedPhotos('photo,size,etag\r\nc.jpg,7,y\r\n"a,""b"".jpg",5,"x"\r\n', 'list')).toEqual(expected);
    expect(listedPhotos('c.jpg\na.jpg\n', 'list')).toEqual([
      { photo: 'a.jpg', size: -1, etag: '' },
      { photo: 'c.jpg', size: -1, etag: '' },
    ]);
  });

  test.each([
    ['a.jpg\na.jpg', 'Expected each photo once but received a.jpg twice (list)'],
    ['', 'Expected photos but received none (list)'],
    ['../a.jpg', 'Expected a name within SOURCE but received ../a.jpg (list:1)'],
    ['b.jpg\n/a.jpg', 'Expected a name within SOURCE but received /a.jpg (list:2)'],
    ['{"photo": 3}', 'Expected {"photo": …} or photo,size,etag but received {"photo": 3} (list:1)'],
    ['a.jpg,many', 'Expected {"photo": …} or photo,size,etag but received a.jpg,many (list:1)'],
  ])('%j is refused', (text, message) => {
    expect(() => listedPhotos(text, 'list')).toThrow(message);
  });
});
