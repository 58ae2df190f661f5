// Photos where they are: listed once, then read one by one, each as the manifest has it or not at all. Knows folders and
// names; not what is in a photo. The same for S3 is in s3.ts.

import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { VggError, expected } from '../../vgg/errors.ts';

/** A photo of a job. */
export interface PhotoEntry {
  /** Its name in the source, `/` between folders. */
  photo: string;
  /** Bytes; -1 if nobody said. */
  size: number;
  /** Changes when the content does; empty if nobody said. */
  etag: string;
}

/** No photo of the source can be read. */
export class NoSource extends VggError {}

/** Where photos come from. */
export interface PhotoSource {
  /** As a person would name it: a folder, or `s3://bucket/prefix/`. */
  readonly place: string;
  /** Every photo, in the order of {@link photoOrder}. */
  list(): AsyncIterable<PhotoEntry>;
  /**
   * @throws VggError NOT_FOUND if the photo is gone or is another one by now, UNAVAILABLE if it may yet be readable;
   *   NoSource if nor will any other be
   */
  read(entry: PhotoEntry, signal?: AbortSignal): Promise<Uint8Array>;
}

const IMAGE = /\.(jpe?g|png|webp|avif|tiff?|gif)$/i;

/** Whether a file is a photo by its name. */
export function isPhotoName(name: string): boolean {
  return IMAGE.test(name);
}

/** The order of manifests: by bytes of UTF-8, which is the order that S3 lists in. */
export function photoOrder(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** The photo that a manifest names is no more. */
export function gone({ photo }: PhotoEntry, what: string): VggError {
  return expected('the photo that the manifest names', what, photo, 'NOT_FOUND');
}

/** Photos of a folder and of the folders in it; names that begin with a dot are left out. */
export class FolderPhotos implements PhotoSource {
  readonly place: string;
  readonly #anyName: boolean;

  /** @param anyName whether every file is taken for a photo, rather than those that are called like one */
  constructor(folder: string, anyName = false) {
    this.place = folder;
    this.#anyName = anyName;
  }

  async *list(): AsyncGenerator<PhotoEntry> {
    const facts = await stat(this.place).catch(() => undefined);
    if (!facts?.isDirectory()) {
      throw expected('a folder of photos or s3://BUCKET/PREFIX', this.place, 'SOURCE', 'NOT_FOUND');
    }
    yield* this.#walk('');
  }

  async read(entry: PhotoEntry): Promise<Uint8Array> {
    const file = join(this.place, entry.photo);
    try {
      const bytes = await readFile(file);
      if (entry.size >= 0 && bytes.length !== entry.size) {
        throw gone(entry, `one of ${String(bytes.length)} bytes instead of ${String(entry.size)}`);
      }
      if (entry.etag !== '' && etagOf(await stat(file)) !== entry.etag) throw gone(entry, 'a newer one');
      return bytes;
    } catch (error) {
      if (error instanceof VggError) throw error;
      const { code = 'an error' } = error as NodeJS.ErrnoException;
      if (['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES'].includes(code)) throw gone(entry, code);
      throw new VggError('UNAVAILABLE', `Expected to read ${file} but received ${code}`, { cause: error });
    }
  }

  // Depth first. A folder sorts as if its name ended in a slash, so that whole names come in order.
  async *#walk(folder: string): AsyncGenerator<PhotoEntry> {
    const children = await readdir(join(this.place, folder), { withFileTypes: true });
    const visible = children
      .filter(({ name }) => !name.startsWith('.'))
      .map((child) => ({ child, name: child.isDirectory() ? `${child.name}/` : child.name }))
      .sort((a, b) => photoOrder(a.name, b.name));
    for (const { child, name } of visible) {
      if (child.isDirectory()) yield* this.#walk(folder + name);
      else if (this.#anyName || isPhotoName(name)) {
        const facts = await stat(join(this.place, folder + name)).catch(() => undefined);
        if (facts?.isFile()) yield { photo: folder + name, size: facts.size, etag: etagOf(facts) };
      }
    }
  }
}

function etagOf({ size, mtimeMs }: { size: number; mtimeMs: number }): string {
  return `${size.toString(16)}-${Math.floor(mtimeMs).toString(16)}`;
}
