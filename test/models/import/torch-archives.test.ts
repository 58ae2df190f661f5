// PyTorch archives that are not what they claim, made in bytes: each is refused with one clear error.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openTorchLegacy } from '../../../models/import/formats/torch-legacy.ts';
import { openTorchZip } from '../../../models/import/formats/torch-zip.ts';
import { elements, VggError } from '../../../vgg/index.ts';
import { joined, le, legacyStart, numbers, openBytes, py, torchZip, zip, type Bytes } from './torch-bytes.ts';

const W = py.tensor(py.storage('0', py.int(4)), py.int(0), ['K\x04'], ['K\x01']);
const NET = py.pickle(py.dict(py.text('w'), W));
const FLOATS = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer);
const entry = { name: 'net/data/0', bytes: FLOATS };
const pickle = { name: 'net/data.pkl', bytes: NET };

async function readAll(bytes: Bytes, open = openTorchZip): Promise<Record<string, number[]>> {
  const file = await openBytes(bytes);
  try {
    const read: Record<string, number[]> = {};
    for (const tensor of (await open(file)).tensors) {
      read[tensor.name] = numbers(await tensor.read(0, elements(tensor.shape)), tensor.dtype);
    }
    return read;
  } finally {
    await file.removed();
  }
}

async function refused(bytes: Bytes, message: string | RegExp, open = openTorchZip): Promise<void> {
  const error: unknown = await readAll(bytes, open).then(
    () => expect.unreachable('it was read'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(VggError);
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect((error as VggError).message).toMatch(message);
}

const withTensor = (storage: Bytes, offset: Bytes, shape: Bytes[], strides: Bytes[], bytes: Bytes = FLOATS) =>
  torchZip(py.pickle(py.dict(py.text('w'), py.tensor(storage, offset, shape, strides))), { 0: bytes });
const four = py.storage('0', py.int(4));

describe('zip archives', () => {
  test.each([false, true])('a small one, zip64 %s', async (zip64) => {
    expect(await readAll(zip([pickle, entry], zip64))).toEqual({ w: [1, 2, 3, 4] });
  });

  test('one without a folder, as older files are', async () => {
    const bare = [pickle, entry].map(({ name, bytes }) => ({ name: name.slice(4), bytes }));
    expect(await readAll(zip(bare))).toEqual({ w: [1, 2, 3, 4] });
  });

  test('tensors that share a storage, a state_dict that stands twice, keys that are numbers', async () => {
    const second = py.tensor(four, py.int(1), ['K\x02'], ['K\x02']);
    const mapping = joined(py.dict('K\x05', W, py.text('__proto__'), second), 'q\x01');
    expect(await readAll(torchZip(py.pickle(py.list(mapping, 'h\x01')), { 0: FLOATS }))).toEqual({
      '0/5': [1, 2, 3, 4],
      ['0/__proto__']: [2, 4],
    });
  });

  test.each<[string, Bytes, string | RegExp]>([
    [
      'big-endian',
      zip([pickle, entry, { name: 'net/byteorder', bytes: 'big' }]),
      'byte order little but received big',
    ],
    ['a compressed storage', zip([pickle, { ...entry, method: 8 }]), 'a compressed one (net/data/0)'],
    ['a compressed pickle', zip([{ ...pickle, method: 8 }, entry]), 'a compressed one (net/data.pkl)'],
    ['an encrypted storage', zip([pickle, { ...entry, flags: 1, size: 28 }]), /encrypted|size mismatch/],
    ['no storage', zip([pickle]), 'an entry for each storage but received none (net/data/0)'],
    [
      'a storage that is too short',
      zip([pickle, { ...entry, bytes: 'short' }]),
      '16 bytes or more but received 5',
    ],
    [
      'a storage of 2 GB in 1 kB',
      zip([pickle, { ...entry, size: 2 ** 31 - 1 }]),
      /file bounds: \d+ \+ 2147483647 > \d+ \(net\/data\/0\)/,
    ],
    ['a pickle of 2 GB in 1 kB', zip([{ ...pickle, size: 2 ** 31 - 1 }, entry]), 'at most 67108864 bytes'],
    [
      'a pickle that is longer than the file',
      zip([{ ...pickle, size: 1e6 }, entry]),
      /file bounds: \d+ \+ 1000000 > \d+ \(net\/data.pkl\)/,
    ],
    [
      'two entries of one name',
      zip([pickle, entry, entry]),
      'entries of different names but received net/data/0',
    ],
    ['two pickles', zip([pickle, { ...pickle, name: 'other/data.pkl' }, entry]), '2 of them'],
    [
      'a storage within the pickle',
      zip([
        { ...pickle, bytes: joined(NET, Buffer.alloc(0)) },
        { ...entry, bytes: FLOATS, headerOf: 0 },
      ]),
      'entries that do not overlap',
    ],
    [
      'a path out of the archive',
      zip([pickle, { ...entry, name: '../../etc/passwd' }]),
      'truncated or damaged',
    ],
    [
      'a TorchScript program',
      torchZip(NET, { 0: FLOATS }, [{ name: 'net/code/__torch__.py', bytes: '' }]),
      'TorchScript',
    ],
    [
      'a zip of anything',
      zip([
        { name: 'config.json', bytes: '{}' },
        { name: 'variables.npz', bytes: '' },
      ]),
      "PyTorch's data.pkl in the zip archive but received config.json, variables.npz",
    ],
    ['a .keras archive', zip([{ name: 'model.weights.h5', bytes: '' }]), 'a .keras archive: save them alone'],
    ['an empty zip', zip([]), "PyTorch's data.pkl"],
    ['no directory', torchZip(NET, { 0: FLOATS }).subarray(0, 100), 'truncated or damaged'],
    ['PK and nothing', 'PK\x03\x04', 'truncated or damaged'],
    [
      'an unfinished pickle',
      zip([{ ...pickle, bytes: NET.subarray(0, -9) }, entry]),
      'truncated, or not what it claims',
    ],
    [
      'bytes after the pickle',
      zip([{ ...pickle, bytes: joined(NET, 'N.') }, entry]),
      'and others (net/data.pkl)',
    ],
    [
      'a program in the pickle',
      torchZip(py.pickle(py.reduce(py.global('os', 'system'), py.text('id')))),
      'os.system',
    ],
    [
      'no tensors',
      torchZip(py.pickle(py.dict(py.text('epoch'), 'K\x01'))),
      'a state_dict but received a mapping',
    ],
    ['nothing but None', torchZip(py.pickle('N')), 'a state_dict but received None'],
    [
      'a name twice',
      torchZip(py.pickle(py.dict(py.text('1'), W, 'K\x01', W)), { 0: FLOATS }),
      'two of the same (1)',
    ],
    [
      'an endless name',
      torchZip(py.pickle(py.dict(py.text('x'.repeat(2000)), W)), { 0: FLOATS }),
      'at most 1024 characters',
    ],
    [
      'a shape beyond its storage',
      withTensor(four, py.int(0), ['K\x05'], ['K\x01']),
      'within the 4 of its storage but received up to 5 (w)',
    ],
    [
      'an offset beyond its storage',
      withTensor(four, py.int(2), ['K\x03'], ['K\x01']),
      'but received up to 5 (w)',
    ],
    [
      'a stride beyond its storage',
      withTensor(four, py.int(0), ['K\x02'], ['K\x04']),
      'but received up to 5 (w)',
    ],
    [
      '4 GB of 16 bytes',
      withTensor(four, py.int(0), [py.int(2 ** 30)], ['K\x00']),
      /a file of \d+ bytes can hold but received one of shape \[1073741824\]/,
    ],
    [
      'elements that overlap',
      withTensor(four, py.int(0), ['K\x02', 'K\x02'], ['K\x01', 'K\x01']),
      'elements that do not overlap',
    ],
    [
      'a storage of 2^53 elements',
      withTensor(py.storage('0', py.long(2n ** 53n - 1n)), py.int(0), ['K\x01'], ['K\x01']),
      'bytes or more but received 16',
    ],
  ])('%s is refused', async (_, bytes, message) => {
    await refused(bytes, message);
  });

  test('cut anywhere or with any byte changed, it is read or refused', async () => {
    const good = torchZip(NET, { 0: FLOATS });
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.nat(255), fc.boolean(), async (place, byte, cut) => {
        const bytes = cut && place > 0 ? good.subarray(0, place) : Buffer.from(good);
        if (!cut) bytes[place] = byte;
        const result = await readAll(bytes).catch((error: unknown) => error);
        if (result instanceof Error)
          expect(result).toMatchObject({ name: 'VggError', code: 'INVALID_ARGUMENT' });
        else expect(Object.values(result as object)).toHaveLength(1);
      }),
      { numRuns: 300 },
    );
  });
});

const legacy = (object: Bytes, ...rest: Bytes[]) => joined(legacyStart(), object, ...rest);
const keys = (...names: string[]) => py.pickle(py.list(...names.map(py.text)));
const stored = joined(le(4, 8), FLOATS);

describe('files of before 1.6', () => {
  test('a small one', async () => {
    expect(await readAll(legacy(NET, keys('0'), stored), openTorchLegacy)).toEqual({ w: [1, 2, 3, 4] });
  });

  test('one with a view of a storage', async () => {
    const view = py.storage('0', py.int(4), 'FloatStorage', py.tuple(py.text('v'), py.int(1), py.int(3)));
    const tensor = py.tensor(view, py.int(1), ['K\x02'], ['K\x01']);
    const bytes = legacy(py.pickle(py.dict(py.text('w'), tensor)), keys('0'), stored);
    expect(await readAll(bytes, openTorchLegacy)).toEqual({ w: [3, 4] });
  });

  test('one whose pickle is longer than what is read at first', async () => {
    const long = py.pickle(py.dict(py.text('note'), py.text('x'.repeat(200_000)), py.text('w'), W));
    expect(await readAll(legacy(long, keys('0'), stored), openTorchLegacy)).toEqual({ w: [1, 2, 3, 4] });
  });

  test.each<[string, Bytes, string | RegExp]>([
    ['another pickle', NET, /asks Python for torch/],
    [
      'plain data of somebody',
      py.pickle(py.dict(py.text('weights'), py.list('K\x01'))),
      "PyTorch's magic number but received a mapping",
    ],
    [
      'another protocol',
      joined(legacyStart(1002), NET, keys('0'), stored),
      'protocol 1001 but received 1002',
    ],
    ['big-endian', joined(legacyStart(1001, false), NET, keys('0'), stored), 'little_endian to be True'],
    ['no object', legacyStart(), 'truncated, or not what it claims'],
    ['no keys', legacy(NET), 'truncated, or not what it claims'],
    [
      'keys that are no list',
      legacy(NET, py.pickle(py.dict()), stored),
      'a list of storages but received a mapping',
    ],
    ['a program in the keys', legacy(NET, py.pickle(py.global('os', 'system')), stored), 'os.system'],
    ['a program in the object', legacy(py.pickle(py.global('os', 'system')), keys(), stored), 'os.system'],
    [
      'a storage in the keys',
      legacy(NET, py.pickle(py.tuple(py.text('storage')), 'Q'), stored),
      'plain data but received a storage',
    ],
    [
      'a storage that is not there',
      legacy(NET, keys()),
      'every storage of the pickle but received none of key 0',
    ],
    [
      'a storage of another',
      legacy(NET, keys('0', '1'), stored, stored),
      'each storage of the pickle once but received storage 1',
    ],
    ['a storage twice', legacy(NET, keys('0', '0'), stored, stored), 'storage 0 twice'],
    ['another size', legacy(NET, keys('0'), le(5, 8), FLOATS), '4 elements but received 5 (storage 0)'],
    ['a negative size', legacy(NET, keys('0'), le(-4, 8), FLOATS), '4 elements but received -4 (storage 0)'],
    ['no size', legacy(NET, keys('0'), 'abc'), 'the length of storage 0'],
    ['half a storage', legacy(NET, keys('0'), stored.subarray(0, 12)), 'truncated (storage 0)'],
    ['bytes after the last storage', legacy(NET, keys('0'), stored, 'more'), 'bytes after the last storage'],
    [
      '2 GB in 1 kB',
      legacy(
        py.pickle(
          py.dict(
            py.text('w'),
            py.tensor(py.storage('0', py.int(2 ** 29)), py.int(0), [py.int(2 ** 29)], ['K\x01']),
          ),
        ),
        keys('0'),
        le(2 ** 29, 8),
      ),
      'truncated (storage 0)',
    ],
    [
      'a storage of two types',
      legacy(
        py.pickle(
          py.dict(
            py.text('a'),
            W,
            py.text('b'),
            py.tensor(py.storage('0', py.int(4), 'IntStorage'), py.int(0), ['K\x04'], ['K\x01']),
          ),
        ),
        keys('0'),
        stored,
      ),
      'one type and size of each storage',
    ],
  ])('%s is refused', async (_, bytes, message) => {
    await refused(bytes, message, openTorchLegacy);
  });
});
