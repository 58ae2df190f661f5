// PyTorch's file format since 1.6: a zip archive of one pickle and a stored entry for each storage.
// Knows the archive's names; which pickles are let in is torch-tensors.ts's business.

import { VggError, expected } from '../../../vgg/index.ts';
import type { Checkpoint } from '../release.ts';
import type { FileBytes } from './file-bytes.ts';
import { storagesOf, storedTensors, TENSOR_RULES, type PickledStorage } from './torch-tensors.ts';
import { unpickle } from './unpickler.ts';
import { zipEntries, type ZipEntry } from './zip-entries.ts';

// Longest pickle; the storages are not in it.
const MAX_PICKLE = 64 << 20;

type Range = { name: string; start: number; end: number };

/**
 * The tensors of a file in PyTorch's zip format, named as storedTensors says. Its first bytes are `PK`.
 *
 * @throws VggError INVALID_ARGUMENT naming what is wrong
 */
export async function openTorchZip(file: FileBytes): Promise<Checkpoint> {
  const entries = await zipEntries(file);
  const pickle = pickleEntry(entries, file.path);
  const prefix = pickle.name.slice(0, -'data.pkl'.length);
  refusePrograms(entries, prefix);
  const ranges: Range[] = [];
  await checkByteOrder(file, entries.get(`${prefix}byteorder`));
  const root = await readPickle(file, pickle, ranges);
  const starts = new Map<PickledStorage, number>();
  const found = new Map<string, number>();
  for (const storage of storagesOf(root)) {
    const name = `${prefix}data/${storage.key}`;
    const entry = entries.get(name);
    if (!entry) throw expected('an entry for each storage', 'none', name);
    const bytes = storage.elements * storage.type.bytes;
    if (bytes > entry.size) throw expected(`${String(bytes)} bytes or more`, entry.size, name);
    const start = found.get(name) ?? (await rangeOf(entry, ranges)).start;
    found.set(name, start);
    starts.set(storage, start);
  }
  checkOverlap(ranges);
  return {
    format: 'PyTorch zip',
    tensors: storedTensors(root, file, (storage) => starts.get(storage) ?? NaN),
    close: () => file.close(),
  };
}

function pickleEntry(entries: ReadonlyMap<string, ZipEntry>, path: string): ZipEntry {
  const pickles = [...entries.values()].filter(({ name }) => /^([^/]+\/)?data\.pkl$/.test(name));
  const [pickle] = pickles;
  if (pickle && pickles.length === 1) return pickle;
  const names = [...entries.keys()];
  if (names.includes('model.weights.h5')) {
    throw new VggError(
      'INVALID_ARGUMENT',
      `Expected weights but received a .keras archive: save them alone, model.save_weights('vgg.weights.h5') (${path})`,
    );
  }
  const some = names.slice(0, 4).join(', ') + (names.length > 4 ? ', …' : '');
  throw expected("PyTorch's data.pkl in the zip archive", pickle ? `${String(pickles.length)} of them` : some, path);
}

function refusePrograms(entries: ReadonlyMap<string, ZipEntry>, prefix: string): void {
  const isProgram = [...entries.keys()].some(
    (name) => name === `${prefix}constants.pkl` || name.startsWith(`${prefix}code/`),
  );
  if (!isProgram) return;
  throw new VggError(
    'INVALID_ARGUMENT',
    "Expected a state_dict but the file is a TorchScript program (torch.jit.save): nothing in a file is executed. Save its weights alone: torch.save(torch.jit.load(FILE).state_dict(), 'weights.pth')",
  );
}

async function checkByteOrder(file: FileBytes, entry: ZipEntry | undefined): Promise<void> {
  // Files of before 2.1 do not say; they are little-endian.
  if (!entry) return;
  const length = Math.min(entry.size, 16);
  const order = new TextDecoder('latin1').decode(await file.read(await entry.start(), length, entry.name));
  if (order !== 'little') throw expected('byte order little', order, entry.name);
}

async function readPickle(file: FileBytes, entry: ZipEntry, ranges: Range[]): Promise<unknown> {
  if (entry.size > MAX_PICKLE) throw expected(`at most ${String(MAX_PICKLE)} bytes`, entry.size, entry.name);
  const { start } = await rangeOf(entry, ranges);
  const bytes = await file.read(start, entry.size, entry.name);
  const { value, end } = unpickle(bytes, 0, entry.name, TENSOR_RULES);
  if (end !== bytes.length) {
    throw expected(`a pickle of ${String(bytes.length)} bytes`, `one of ${String(end)}, and others`, entry.name);
  }
  return value;
}

async function rangeOf(entry: ZipEntry, ranges: Range[]): Promise<Range> {
  const start = await entry.start();
  const range = { name: entry.name, start, end: start + entry.size };
  ranges.push(range);
  return range;
}

// Entries that share bytes claim more than the archive has.
function checkOverlap(ranges: Range[]): void {
  ranges.sort((a, b) => a.start - b.start);
  for (const [i, { name, end }] of ranges.entries()) {
    const next = ranges[i + 1];
    if (next && next.start < end) throw expected('entries that do not overlap', `${name} and ${next.name}`, 'zip');
  }
}
