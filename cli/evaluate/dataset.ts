// Photos on disk and what their owner says they show, in words: folders, a ground truth, or a table.
// Knows layouts; not what a model calls its classes.

import { readFile, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { VggError, expected } from '../../vgg/errors.ts';
import { shuffled } from '../chance.ts';

/** A photo and its truth as the dataset has it. */
export interface Photo {
  /** Path, as it is opened. */
  file: string;
  /** Path within the dataset, `/` between folders. */
  name: string;
  /** A folder's name, a label, an index, a synset. */
  truth: string;
}

/** Photos with truths. */
export interface Dataset {
  photos: Photo[];
  /** Whether it is ImageNet's validation set: photos ILSVRC2012_val_…, or all 1,000 synsets as folders. */
  imagenet: boolean;
  /** Whether it lists ImageNet's whole validation set by number, so that its order of classes can be told. */
  first?: readonly string[];
}

const IMAGE = /\.(jpe?g|png|webp|avif|tiff?|gif)$/i;
const VALIDATION = /^ILSVRC2012_val_(\d{8})\.jpe?g$/i;
const SYNSET = /^n\d{8}$/;
const FILE_AND_TRUTH = /^(\S+\.(?:jpe?g|png|webp|avif|tiff?|gif))\s+(.+)$/i;
const VALIDATION_PHOTOS = 50_000;

/**
 * The photos of a folder with one folder a class; of a folder and its ground truth; or of a CSV file.
 *
 * @param path the folder, or a CSV file `file,label` whose paths are relative to it
 * @param groundTruth a file with one truth a line, or with lines `file truth`, or CSV; paths relative to the folder
 * @throws VggError INVALID_ARGUMENT naming what is missing
 */
export async function readDataset(path: string, groundTruth?: string): Promise<Dataset> {
  const facts = await stat(path).catch(() => undefined);
  if (!facts) throw expected('a folder of photos or a CSV file', path, 'DIR', 'NOT_FOUND');
  if (facts.isFile()) {
    if (groundTruth !== undefined) throw expected('a folder with --ground-truth', path, 'DIR');
    if (!path.toLowerCase().endsWith('.csv')) throw expected('a folder of photos or a CSV file', path, 'DIR');
    return listed(dirname(path), csvRows(await text(path), path));
  }
  if (groundTruth === undefined) return await folders(path);
  const content = await text(groundTruth);
  if (groundTruth.toLowerCase().endsWith('.csv')) return listed(path, csvRows(content, groundTruth));
  const lines = linesOf(content);
  const pairs = lines.map((line) => FILE_AND_TRUTH.exec(line));
  return pairs.every((pair) => pair !== null)
    ? listed(
        path,
        pairs.map(([, file = '', truth = '']) => [file, truth.trim()]),
      )
    : await numbered(path, lines, groundTruth);
}

/** The lines of a text, trimmed, without empty ones at its end. */
export function linesOf(content: string): string[] {
  return content
    .trimEnd()
    .split('\n')
    .map((line) => line.trim());
}

/** A file's text. @throws VggError NOT_FOUND */
export async function text(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).replace(/^\ufeff/, '');
  } catch (cause) {
    throw new VggError('NOT_FOUND', `Expected a readable file but received ${file}`, { cause });
  }
}

/**
 * Photos in an order that the seed fixes, so that what is known of the first ones holds for all; at most so many of a
 * truth, at most so many in all. Fewer photos are the first ones of more.
 */
export function drawn(
  photos: readonly Photo[],
  seed: number,
  { perClass = Infinity, limit = Infinity }: { perClass?: number | undefined; limit?: number | undefined },
): Photo[] {
  const counts = new Map<string, number>();
  const chosen = shuffled(photos, seed).filter(({ truth }) => {
    const count = (counts.get(truth) ?? 0) + 1;
    counts.set(truth, count);
    return count <= perClass;
  });
  return chosen.slice(0, limit);
}

async function folders(path: string): Promise<Dataset> {
  const names = await visible(path);
  const classes: string[] = [];
  const photos: Photo[] = [];
  for (const truth of names) {
    const folder = join(path, truth);
    if (!(await stat(folder)).isDirectory()) continue;
    classes.push(truth);
    for (const file of (await visible(folder)).filter((name) => IMAGE.test(name))) {
      photos.push({ file: join(folder, file), name: `${truth}/${file}`, truth });
    }
  }
  if (photos.length > 0)
    return { photos, imagenet: classes.length === 1000 && classes.every((name) => SYNSET.test(name)) };
  const flat = names.some((name) => IMAGE.test(name));
  throw expected(
    'one folder of photos a class',
    flat ? 'photos without classes (--ground-truth FILE says what they show)' : 'no photos',
    path,
  );
}

function listed(folder: string, rows: readonly (readonly [string, string])[]): Dataset {
  if (rows.length === 0) throw expected('photos and their labels', 'none', folder);
  const photos = rows.map(([name, truth]) => ({ file: resolve(folder, name), name, truth }));
  return { photos, imagenet: photos.every(({ name }) => VALIDATION.test(basename(name))) };
}

// The n-th truth is the n-th photo's by name; ImageNet's photos carry their numbers, so some may be missing.
async function numbered(path: string, lines: readonly string[], groundTruth: string): Promise<Dataset> {
  const names = (await visible(path)).filter((name) => IMAGE.test(name));
  if (names.length === 0) throw expected('photos', 'none', path);
  const imagenet = names.every((name) => VALIDATION.test(name));
  if (!imagenet && names.length !== lines.length) {
    throw expected(
      `${String(names.length)} lines, one for each photo of ${path}`,
      lines.length,
      '--ground-truth',
    );
  }
  const photos = names.map((name, i) => {
    const line = imagenet ? Number(VALIDATION.exec(name)?.[1]) : i + 1;
    const truth = lines[line - 1];
    if (!truth) throw expected(`a truth for ${name} in line ${String(line)}`, 'nothing', groundTruth);
    return { file: join(path, name), name, truth };
  });
  const whole = imagenet && lines.length === VALIDATION_PHOTOS;
  return { photos, imagenet, ...(whole && { first: lines.slice(0, 5) }) };
}

async function visible(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
}

// RFC 4180, two columns; a first line that names them is left out.
function csvRows(content: string, file: string): [string, string][] {
  const rows = linesOf(content).map((line, i): [string, string] => {
    const fields = [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
      quoted === undefined ? (plain ?? '').trim() : quoted.replaceAll('""', '"'),
    );
    const [name = '', truth = ''] = fields;
    if (fields.length !== 2 || !name || !truth)
      throw expected('file,label', line, `${file}:${String(i + 1)}`);
    return [name, truth];
  });
  const [first] = rows;
  return first && !IMAGE.test(first[0]) && /^(file|filename|photo|image|path)$/i.test(first[0])
    ? rows.slice(1)
    : rows;
}
