// A file as bytes that are read where they are needed: never the whole file at once.
// Knows nothing of formats; hostile lengths end here.

import { open, type FileHandle } from 'node:fs/promises';
import { VggError } from '../../../vgg/index.ts';

/** An open file. */
export interface FileBytes {
  readonly path: string;
  /** Length in bytes. */
  readonly size: number;
  /**
   * Reads just `length` bytes from `offset`.
   *
   * @throws VggError INVALID_ARGUMENT naming `what` if the file ends before; nothing is allocated then
   */
  read(offset: number, length: number, what: string): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Opens a file to read.
 *
 * @throws VggError NOT_FOUND if it cannot be read; INVALID_ARGUMENT for a folder or an empty file
 */
export async function openFileBytes(path: string): Promise<FileBytes> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (cause) {
    throw new VggError('NOT_FOUND', `Expected a weights file but cannot read ${path}`, { cause });
  }
  try {
    const stats = await file.stat();
    if (!stats.isFile()) {
      const came = stats.isDirectory() ? 'a folder' : 'something that is not a plain file';
      throw new VggError('INVALID_ARGUMENT', `Expected a weights file but received ${came} (${path})`);
    }
    if (stats.size === 0)
      throw new VggError('INVALID_ARGUMENT', `Expected a weights file but received an empty one (${path})`);
    return {
      path,
      size: stats.size,
      read: (offset, length, what) => readExactly(file, stats.size, offset, length, what),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readExactly(
  file: FileHandle,
  size: number,
  offset: number,
  length: number,
  what: string,
): Promise<Uint8Array> {
  if (!(offset >= 0 && length >= 0 && offset + length <= size)) throw truncated(what, offset + length, size);
  // An ArrayBuffer of its own, so that its words are aligned.
  const bytes = new Uint8Array(length);
  for (let filled = 0; filled < length;) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) throw truncated(what, offset + length, offset + filled);
    filled += bytesRead;
  }
  return bytes;
}

function truncated(what: string, needed: number, size: number): VggError {
  return new VggError(
    'INVALID_ARGUMENT',
    `Expected ${what} up to byte ${String(needed)} but the file ends at byte ${String(size)}: truncated, or not what it claims`,
  );
}
