// What storing weights in half precision does to the answers, measured: the same photos through both.

import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { dirname, join, basename } from 'node:path';
import sharp from 'sharp';
import { importWeights, type ImportOptions } from '../models/import.ts';
import { createClient } from '../sdk/index.ts';
import { generator } from './chance.ts';
import { startStack } from './stack.ts';

/** How far two models' posteriors are apart. */
export interface PrecisionReport {
  /** Photos that were compared, by their centre crop. */
  photos: number;
  /** Largest difference of any class's probability, 0 to 1. */
  largest: number;
  /** Photos for which both name the same class first. */
  sameFirst: number;
}

/**
 * Compares a model stored in half precision with the same weights in the file's own: imports the file
 * once more, into a folder beside the model that is removed again.
 *
 * @param folder of the model in half precision
 * @param file the weights file that it was imported from, with what that import was told
 * @param photos to compare; generated ones by default
 */
export async function comparePrecision(
  folder: string,
  file: string,
  told: ImportOptions,
  photos: readonly (string | Uint8Array)[],
): Promise<PrecisionReport> {
  const { signal } = told;
  const parent = dirname(folder);
  await mkdir(parent, { recursive: true });
  const aside = await mkdtemp(join(parent, '.precision-'));
  try {
    const name = basename(folder);
    // One of the two names is longer, in whatever order they sort.
    const whole = `${name.slice(0, 60)}-f32`;
    await symlink(folder, join(aside, name));
    await importWeights(file, { ...told, to: aside, name: whole, dtype: 'F32' });
    const stack = await startStack({ models: aside, logLevel: 'silent' });
    const client = createClient({ aggregator: stack.aggregator.address, deadlineMs: 600_000 });
    try {
      const report: PrecisionReport = { photos: photos.length, largest: 0, sameFirst: 0 };
      for (const photo of photos) {
        const [half, full] = await Promise.all(
          [name, whole].map((model) =>
            client.classify(photo, { models: [model], protocol: 'CENTER_CROP', posterior: true, signal }),
          ),
        );
        if (!half?.posterior || !full?.posterior) throw new Error('an answer without its posterior');
        const { posterior } = full;
        const differences = half.posterior.map((value, i) => Math.abs(value - (posterior[i] ?? NaN)));
        report.largest = differences.reduce((most, each) => Math.max(most, each), report.largest);
        if (half.predictions[0]?.classIndex === full.predictions[0]?.classIndex) report.sameFirst++;
      }
      return report;
    } finally {
      client.close();
      await stack.close();
    }
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/**
 * Pictures whose power falls with frequency as that of photos does, in colour: for comparing where there
 * are no photos. The same ones every time.
 */
export async function generatedPhotos(count: number, side: number): Promise<Uint8Array[]> {
  const random = generator(1);
  return await Promise.all(
    Array.from({ length: count }, async () => {
      const levels = new Float64Array(side * side * 3).fill(128);
      for (let cells = 2; cells <= side / 2; cells *= 2)
        addOctave(levels, side, cells, 128 / Math.sqrt(cells), random);
      const raw = { width: side, height: side, channels: 3 } as const;
      return await sharp(Uint8ClampedArray.from(levels), { raw }).png().toBuffer();
    }),
  );
}

// Adds values at the corners of a grid of cells, interpolated linearly between them.
function addOctave(
  levels: Float64Array,
  side: number,
  cells: number,
  amplitude: number,
  random: () => number,
): void {
  const corners = Float64Array.from({ length: (cells + 1) ** 2 * 3 }, () => (random() * 2 - 1) * amplitude);
  const corner = (x: number, y: number, c: number) => corners[(y * (cells + 1) + x) * 3 + c] ?? 0;
  for (let y = 0; y < side; y++) {
    const [row, down] = cellOf(y, side, cells);
    for (let x = 0; x < side; x++) {
      const [column, right] = cellOf(x, side, cells);
      for (let c = 0; c < 3; c++) {
        const above = corner(column, row, c) * (1 - right) + corner(column + 1, row, c) * right;
        const below = corner(column, row + 1, c) * (1 - right) + corner(column + 1, row + 1, c) * right;
        const at = (y * side + x) * 3 + c;
        levels[at] = (levels[at] ?? 0) + above * (1 - down) + below * down;
      }
    }
  }
}

function cellOf(pixel: number, side: number, cells: number): [number, number] {
  const place = (pixel / side) * cells;
  return [Math.floor(place), place - Math.floor(place)];
}
