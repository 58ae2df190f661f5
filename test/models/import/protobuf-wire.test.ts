// The walk over protobuf messages: what protobufjs writes is found again; what nobody should write is refused.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type WireField, WireReader } from '../../../models/import/formats/protobuf-wire.ts';
import { tensorOfRuns } from '../../../models/import/formats/runs.ts';
import { VggError } from '../../../vgg/index.ts';
import { floats, memoryFile, message, type Value } from './protobuf-bytes.ts';

async function fieldsOf(bytes: Uint8Array): Promise<WireField[]> {
  const reader = new WireReader(memoryFile(bytes), 'a message');
  const fields: WireField[] = [];
  for await (const field of reader.fields(reader.whole)) fields.push(field);
  return fields;
}

async function read(bytes: Uint8Array) {
  const reader = new WireReader(memoryFile(bytes), 'a message');
  return { reader, message: await reader.message(reader.whole) };
}

const float32 = fc.float({ noNaN: true });
const value = fc.oneof<fc.Arbitrary<Value>[]>(
  fc.integer({ min: -(2 ** 53 - 1), max: 2 ** 53 - 1 }),
  fc.string(),
  fc.uint8Array({ maxLength: 300 }),
  fc.record({ packed: fc.array(float32, { maxLength: 20 }) }),
);

describe('fields', () => {
  test('of any message are found where protobufjs put them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 2 ** 29 - 1 }), value), { maxLength: 12 }),
        async (given) => {
          const bytes = message(...given);
          const found = await fieldsOf(bytes);
          expect(found.map(({ number }) => number)).toEqual(given.map(([number]) => number));
          for (const [i, [, wanted]] of given.entries()) {
            const field = found[i];
            const body = bytes.subarray(field?.start, field?.end);
            if (typeof wanted === 'number') expect(field).toMatchObject({ wire: 0, value: wanted });
            else if (typeof wanted === 'string') expect(body).toEqual(new TextEncoder().encode(wanted));
            else if (wanted instanceof Uint8Array) expect(body).toEqual(Uint8Array.from(wanted));
            else if ('packed' in wanted) expect(body).toEqual(floats(wanted.packed));
          }
        },
      ),
    );
  });

  test('of a large blob are not read', async () => {
    const blob = new Uint8Array(4 << 20);
    const file = memoryFile(message([1, 'before'], [5, blob], [7, 'after']));
    const reader = new WireReader(file, 'a message');
    const fields = await reader.message(reader.whole);
    expect(await reader.texts(fields, 7)).toEqual(['after']);
    expect(await reader.text(fields, 1)).toBe('before');
    expect(file.bytesRead).toBeLessThan(300_000);
  });

  test('give integers packed and unpacked, negative ones, and the last of a single one', async () => {
    const packed: [number, Value] = [3, { packedInts: [5, 300, -1] }];
    const { reader, message: fields } = await read(message([3, [1, -2]], packed, [4, 7], [4, 8]));
    expect(await reader.ints(fields, 3)).toEqual([1, -2, 5, 300, -1]);
    expect(reader.int(fields, 4)).toBe(8);
    expect(reader.int(fields, 5)).toBeUndefined();
  });
});

describe('repeated floats', () => {
  test.each(['packed', 'unpacked'])('%s are read from anywhere', async (form) => {
    // More than one window, and than one piece.
    const values = Float32Array.from({ length: 300_000 }, (_, i) => i / 4);
    const all = [...values];
    const field: [number, Value | Value[]] = [
      5,
      form === 'packed' ? { packed: all } : all.map((float) => ({ float })),
    ];
    const file = memoryFile(message([1, 3], field, [9, 'end']));
    const reader = new WireReader(file, 'a message');
    const fields = await reader.message(reader.whole);
    expect(await reader.text(fields, 9)).toBe('end');
    const runs = reader.runs(fields, 5, 4);
    expect(runs).toHaveLength(1);
    const tensor = tensorOfRuns(file, { name: 'x', dtype: 'F32', shape: [300, 1000] }, 4, runs);
    for (const [start, count] of [
      [0, 300_000],
      [299_999, 1],
      [0, 0],
      [131, 290_000],
    ] as const) {
      const wanted = floats(all.slice(start, start + count));
      expect(Buffer.compare(await tensor.read(start, count), wanted)).toBe(0);
    }
    await expect(tensor.read(299_999, 2)).rejects.toThrow(
      'Expected elements up to 300000 but asked for 300001 (x)',
    );
  });

  test('in several chunks are one tensor', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.boolean(), fc.array(float32, { maxLength: 5 })), { maxLength: 6 }),
        fc.nat(30),
        fc.nat(30),
        async (chunks, a, b) => {
          const file = memoryFile(
            message(
              ...chunks.map(([packed, values]): [number, Value | Value[]] => [
                5,
                packed ? { packed: values } : values.map((float) => ({ float })),
              ]),
            ),
          );
          const reader = new WireReader(file, 'a message');
          const runs = reader.runs(await reader.message(reader.whole), 5, 4);
          const all = chunks.flatMap(([, values]) => values);
          const tensor = tensorOfRuns(file, { name: 'x', dtype: 'F32', shape: [all.length] }, 4, runs);
          const [start, end] = [Math.min(a, b, all.length), Math.min(Math.max(a, b), all.length)];
          expect(await tensor.read(start, end - start)).toEqual(floats(all.slice(start, end)));
        },
      ),
    );
  });

  test('of another number than the shape says are refused', () => {
    const runs = [{ start: 0, count: 3, stride: 4 }];
    expect(() =>
      tensorOfRuns(memoryFile(new Uint8Array(12)), { name: 'x', dtype: 'F32', shape: [2, 2] }, 4, runs),
    ).toThrow('Expected 4 elements of shape [2, 2] but received 3 (x)');
  });
});

describe('hostile messages', () => {
  test.each([
    ['a length beyond the file', [0x2a, 0x7f], 'field 5 of 127 bytes at byte 0'],
    [
      'a length of 2^63',
      [0x2a, ...Array<number>(9).fill(0x80), 0x01],
      'field 5 of 9223372036854775808 bytes',
    ],
    ['an overlong varint', [0x08, ...Array<number>(10).fill(0x80), 0x01], 'an integer of more than 64 bits'],
    ['a varint of 65 bits', [0x08, ...Array<number>(9).fill(0xff), 0x02], 'an integer of more than 64 bits'],
    ['a varint that is cut off', [0x08, 0x80], 'an integer at byte 1, beyond the end'],
    ['a tag that is cut off', [0x80], 'an integer at byte 0, beyond the end'],
    ['a float that is cut off', [0x2d, 0, 0, 0], 'field 5 at byte 0, beyond the end'],
    ['a double that is cut off', [0x29, 0, 0, 0, 0], 'field 5 at byte 0, beyond the end'],
    ['field 0', [0x00, 0x01], 'field number 0'],
    ['a field number of 2^29', [0x80, 0x80, 0x80, 0x80, 0x10, 0x01], 'field number 536870912'],
    ['a group', [0x0b, 0x0c], 'wire type 3 of field 1'],
    ['the end of a group', [0x0c], 'wire type 4 of field 1'],
    ['an unknown wire type', [0x0f, 0x00], 'wire type 7 of field 1'],
  ])('%s', async (_, bytes, came) => {
    await expect(fieldsOf(Uint8Array.from(bytes))).rejects.toThrow(VggError);
    await expect(fieldsOf(Uint8Array.from(bytes))).rejects.toThrow(`Expected a message but received ${came}`);
  });

  test('lengths beyond the parent, though within the file', async () => {
    // Field 1 of 2 bytes holds field 5 of 4 bytes.
    const { reader, message: fields } = await read(
      Uint8Array.from([0x0a, 0x02, 0x2a, 0x04, 0x10, 1, 0x10, 2]),
    );
    const [inner] = reader.ranges(fields, 1);
    await expect(reader.message(inner ?? reader.whole)).rejects.toThrow(
      'field 5 of 4 bytes at byte 2, beyond the end of its message at byte 4',
    );
  });

  test('fields without number', async () => {
    const bytes = new Uint8Array(600_000).map((_, i) => (i % 2 === 0 ? 0x08 : 0));
    await expect(fieldsOf(bytes)).rejects.toThrow('more than 262144 fields');
  });

  test('the wrong wire type for a field', async () => {
    const { reader, message: fields } = await read(
      message([1, 5], [2, 'text'], [3, { packed: [1] }], [4, new Uint8Array(3)]),
    );
    expect(() => reader.ranges(fields, 1)).toThrow('wire type 0 of field 1');
    expect(() => reader.int(fields, 2)).toThrow('wire type 2 of field 2');
    await expect(reader.float(fields, 3)).rejects.toThrow('wire type 2 of field 3');
    expect(() => reader.runs(fields, 4, 4)).toThrow('wire type 2 of field 4');
    expect(() => reader.runs(fields, 1, 8)).toThrow('wire type 0 of field 1');
  });

  test('a text or a list that no file needs', async () => {
    const { reader, message: fields } = await read(
      message([1, 'x'.repeat(70_000)], [2, { packedInts: Array<number>(2000).fill(1) }]),
    );
    await expect(reader.text(fields, 1)).rejects.toThrow('a text of 70000 bytes');
    await expect(reader.ints(fields, 2)).rejects.toThrow('more than 1024 integers in field 2');
  });

  test('any bytes are walked or refused, never anything else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (bytes) => {
        try {
          const fields = await fieldsOf(bytes);
          expect(fields.at(-1)?.end ?? 0).toBe(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(VggError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
