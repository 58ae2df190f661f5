// Small photos in a temporary folder, for the tests of the trainer's photos.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { sharp } from '../../../services/preprocess/loaders.ts';
import { randomAt } from '../../../vgg/random.ts';
import { paperRecipe, type Recipe } from '../../../services/trainer/recipe.ts';
import type { PieceRecipe } from '../../../services/trainer/photos/pieces.ts';
import type { ColourStatistics } from '../../../services/trainer/photos/statistics.ts';

/** A temporary folder that goes with the test. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vgg-serve-photos-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Writes a file, and the folders that lead to it. */
export function put(root: string, name: string, content: Buffer | string = 'x'): void {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), content);
}

/** Random pixels smooth enough to survive resampling, height × width × 3 bytes. */
export function pixelsOf(width: number, height: number, seed: number): Buffer {
  const random = randomAt(seed, 'pixels');
  const phase = Array.from({ length: 6 }, () => 7 * random.next());
  const rgb8 = Buffer.alloc(width * height * 3);
  for (let i = 0; i < rgb8.length; i++) {
    const [channel, x, y] = [i % 3, Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    const wave = Math.sin(x / 5 + (phase[channel] ?? 0)) + Math.cos(y / 7 + (phase[channel + 3] ?? 0));
    rgb8[i] = 120 + 45 * wave + random.integer(20);
  }
  return rgb8;
}

/** A folder of `perClass[i]` PNGs in class i, of sizes that vary. */
export async function photoFolder(perClass: readonly number[]): Promise<string> {
  const root = scratchFolder();
  for (const [classIndex, count] of perClass.entries()) {
    for (let i = 0; i < count; i++) {
      const [width, height] = [40 + ((i * 7) % 30), 36 + ((i * 11 + classIndex) % 40)];
      const rgb8 = pixelsOf(width, height, classIndex * 1000 + i);
      const png = await sharp(rgb8, { raw: { width, height, channels: 3 } })
        .png()
        .toBuffer();
      put(root, `class-${String(classIndex)}/${String(i)}.png`, png);
    }
  }
  return root;
}

/** A recipe of small numbers: crops of 32 from S of 36 to 48, batches of 8 in pieces of 4. */
export function smallRecipe(options: Partial<Recipe> = {}): PieceRecipe & Recipe {
  return { ...paperRecipe('A', 32), scales: [36, 48], batch: 8, microBatch: 4, ...options };
}

/** Statistics as if they had been computed. */
export const STATISTICS: ColourStatistics = {
  mean: { red: 120, green: 110, blue: 100 },
  components: {
    values: [4000, 400, 40],
    vectors: [
      [0.6, 0.6, 0.52915026],
      [0.8, -0.6, 0],
      [0, 0, 1],
    ],
  },
  photos: 1,
};
