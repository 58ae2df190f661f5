// The entries of a zip archive, found by its central directory and read in place.
// Knows zip, through yauzl; nothing of what the entries are.

import { fromRandomAccessReaderPromise, RandomAccessReader, type Entry, type ZipFile } from 'yauzl';
import { VggError, expected } from '../../../vgg/index.ts';
import type { FileBytes } from './file-bytes.ts';

/** A file of the archive; where its bytes lie is looked up when it is needed. */
export interface ZipEntry {
  name: string;
  /** Bytes, as they are stored. */
  size: number;
  /**
   * Byte of the archive where it starts.
   *
   * @throws VggError INVALID_ARGUMENT if it is compressed, encrypted, or not all in the archive
   */
  start(): Promise<number>;
}

// A state_dict with an optimizer's has some 100 entries.
const MAX_ENTRIES = 100_000;

/**
 * The entries of an archive by their names, zip64 or not. Nothing is inflated.
 *
 * @throws VggError INVALID_ARGUMENT if the directory is damaged, or two entries have one name
 */
export async function zipEntries(file: FileBytes): Promise<Map<string, ZipEntry>> {
  const zip = await readable(file.path, () =>
    fromRandomAccessReaderPromise(new Reader(file), file.size, {
      lazyEntries: true,
      autoClose: false,
      validateEntrySizes: true,
    }),
  );
  if (zip.entryCount > MAX_ENTRIES) {
    throw expected(`at most ${String(MAX_ENTRIES)} entries`, zip.entryCount, file.path);
  }
  const entries = new Map<string, ZipEntry>();
  await readable(file.path, async () => {
    for await (const entry of zip.eachEntry()) {
      if (entries.has(entry.fileName)) throw expected('entries of different names', entry.fileName, file.path);
      entries.set(entry.fileName, placed(zip, entry));
    }
  });
  return entries;
}

function placed(zip: ZipFile, entry: Entry): ZipEntry {
  const { fileName: name, compressedSize: size } = entry;
  return {
    name,
    size,
    async start() {
      if (entry.isEncrypted()) throw expected('entries that are not encrypted', 'an encrypted one', name);
      if (entry.compressionMethod !== 0) {
        throw expected('entries that are stored, as PyTorch writes them', 'a compressed one', name);
      }
      // It checks that the bytes are all in the archive.
      const { fileDataStart } = await readable(name, () =>
        zip.readLocalFileHeaderPromise(entry, { minimal: true }),
      );
      return fileDataStart;
    },
  };
}

async function readable<T>(where: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof VggError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new VggError(
      'INVALID_ARGUMENT',
      `Expected a zip archive but it is truncated or damaged: ${reason} (${where})`,
      { cause },
    );
  }
}

// The archive's bytes for yauzl, which does not close them.
class Reader extends RandomAccessReader {
  readonly #file: FileBytes;

  constructor(file: FileBytes) {
    super();
    this.#file = file;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    this.#file.read(position, length, "the zip archive's directory").then(
      (bytes) => {
        buffer.set(bytes, offset);
        callback(null, length);
      },
      (error: unknown) => {
        callback(error as Error);
      },
    );
  }
}
