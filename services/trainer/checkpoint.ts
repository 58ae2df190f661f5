// A run's state in one file: all tensors of its network bit for bit, and the run's facts. Knows the file; not
// what the facts mean or when one is written.
//
// The format is safetensors, the facts JSON in its metadata. It is written aside, flushed to the disk and renamed:
// whatever interrupts, the file of that name is a whole one.

import { open, rename, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  expected,
  formatSafetensorsHeader,
  parseSafetensors,
  safetensorsHeaderBytes,
  safetensorsMetadata,
  toFloat32,
  VggError,
  type NetworkSpec,
  type TensorEntry,
} from '../../vgg/index.ts';
import { bestOf, type NetworkProgress, type TrainingNetwork } from './network/network.ts';
import type { Recipe } from './recipe.ts';

/** What the loop keeps in a checkpoint: JSON, so NaN and infinite numbers become null. */
export interface CheckpointFacts {
  recipe: Recipe;
}

/** A checkpoint whose header was read. */
export interface OpenCheckpoint<Facts extends CheckpointFacts> {
  facts: Facts;
  spec: NetworkSpec;
  /**
   * Sets a network to just this state.
   *
   * @throws VggError INVALID_ARGUMENT naming the tensor that does not fit; the network is then not to be used
   */
  restore(network: TrainingNetwork): Promise<void>;
}

const FORMAT = 'vgg-training-1';

interface Contents<Facts> {
  spec: NetworkSpec;
  progress: NetworkProgress;
  facts: Facts;
}

/** Writes a checkpoint, replacing the one at the path. Between batches: gradients are not kept. */
export async function writeCheckpoint(
  path: string,
  network: TrainingNetwork,
  facts: CheckpointFacts,
): Promise<void> {
  const { spec, progress, variables } = network;
  const contents: Contents<CheckpointFacts> = { spec, progress, facts };
  const names = variables.names();
  const entries = names.map((name) => ({ name, dtype: 'F32' as const, shape: variables.get(name).shape }));
  const aside = `${path}.partial`;
  const file = await open(aside, 'w');
  try {
    await file.writeFile(formatSafetensorsHeader(entries, { [FORMAT]: JSON.stringify(contents) }));
    for (const name of names) {
      const { buffer, byteOffset, byteLength } = variables.read(name);
      await file.writeFile(new Uint8Array(buffer, byteOffset, byteLength));
    }
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(aside, path);
  // The name is in the folder, and reaches the disk with it.
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * Reads a checkpoint's header.
 *
 * @returns undefined if there is no such file
 * @throws VggError INVALID_ARGUMENT if it is no checkpoint or not whole
 */
export async function openCheckpoint<Facts extends CheckpointFacts>(
  path: string,
): Promise<OpenCheckpoint<Facts> | undefined> {
  const file = await open(path, 'r').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new VggError('INVALID_ARGUMENT', `Expected a checkpoint but cannot read ${path}`, { cause: error });
  });
  if (!file) return undefined;
  try {
    const { size } = await file.stat();
    const header = await bytesAt(file, 8, safetensorsHeaderBytes(await bytesAt(file, 0, 8), size));
    const tensors = parseSafetensors(header, size);
    const text = safetensorsMetadata(header)[FORMAT];
    if (text === undefined) throw expected('a training checkpoint', 'other safetensors', path);
    const { spec, progress, facts } = JSON.parse(text) as Contents<Facts>;
    return { facts, spec, restore: (network) => restore(path, tensors, spec, progress, network) };
  } finally {
    await file.close();
  }
}

/**
 * Throws INVALID_ARGUMENT naming the first field in which a recipe differs from that of the run to go on with.
 *
 * @param changeable fields that may differ
 */
export function checkSameRecipe(
  kept: Recipe,
  wanted: Recipe,
  changeable: readonly (keyof Recipe)[] = [],
): void {
  const fields = new Set([...Object.keys(kept), ...Object.keys(wanted)]) as Set<keyof Recipe>;
  for (const field of fields) {
    if (changeable.includes(field)) continue;
    const [was, is] = [kept[field], wanted[field]].map((value) =>
      value === undefined ? 'none' : JSON.stringify(value),
    );
    if (was !== is) throw expected(`${field} ${String(was)}, as the run began`, is, field);
  }
}

async function restore(
  path: string,
  tensors: readonly TensorEntry[],
  spec: NetworkSpec,
  progress: NetworkProgress,
  network: TrainingNetwork,
): Promise<void> {
  const { variables } = network;
  for (const field of ['network', 'width', 'hidden', 'classes', 'inputSize', 'batchNorm'] as const) {
    const [kept, own] = [spec[field] ?? false, network.spec[field] ?? false];
    if (kept !== own) throw expected(`a checkpoint of ${field} ${String(own)}`, kept, path);
  }
  if (tensors.some(({ name }) => name.startsWith(bestOf('')))) network.keepBest();
  const missing = new Set(variables.names());
  for (const { name, shape, dtype } of tensors) {
    if (!missing.delete(name)) throw expected(`only the tensors of the network`, name, path);
    const own = JSON.stringify(variables.get(name).shape);
    if (dtype !== 'F32' || JSON.stringify(shape) !== own)
      throw expected(`F32 ${own}`, `${dtype} ${JSON.stringify(shape)}`, name);
  }
  const [lacking] = missing;
  if (lacking !== undefined) throw expected(`tensor ${lacking}`, 'none', path);
  const file = await open(path, 'r');
  try {
    for (const { name, offset, bytes } of tensors)
      variables.write(name, toFloat32(await bytesAt(file, offset, bytes), 'F32'));
  } finally {
    await file.close();
  }
  network.progress = progress;
}

async function bytesAt(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await file.read(bytes, read, length - read, offset + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return bytes.subarray(0, read);
}
