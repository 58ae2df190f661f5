// A run's folder: recipe.json, held-out.csv, log.jsonl, curves.svg, tensorboard/, colours.json,
// checkpoint.safetensors. Knows the names and how log and curves go on; not what a checkpoint holds.

import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { appendLine, resumeLog, type EpochLine } from './curves/log.ts';
import { curvesSvg } from './curves/plot.ts';
import type { PhotoFile } from './photos/folder.ts';
import type { Recipe } from './recipe.ts';

/** The files of a run. */
export class RunFolder {
  readonly checkpoint: string;
  /** Of the training photos' colours. */
  readonly colours: string;
  /** What TensorBoard reads. */
  readonly tensorBoard: string;
  readonly #path: string;
  readonly #log: string;
  readonly #title: string;
  #lines: EpochLine[] = [];

  constructor(path: string, { network, batchNorm, width, inputSize, seed }: Recipe) {
    this.#path = path;
    this.#log = join(path, 'log.jsonl');
    this.checkpoint = join(path, 'checkpoint.safetensors');
    this.tensorBoard = join(path, 'tensorboard');
    this.colours = join(path, 'colours.json');
    const norm = batchNorm ? ' with batch normalisation' : '';
    this.#title = `Network ${network}${norm}, width ${String(width)}, inputs of ${String(inputSize)}, seed ${String(seed)}`;
  }

  /** Writes the recipe and begins an empty log. */
  async begin(recipe: Recipe): Promise<void> {
    await rm(this.#log, { force: true });
    await this.#write('recipe.json', `${JSON.stringify(recipe, undefined, 2)}\n`);
  }

  /**
   * Writes which photos were held out, one `file,label` a line, files relative to the photos' folder: what
   * `vgg evaluate PHOTOS --ground-truth held-out.csv` judges the trained model by.
   */
  async heldOut(photos: readonly PhotoFile[], labels: readonly string[]): Promise<void> {
    const lines = photos.map(({ name, classIndex }) =>
      [name, labels[classIndex] ?? ''].map(quoted).join(','),
    );
    await this.#write('held-out.csv', ['file,label', ...lines, ''].join('\n'));
  }

  /** Goes on with the log after so many epochs. */
  async resume(recipe: Recipe, epochs: number): Promise<void> {
    this.#lines = await resumeLog(this.#log, epochs);
    await this.#write('recipe.json', `${JSON.stringify(recipe, undefined, 2)}\n`);
  }

  /** Adds an epoch to log and curves. */
  async add(line: EpochLine): Promise<void> {
    this.#lines.push(line);
    await appendLine(this.#log, line);
    await this.#write('curves.svg', curvesSvg(this.#lines, this.#title));
  }

  // Aside, then renamed: who looks on sees whole files.
  async #write(name: string, text: string): Promise<void> {
    const path = join(this.#path, name);
    await writeFile(`${path}.partial`, text);
    await rename(`${path}.partial`, path);
  }
}

function quoted(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
