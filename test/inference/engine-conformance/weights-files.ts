// Weights files for the tests of loading: broken ones, half-precision ones, unaligned ones.

import { copyFile, mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenModel } from '../../../models/store.ts';
import { fromFloat32, toFloat32, type Dtype } from '../../../vgg/index.ts';

/** A copy of a model whose weights file may be spoilt. */
export async function copyModel(model: OpenModel, folder: string): Promise<OpenModel> {
  await mkdir(folder, { recursive: true });
  const weightsPath = join(folder, 'weights.safetensors');
  await copyFile(model.weightsPath, weightsPath);
  return { ...model, weightsPath };
}

/** Overwrites one number of a float32 tensor in a model's file. */
export async function overwrite(
  model: OpenModel,
  tensor: string,
  index: number,
  value: number,
): Promise<void> {
  const entry = model.tensors.find(({ name }) => name === tensor);
  if (entry?.dtype !== 'F32') throw new Error(`No float32 tensor ${tensor}`);
  const file = await open(model.weightsPath, 'r+');
  await file.write(new Uint8Array(new Float32Array([value]).buffer), 0, 4, entry.offset + 4 * index);
  await file.close();
}

/**
 * The model with its weights rounded to bfloat16 and stored in `dtype`, each tensor behind an odd number of
 * bytes: the same numbers in every type that can hold them.
 */
export async function storedAs(model: OpenModel, dtype: Dtype, weightsPath: string): Promise<OpenModel> {
  const file = await readFile(model.weightsPath);
  const parts: Uint8Array[] = [];
  let offset = 0;
  const tensors = model.tensors.map((entry) => {
    const values = toFloat32(file.subarray(entry.offset, entry.offset + entry.bytes), entry.dtype);
    // The upper half of a float32 is a bfloat16.
    const words = new Uint32Array(values.slice().buffer).map((word) => word & 0xffff0000);
    const data = fromFloat32(new Float32Array(words.buffer), dtype, entry.name);
    const gap = new Uint8Array(offset % 2 === 0 ? 3 : 2);
    parts.push(gap, data);
    const moved = { ...entry, dtype, offset: offset + gap.length, bytes: data.length };
    offset += gap.length + data.length;
    return moved;
  });
  await writeFile(weightsPath, Buffer.concat(parts));
  return { ...model, weightsPath, tensors };
}
