import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { openFileBytes } from '../../../models/import/formats/file-bytes.ts';
import { openHdf5, type Hdf5Checkpoint } from '../../../models/import/formats/hdf5.ts';
import type { StoredTensor } from '../../../models/import/release.ts';
import { packageRoot } from '../../../proto/package-root.ts';
import { VggError } from '../../../vgg/index.ts';

const KERAS = join(packageRoot, 'test/golden/checkpoints/keras');
const HOSTILE = join(KERAS, 'hostile');
const folder = mkdtempSync(join(tmpdir(), 'vgg-hdf5-'));

afterAll(() => rm(folder, { recursive: true }));

async function opened(path: string, patience?: number): Promise<Hdf5Checkpoint> {
  return openHdf5(await openFileBytes(path), patience);
}

function written(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

function unpacked(name: string): string {
  return written(name, gunzipSync(readFileSync(join(HOSTILE, `${name}.gz`))));
}

function tensor({ tensors }: Hdf5Checkpoint, name: string): StoredTensor {
  const found = tensors.find((each) => each.name === name);
  if (!found) throw new Error(`No tensor ${name}`);
  return found;
}

const floats = (bytes: Uint8Array) => [...new Float32Array(bytes.buffer)];

describe('a file', () => {
  test('gives each dataset by its path, with its type, shape and numbers', async () => {
    const file = await opened(join(KERAS, 'keras3-vgg16-model.h5'));
    expect(file.format).toBe('HDF5');
    expect(file.tensors).toHaveLength(32);
    const kernel = tensor(file, 'model_weights/block3_conv2/block3_conv2/kernel');
    expect([kernel.dtype, kernel.shape]).toEqual(['F32', [3, 3, 16, 16]]);
    // What h5py reads.
    expect(floats(await kernel.read(0, 3))).toEqual([0.0023040771484375, 0.306640625, -0.09912109375]);
    expect(floats(await kernel.read(1000, 3))).toEqual([0.1142578125, 0.162109375, 0.087890625]);
    await file.close();
  });

  test('gives text attributes of groups: one, a list, an empty list', async () => {
    const file = await opened(join(KERAS, 'keras2-vgg11.h5'));
    expect(file.groups.get('')?.get('keras_version')).toBe('2.15.0');
    expect(file.groups.get('')?.get('layer_names')).toContain('block5_conv2');
    expect(file.groups.get('fc1')?.get('weight_names')).toEqual(['fc1/kernel:0', 'fc1/bias:0']);
    expect(file.groups.get('flatten')?.get('weight_names')).toEqual([]);
    await file.close();
  });

  test('reads the same from gzip chunks as from one piece, whatever run is asked for', async () => {
    const [whole, chunked] = [
      await opened(join(KERAS, 'keras3-vgg19.weights.h5')),
      await opened(join(KERAS, 'published-vgg19-gzip.h5')),
    ];
    const pairs = [
      [tensor(whole, 'layers/dense/vars/0'), tensor(chunked, 'fc1/fc1_W_1:0')],
      [tensor(whole, 'layers/conv2d_15/vars/0'), tensor(chunked, 'block5_conv4/block5_conv4_W_1:0')],
      [tensor(whole, 'layers/conv2d_15/vars/1'), tensor(chunked, 'block5_conv4/block5_conv4_b_1:0')],
    ] as const;
    for (const [one, other] of pairs) {
      const elements = one.shape.reduce((product, size) => product * size, 1);
      const all = await one.read(0, elements);
      const place = fc.integer({ min: 0, max: elements });
      await fc.assert(
        fc.asyncProperty(place, place, async (a, b) => {
          const [start, end] = [Math.min(a, b), Math.max(a, b)];
          expect(Buffer.compare(await other.read(start, end - start), all.subarray(4 * start, 4 * end))).toBe(
            0,
          );
          expect(Buffer.compare(await one.read(start, end - start), all.subarray(4 * start, 4 * end))).toBe(
            0,
          );
        }),
        { numRuns: 30 },
      );
    }
    await whole.close();
    await chunked.close();
  });

  test('gives little-endian numbers of each type, and names the types that are none', async () => {
    const file = await opened(join(HOSTILE, 'types.h5'));
    const read = async (name: string, count: number) =>
      Buffer.from(await tensor(file, name).read(0, count)).toString('hex');
    expect(
      Object.fromEntries(file.tensors.map(({ name, dtype, shape }) => [name, [dtype, ...shape]])),
    ).toEqual({
      bf16: ['BF16', 2],
      compound: ['compound', 3],
      f16: ['F16', 3],
      f32be: ['F32', 2],
      f64be: ['F64', 2],
      i64: ['I64', 3],
      nothing: ['nothing', 0],
      scalar: ['F32'],
      text: ['string', 2],
      vlen: ['string'],
      zero: ['F32', 0, 3],
    });
    expect(await read('f16', 3)).toBe('003c004000b8');
    expect(await read('bf16', 2)).toBe('803f00c0');
    expect(await read('f32be', 2)).toBe('0000803f00002040');
    expect(await read('f64be', 2)).toBe('000000000000f03f0000000000000440');
    expect(await read('scalar', 1)).toBe('0000e040');
    expect(await read('zero', 0)).toBe('');
    for (const name of ['compound', 'text', 'vlen', 'nothing']) {
      await expect(read(name, 1)).rejects.toThrow(/^Expected a dataset of numbers but received/);
    }
    await file.close();
  });

  test('refuses elements that a dataset does not have, and reads on', async () => {
    const file = await opened(join(HOSTILE, 'types.h5'));
    const numbers = tensor(file, 'f32be');
    await expect(numbers.read(1, 2)).rejects.toThrow('Expected up to 2 elements but received 1 + 2 (f32be)');
    await expect(numbers.read(-1, 1)).rejects.toThrow(VggError);
    expect(floats(await numbers.read(1, 1))).toEqual([2.5]);
    await file.close();
  });

  test('answers calls that overlap, and none after it is closed', async () => {
    const file = await opened(join(HOSTILE, 'types.h5'));
    const numbers = tensor(file, 'f32be');
    const both = await Promise.all([numbers.read(0, 1), numbers.read(1, 1)]);
    expect(both.flatMap(floats)).toEqual([1, 2.5]);
    const late = numbers.read(0, 1);
    const refused = expect(late).rejects.toThrow(VggError);
    await file.close();
    await refused;
    await expect(numbers.read(0, 1)).rejects.toThrow(VggError);
    await file.close();
  });
});

// Opens a bad file, or reads its one dataset, and gives the error; nothing of the file may be left open.
async function failure(path: string, patience?: number): Promise<VggError> {
  let file: Hdf5Checkpoint | undefined;
  try {
    file = await opened(path, patience);
    for (const each of file.tensors) await each.read(0, 1);
  } catch (error) {
    if (!(error instanceof VggError)) throw error;
    return error;
  } finally {
    await file?.close();
    if (process.platform === 'linux') expect(openPaths()).not.toContain(path);
  }
  throw new Error(`${path} was read`);
}

function openPaths(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      // The one that lists the folder.
      return [];
    }
  });
}

describe('a hostile file', () => {
  test.each([
    ['external-link', /no links but received a link to other\.h5 \(a\)/],
    ['soft-cycle', /no links but received a link to \/b \(a\)/],
    ['external-storage', /all data in the file itself but received data in .*other\.bin/],
    ['virtual', /data in the file itself but received a virtual dataset \(a\)/],
    ['hard-cycle', /groups up to 16 deep/],
    ['wide', /up to 2000 objects/],
    ['unwritten', /data of 1400 bytes at most, as the file has but received 411041792 bytes/],
    ['unwritten-chunks', /received 4503599627370496 bytes/],
    ['no-deflate', /a whole HDF5 file but received a truncated, damaged or unsupported one \(a in /],
    ['lzf', /packed by gzip but received filter 32000 lzf/],
  ])('%s: one clear error', async (name, message) => {
    const error = await failure(join(HOSTILE, `${name}.h5`));
    expect(error.message).toMatch(message);
    expect(error.code).toBe('INVALID_ARGUMENT');
  });

  test('that ends anywhere: one clear error', async () => {
    const bytes = readFileSync(join(KERAS, 'keras2-vgg11.h5'));
    for (const length of [1, 7, 8, 9, 48, 96, 500, 2048, 20_000, bytes.length - 1]) {
      const error = await failure(written('cut.h5', bytes.subarray(0, length)));
      expect(error.message, String(length)).toMatch(
        /^Expected (an HDF5 signature up to byte 8|a whole HDF5 file) but/,
      );
    }
  }, 30_000);

  test('of garbage after the signature, or of no signature: one clear error', async () => {
    const signature = readFileSync(join(KERAS, 'keras2-vgg11.h5')).subarray(0, 8);
    for (const byte of [0, 1, 255]) {
      const path = written('garbage.h5', Buffer.concat([signature, Buffer.alloc(4096, byte)]));
      expect((await failure(path)).message).toMatch(/^Expected a whole HDF5 file but .*garbage\.h5\)$/);
    }
    const other = written('other.h5', Buffer.from('something else'));
    expect((await failure(other)).message).toMatch(/^Expected an HDF5 file but received 736f6d65/);
  });

  test('with flipped bytes gives numbers or one clear error, never another', async () => {
    const bytes = readFileSync(join(HOSTILE, 'types.h5'));
    const flips = fc.array(
      fc.tuple(fc.integer({ min: 8, max: bytes.length - 1 }), fc.integer({ min: 0, max: 255 })),
      {
        minLength: 1,
        maxLength: 6,
      },
    );
    await fc.assert(
      fc.asyncProperty(flips, async (places) => {
        const copy = Buffer.from(bytes);
        for (const [at, byte] of places) copy[at] = byte;
        try {
          const file = await opened(written('flipped.h5', copy));
          try {
            for (const each of file.tensors) await each.read(0, 1);
          } finally {
            await file.close();
          }
        } catch (error) {
          expect(error).toBeInstanceOf(VggError);
        }
      }),
      { numRuns: 12 },
    );
  }, 60_000);

  test('of too large chunks is refused before it is unpacked', async () => {
    expect((await failure(unpacked('large-chunk.h5'))).message).toMatch(/chunks up to 67108864 bytes/);
  });

  test('that unpacks to a gigabyte takes no gigabyte, and the library prints nothing', () => {
    const script = `
      import { openFileBytes } from ${JSON.stringify(new URL('../../../models/import/formats/file-bytes.js', import.meta.url).href)};
      import { openHdf5 } from ${JSON.stringify(new URL('../../../models/import/formats/hdf5.js', import.meta.url).href)};
      const file = await openHdf5(await openFileBytes(${JSON.stringify(unpacked('bomb.h5'))}));
      const message = await file.tensors[0].read(0, 1).then(() => 'read', (error) => error.message);
      await file.close();
      console.log(JSON.stringify({ message, peak: process.resourceUsage().maxRSS * 1024 }));
    `;
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    const { message, peak } = JSON.parse(stdout) as { message: string; peak: number };
    expect(message).toMatch(/^Expected a whole HDF5 file/);
    expect(peak).toBeLessThan(2 ** 30);
  });

  test('that the library does not come back from is given up', async () => {
    const error = await failure(join(KERAS, 'keras2-vgg11.h5'), 1);
    expect(error.message).toMatch(/^Expected a whole HDF5 file/);
    expect((error.cause as Error).message).toBe('No answer within 1 ms');
  });
});
