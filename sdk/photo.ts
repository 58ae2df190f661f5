// A photo, however the caller has it: bytes, a stream of bytes, or a file. Its content is the
// server's to judge; only its size is bounded here.

import { createReadStream } from 'node:fs';
import { expected, VggError } from '../vgg/errors.ts';

/**
 * An image file (JPEG, PNG, WebP, AVIF, TIFF or GIF): its bytes, a stream of them, its path, or its
 * file: URL.
 */
export type Photo =
  Uint8Array | ArrayBuffer | AsyncIterable<Uint8Array> | Iterable<Uint8Array> | string | URL;

/**
 * The photo's bytes.
 *
 * @param maxBytes a longer photo is refused before it is read to its end
 * @throws VggError INVALID_ARGUMENT, NOT_FOUND (no such file), TOO_LARGE
 */
export async function photoBytes(photo: Photo, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array> {
  if (photo instanceof ArrayBuffer) return checked(new Uint8Array(photo), maxBytes);
  if (photo instanceof Uint8Array) return checked(photo, maxBytes);
  if (photo instanceof URL && photo.protocol !== 'file:') throw expected('a file: URL', photo.href, 'photo');
  if (typeof photo === 'string' || photo instanceof URL) return readFile(photo, maxBytes, signal);
  if (typeof photo === 'object' && (photo as unknown) !== null) {
    if (Symbol.asyncIterator in photo || Symbol.iterator in photo) return collect(photo, maxBytes);
  }
  throw expected('bytes, a stream of bytes, a path or a file: URL', typeof photo, 'photo');
}

async function readFile(file: string | URL, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array> {
  if (file === '') throw expected('a path', file, 'photo');
  try {
    const stream = createReadStream(file, { ...(signal && { signal }), end: maxBytes });
    return await collect(stream as AsyncIterable<Uint8Array>, maxBytes);
  } catch (cause) {
    if (cause instanceof VggError || signal?.aborted === true) throw cause;
    const code = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'NOT_FOUND' : 'INVALID_ARGUMENT';
    const message = `Expected a readable file but received ${String(file)} (photo)`;
    throw new VggError(code, message, { cause, fields: [{ field: 'photo', message }] });
  }
}

async function collect(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    if (!((chunk as unknown) instanceof Uint8Array)) throw expected('chunks of bytes', typeof chunk, 'photo');
    length += chunk.length;
    if (length > maxBytes) throw tooLarge(`more than ${String(maxBytes)}`, maxBytes);
    parts.push(chunk);
  }
  return checked(Buffer.concat(parts, length), maxBytes);
}

function checked(bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (bytes.length === 0) throw expected('an image file', 'no bytes', 'photo');
  if (bytes.length > maxBytes) throw tooLarge(bytes.length, maxBytes);
  return bytes;
}

function tooLarge(came: string | number, maxBytes: number): VggError {
  return expected(`at most ${String(maxBytes)} bytes`, came, 'photo', 'TOO_LARGE');
}
