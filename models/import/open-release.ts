// Opens a weights file by what is in it, whatever its name says.
// Knows which formats there are and how each begins; what is inside them, their readers know.

import { expected } from '../../vgg/index.ts';
import { looksLikeCaffemodel } from './formats/caffemodel.ts';
import { openFileBytes, type FileBytes } from './formats/file-bytes.ts';
import { openHdf5 } from './formats/hdf5.ts';
import { looksLikeOnnx } from './formats/onnx-model.ts';
import { looksLikeSafetensors, openSafetensors } from './formats/safetensors.ts';
import { openTorchLegacy } from './formats/torch-legacy.ts';
import { openTorchZip } from './formats/torch-zip.ts';
import { canonicalNames, hasCanonicalNames } from './layouts/canonical.ts';
import { openCaffemodel } from './layouts/caffe.ts';
import { kerasRelease } from './layouts/keras.ts';
import { openOnnx } from './layouts/onnx.ts';
import { torchRelease } from './layouts/torch.ts';
import type { Checkpoint, Release } from './release.ts';

/** What can be imported, in words. */
const FORMATS =
  'PyTorch (.pth), safetensors, Keras (.h5), Caffe (.caffemodel) or ONNX (.onnx)';

/**
 * Opens a weights file and recognises its layout. Nothing in it is executed; its tensors stay on disk.
 *
 * @throws VggError NOT_FOUND if it cannot be read; INVALID_ARGUMENT naming what was looked for and what is there
 */
export async function openRelease(path: string): Promise<Release> {
  const file = await openFileBytes(path);
  try {
    return await recognised(file);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function recognised(file: FileBytes): Promise<Release> {
  const start = await file.read(0, Math.min(file.size, 512), 'the first bytes');
  const begins = (...bytes: number[]) => bytes.every((byte, i) => start[i] === byte);
  if (begins(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a)) return kerasRelease(await openHdf5(file));
  if (begins(0x50, 0x4b)) return namedRelease(await openTorchZip(file));
  if (looksLikeSafetensors(start, file.size)) return namedRelease(await openSafetensors(file));
  if (begins(0x80)) return namedRelease(await openTorchLegacy(file));
  const other = otherFormat(start);
  if (other === undefined && (await looksLikeOnnx(file))) return await openOnnx(file);
  if (other === undefined && (await looksLikeCaffemodel(file))) return await openCaffemodel(file);
  throw expected(`weights of ${FORMATS}`, other ?? `a file that begins with ${shown(start.subarray(0, 12))}`, file.path);
}

function namedRelease(checkpoint: Checkpoint): Release {
  return hasCanonicalNames(checkpoint) ? canonicalNames(checkpoint) : torchRelease(checkpoint);
}

// Files that downloads and repositories leave in place of weights.
function otherFormat(start: Uint8Array): string | undefined {
  const text = new TextDecoder('latin1').decode(start);
  if (/^\s*<(!doctype|html|\?xml)/i.test(text)) return 'an HTML page';
  if (text.startsWith('version https://git-lfs')) return 'a Git LFS pointer, not the file it points to';
  if (text.startsWith('\x1f\x8b')) return 'a gzip file: decompress it first';
  if (text.slice(257, 262) === 'ustar') return 'a tar archive (PyTorch before 0.2 wrote them: load and save it again)';
  return undefined;
}

function shown(bytes: Uint8Array): string {
  const text = new TextDecoder('latin1').decode(bytes);
  return /^[\x20-\x7e]+$/.test(text) ? JSON.stringify(text) : `0x${Buffer.from(bytes).toString('hex')}`;
}
