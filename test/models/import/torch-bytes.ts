// Pickles, zip archives and PyTorch files as bytes, right and wrong ones, without Python.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFileBytes, type FileBytes } from '../../../models/import/formats/file-bytes.ts';

/** Bytes, or text of a character a byte. */
export type Bytes = Uint8Array | string;

/** Several as one. */
export function joined(...parts: Bytes[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));
}

/** A little-endian integer. */
export function le(value: number | bigint, bytes: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64LE(BigInt.asIntN(64, BigInt(value)));
  return buffer.subarray(0, bytes);
}

/** Values as Python's pickle writes them. */
export const py = {
  pickle: (...parts: Bytes[]) => joined('\x80\x02', ...parts, '.'),
  text: (text: string) => joined('X', le(Buffer.byteLength(text), 4), Buffer.from(text)),
  int: (value: number) => joined('J', le(value, 4)),
  long: (value: bigint, bytes = 8) =>
    joined('\x8a', le(bytes, 1), le(value, 8), Buffer.alloc(Math.max(0, bytes - 8))),
  global: (module: string, name: string) => `c${module}\n${name}\n`,
  tuple: (...items: Bytes[]) => joined('(', ...items, 't'),
  list: (...items: Bytes[]) => joined('](', ...items, 'e'),
  dict: (...items: Bytes[]) => joined('}(', ...items, 'u'),
  reduce: (callee: Bytes, ...args: Bytes[]) => joined(callee, py.tuple(...args), 'R'),
  storage: (key: string, count: Bytes, type = 'FloatStorage', ...view: Bytes[]) =>
    joined(
      py.tuple(py.text('storage'), py.global('torch', type), py.text(key), py.text('cpu'), count, ...view),
      'Q',
    ),
  tensor: (storage: Bytes, offset: Bytes, shape: Bytes[], strides: Bytes[]) =>
    py.reduce(
      py.global('torch._utils', '_rebuild_tensor_v2'),
      ...[storage, offset, py.tuple(...shape), py.tuple(...strides), '\x89'],
      py.reduce(py.global('collections', 'OrderedDict')),
    ),
};

/** An entry of an archive; what differs from a stored one is named. */
export interface MadeEntry {
  name: string;
  bytes: Bytes;
  method?: number;
  flags?: number;
  /** Size that the directory claims. */
  size?: number;
  /** Entry whose bytes this one claims, by its place. */
  headerOf?: number;
}

/** A zip archive; with zip64 every size and place is in the wide fields. */
export function zip(entries: readonly MadeEntry[], zip64 = false): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  const offsets: number[] = [];
  let end = 0;
  for (const { name, bytes, method = 0, flags = 0, size, headerOf } of entries) {
    const content = joined(bytes);
    const claimed = size ?? content.length;
    offsets.push(end);
    const offset = headerOf === undefined ? end : (offsets[headerOf] ?? 0);
    const fixed = joined(le(20, 2), le(flags, 2), le(method, 2), le(0, 4), le(0, 4));
    const sizes = (value: number) => le(zip64 ? 0xffffffff : value, 4);
    const local = joined(
      'PK\x03\x04',
      fixed,
      le(claimed, 4),
      le(claimed, 4),
      le(name.length, 2),
      le(0, 2),
      name,
    );
    const extra = zip64 ? joined(le(1, 2), le(24, 2), le(claimed, 8), le(claimed, 8), le(offset, 8)) : '';
    directory.push(
      joined('PK\x01\x02', le(20, 2), fixed, sizes(claimed), sizes(claimed), le(name.length, 2)),
      joined(le(extra.length, 2), le(0, 2), le(0, 2), le(0, 2), le(0, 4), sizes(offset), name, extra),
    );
    parts.push(local, content);
    end += local.length + content.length;
  }
  const central = joined(...directory);
  const count = entries.length;
  const wide = joined(
    joined('PK\x06\x06', le(44, 8), le(45, 2), le(45, 2), le(0, 4), le(0, 4), le(count, 8), le(count, 8)),
    joined(le(central.length, 8), le(end, 8)),
    joined('PK\x06\x07', le(0, 4), le(end + central.length, 8), le(1, 4)),
  );
  const short = (value: number, bytes: number) => le(zip64 ? 0xffffffff : value, bytes);
  return joined(
    ...[...parts, central, zip64 ? wide : '', 'PK\x05\x06', le(0, 2), le(0, 2)],
    ...[short(count, 2), short(count, 2), short(central.length, 4), short(end, 4), le(0, 2)],
  );
}

/** PyTorch's zip of a pickle and storages by their keys. */
export function torchZip(
  pickle: Bytes,
  storages: Record<string, Bytes> = {},
  more: MadeEntry[] = [],
): Buffer {
  return zip([
    { name: 'net/data.pkl', bytes: pickle },
    ...Object.entries(storages).map(([key, bytes]) => ({ name: `net/data/${key}`, bytes })),
    ...more,
  ]);
}

/** What stands before the object's pickle in PyTorch's format before 1.6. */
export function legacyStart(protocol = 1001, littleEndian = true): Buffer {
  return joined(
    py.pickle('\x8a\x0a', Buffer.from('6cfc9c46f9206aa85019', 'hex')),
    py.pickle(py.int(protocol)),
    py.pickle(py.dict(py.text('little_endian'), littleEndian ? '\x88' : '\x89')),
  );
}

/** Opens bytes as a file of a folder that `removed` removes. */
export async function openBytes(bytes: Bytes): Promise<FileBytes & { removed(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'vgg-torch-'));
  const path = join(folder, 'weights.pth');
  await writeFile(path, joined(bytes));
  const file = await openFileBytes(path);
  const removed = async () => {
    await file.close();
    await rm(folder, { recursive: true });
  };
  return { ...file, removed };
}

// A half by its 16 bits.
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function bfloat(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0] ?? NaN;
}

/** Elements of a type as numbers. */
export function numbers(bytes: Uint8Array, dtype: string): number[] {
  const { buffer } = Uint8Array.from(bytes);
  switch (dtype) {
    case 'F64':
      return [...new Float64Array(buffer)];
    case 'F32':
      return [...new Float32Array(buffer)];
    case 'F16':
      return Array.from(new Uint16Array(buffer), half);
    case 'BF16':
      return Array.from(new Uint16Array(buffer), bfloat);
    case 'I64':
      return Array.from(new BigInt64Array(buffer), Number);
    case 'I32':
      return [...new Int32Array(buffer)];
    case 'I16':
      return [...new Int16Array(buffer)];
    case 'I8':
      return [...new Int8Array(buffer)];
    default:
      return [...bytes];
  }
}
