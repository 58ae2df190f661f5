// Class names that come with the project, and class names in a file. Knows ILSVRC's 1,000 classes by name.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../proto/package-root.ts';
import { VggError, expected } from '../vgg/index.ts';

const IMAGENET = 'imagenet';
const IMAGENET_CLASSES = 1000;

/**
 * The names of ILSVRC's 1,000 classes, sorted by synset: the order of torchvision's, timm's, Keras's and
 * Oxford's outputs. Source and oddities: models/labels/README.md.
 */
export async function imagenetLabels(): Promise<string[]> {
  const path = join(packageRoot, 'models', 'labels', 'imagenet-1k.txt');
  const labels = lines(await readText(path));
  if (labels.length !== IMAGENET_CLASSES)
    throw expected(`${String(IMAGENET_CLASSES)} labels`, labels.length, path);
  return labels;
}

/**
 * Class names by index.
 *
 * @param source path of a file with one name a line, or `imagenet` (a file of that name: `./imagenet`)
 * @throws VggError NOT_FOUND if the file cannot be read
 */
export async function readLabels(source: string): Promise<string[]> {
  return source === IMAGENET ? await imagenetLabels() : lines(await readText(source));
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new VggError('NOT_FOUND', `Expected a file of labels but cannot read ${path}`, { cause });
  }
}

// A byte order mark and Windows line ends are not part of a name.
function lines(text: string): string[] {
  return text
    .replace(/^\uFEFF/, '')
    .replace(/\r?\n$/, '')
    .split(/\r?\n/);
}
