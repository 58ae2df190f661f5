// The photos of a run: listed, split, and their colours known. Knows which photos; not how they are cut.

import { createHash } from 'node:crypto';
import type { LoaderOptions } from './photos/loader.ts';
import { listPhotos, type PhotoFile } from './photos/folder.ts';
import { splitPhotos } from './photos/split.ts';
import { colourStatistics } from './photos/statistics.ts';
import type { Recipe } from './recipe.ts';
import type { TrainingOptions } from './training.ts';

/** Photos of a run. */
export interface TrainingPhotos {
  /** Class names by index. */
  labels: string[];
  training: PhotoFile[];
  validation: PhotoFile[];
  /** Mean red, green, blue levels of the training photos. */
  mean: [number, number, number];
  /** SHA-256 of the list of names: another list is another run. */
  hash: string;
  /** What all loaders of these photos are told. */
  source(recipe: Recipe): Pick<LoaderOptions, 'root' | 'recipe' | 'statistics'>;
}

/**
 * Lists a folder's photos, splits them by the recipe's seed and looks at the training photos' colours.
 *
 * @param statisticsFile where the colours are kept
 * @throws VggError INVALID_ARGUMENT or NOT_FOUND if there is nothing to train on
 */
export async function openTrainingPhotos(
  { photos, recipe, signal, threads, onProgress = () => undefined }: TrainingOptions,
  statisticsFile: string,
): Promise<TrainingPhotos> {
  const note = (text: string) => {
    onProgress({ kind: 'note', text });
  };
  const folder = await listPhotos(photos);
  const { labels, root } = folder;
  if (folder.others.length > 0)
    note(
      `Left out ${String(folder.others.length)} files that are no photos, such as ${folder.others[0] ?? ''}`,
    );
  const { training, validation } = splitPhotos(folder.photos, recipe.validation, recipe.seed);
  note(
    `${String(labels.length)} classes: ${String(training.length)} photos to train on, ${String(validation.length)} held out`,
  );
  const statistics = await colourStatistics({
    ...{ root, training, recipe, file: statisticsFile, atOnce: Math.max(2, threads) },
    ...(signal && { signal }),
    onUnreadable: ({ name, reason }) => {
      note(`Left out ${name}: ${reason}`);
    },
  });
  const { red, green, blue } = statistics.mean;
  const names = folder.photos.map(({ name }) => name).join('\n');
  return {
    ...{ labels, training, validation, mean: [red, green, blue] },
    hash: createHash('sha256').update(names).digest('hex'),
    source: (used) => ({ root, recipe: used, statistics }),
  };
}
