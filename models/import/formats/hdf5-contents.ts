// What is in an HDF5 file: its datasets and its groups' text attributes. Runs on the file's own thread.
// Knows links, types and claimed sizes; follows hard links alone, and reads no dataset.

import type { Filter, Metadata, Module } from 'h5wasm/node';
import { expected } from '../../../vgg/index.ts';

/** The HDF5 library, loaded. */
export type Library = typeof Module;

/** A dataset, still in the file. */
export interface Hdf5Dataset {
  /** From the root, without a leading slash. */
  path: string;
  /** F64, F32, F16, BF16, or what HDF5 calls it. */
  dtype: string;
  /** Bytes of one element. */
  size: number;
  shape: number[];
  /** Shape of its chunks, if it lies in chunks. */
  chunks: number[] | null;
}

/** Text attributes of a group by name: one text, or a list of them. */
export type TextAttributes = ReadonlyMap<string, string | string[]>;

/** See {@link contentsOf}. */
export interface Hdf5Contents {
  datasets: Hdf5Dataset[];
  /** By path; the root's is ''. */
  groups: Map<string, TextAttributes>;
}

// More than any VGG's file has: one with batch normalisation and an optimizer's state has about 700 objects.
const MAX_OBJECTS = 2000;
// A model in a model in a model has 8.
const MAX_DEPTH = 16;
// model_config and training_config are some 10 kB.
const MAX_TEXT = 16 * 2 ** 20;
const MAX_CHUNK = 64 * 2 ** 20;
// Deflate packs no more than 1032 bytes into one.
const MAX_RATIO = 1032;
// H5T_class_t, in its order.
const CLASSES = [
  ...['integer', 'float', 'time', 'string', 'bitfield', 'opaque', 'compound', 'reference', 'enum'],
  ...['variable-length', 'array', 'complex'],
];
// Filters that every library has: deflate, shuffle, fletcher32. Others would be loaded from disk.
const FILTERS = new Set([1, 2, 3]);

/**
 * Lists an open file.
 *
 * @param file number of the open file
 * @param size length of the file in bytes, which no claim may exceed
 * @throws VggError INVALID_ARGUMENT naming the object at fault; Error if the library fails
 */
export function contentsOf(library: Library, file: bigint, size: number): Hdf5Contents {
  const contents: Hdf5Contents = { datasets: [], groups: new Map() };
  let objects = 0;
  visit('', 0);
  return contents;

  function visit(group: string, depth: number): void {
    if (depth > MAX_DEPTH) throw expected(`groups up to ${String(MAX_DEPTH)} deep`, 'deeper ones', group);
    contents.groups.set(group, textAttributes(library, file, group));
    for (const name of library.get_names(file, `/${group}`, false)) {
      if (++objects > MAX_OBJECTS) throw expected(`up to ${String(MAX_OBJECTS)} objects`, 'more', group);
      const path = group === '' ? name : `${group}/${name}`;
      // Before anything that would follow the link.
      refuseLink(library, file, path);
      const type = library.get_type(file, `/${path}`);
      if (type === library.H5G_GROUP) visit(path, depth + 1);
      else if (type === library.H5G_DATASET) contents.datasets.push(dataset(library, file, path, size));
      else if (type !== library.H5G_TYPE) throw expected('a group or a dataset', 'a damaged object', path);
    }
  }
}

function refuseLink(library: Library, file: bigint, path: string): void {
  const soft = library.get_symbolic_link(file, `/${path}`) as string | null;
  const { filename } = library.get_external_link(file, `/${path}`) as { filename?: string };
  const target = filename ?? soft;
  if (target !== null) throw expected('groups and datasets, no links', `a link to ${target}`, path);
}

function dataset(library: Library, file: bigint, path: string, fileSize: number): Hdf5Dataset {
  const metadata = library.get_dataset_metadata(file, `/${path}`);
  const { size, chunks } = metadata;
  const shape = metadata.shape ?? [0];
  if (metadata.virtual_sources !== undefined) throw expected('data in the file itself', 'a virtual dataset', path);
  const filters: Filter[] = library.get_dataset_filters(file, `/${path}`);
  const unknown = filters.find(({ id }) => !FILTERS.has(id));
  if (unknown) {
    throw expected('data as they are or packed by gzip', `filter ${String(unknown.id)} ${unknown.name}`, path);
  }
  const bytes = bytesOf(shape, size);
  const most = fileSize * (filters.length > 0 ? MAX_RATIO : 1);
  // An empty dataset may claim any shape and takes no room: reading it would give zeros.
  if (!(bytes <= most)) throw expected(`data of ${String(most)} bytes at most, as the file has`, `${String(bytes)} bytes`, path);
  const chunk = bytesOf(chunks ?? [], size);
  if (!(chunk <= MAX_CHUNK)) {
    throw expected(`chunks up to ${String(MAX_CHUNK)} bytes`, `chunks of ${String(chunk)} bytes`, path);
  }
  return { path, dtype: dtypeOf(library, file, path, metadata), size, shape, chunks };
}

function bytesOf(shape: readonly number[], size: number): number {
  return shape.reduce((product, each) => product * each, size);
}

function dtypeOf(library: Library, file: bigint, path: string, { type, shape, size, signed }: Metadata): string {
  const name = CLASSES[type] ?? 'unknown';
  if (shape === null) return 'nothing';
  if (name === 'float') return `F${String(8 * size)}`;
  if (name === 'integer') return `${signed ? 'I' : 'U'}${String(8 * size)}`;
  // Keras 3 writes bfloat16 as two opaque bytes and an attribute.
  const named = name === 'opaque' && size === 2 ? textAttributes(library, file, path).get('dtype') : undefined;
  return named === 'bfloat16' ? 'BF16' : name;
}

function textAttributes(library: Library, file: bigint, path: string): TextAttributes {
  const texts = new Map<string, string | string[]>();
  for (const name of library.get_attribute_names(file, `/${path}`)) {
    const metadata = library.get_attribute_metadata(file, `/${path}`, name);
    if (metadata.type !== CLASSES.indexOf('string') || !metadata.shape) continue;
    const bytes = bytesOf(metadata.shape, metadata.size);
    if (!(bytes <= MAX_TEXT)) throw expected(`text up to ${String(MAX_TEXT)} bytes`, bytes, `${path}@${name}`);
    const list = readTexts(library, file, path, name, metadata, bytes);
    texts.set(name, metadata.shape.length === 0 ? (list[0] ?? '') : list);
  }
  return texts;
}

// h5wasm's own getter does not look whether the read failed, and would follow pointers that nobody set.
function readTexts(
  library: Library,
  file: bigint,
  path: string,
  name: string,
  { vlen, size }: Metadata,
  bytes: number,
): string[] {
  if (bytes === 0) return [];
  const at = library._malloc(bytes);
  if (at === 0) throw new Error('no memory for an attribute');
  try {
    library.HEAPU8.fill(0, at, at + bytes);
    if (library.get_attribute_data(file, `/${path}`, name, BigInt(at)) < 0) throw new Error(`attribute ${name}`);
    const read = library.HEAPU8.slice(at, at + bytes);
    if (vlen) {
      const texts = Array.from(new Uint32Array(read.buffer), (pointer) =>
        pointer === 0 ? '' : library.UTF8ToString(pointer),
      );
      library.reclaim_vlen_memory(file, `/${path}`, name, BigInt(at));
      return texts;
    }
    return Array.from({ length: bytes / size }, (_, i) => {
      const text = read.subarray(i * size, (i + 1) * size);
      const end = text.indexOf(0);
      return new TextDecoder().decode(end < 0 ? text : text.subarray(0, end));
    });
  } finally {
    library._free(at);
  }
}
