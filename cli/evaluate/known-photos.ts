// Which photos are evaluated, and which classes they truly are. Knows what the person said of them.

import { basename } from 'node:path';
import { VggError, expected } from '../../vgg/errors.ts';
import { classIndices } from './classes.ts';
import { drawn, linesOf, text, type Dataset } from './dataset.ts';
import type { EvaluateFlags } from './flags.ts';
import type { KnownPhoto } from './run.ts';

/**
 * The photos that are evaluated, with the model's class indices, in the order that the seed gives them.
 *
 * @throws VggError INVALID_ARGUMENT naming the classes that the model lacks
 */
export async function knownPhotos(
  { photos, first }: Dataset,
  labels: readonly string[],
  flags: EvaluateFlags,
): Promise<{ photos: KnownPhoto[]; ignoredClasses: string[] }> {
  const list = async (file: string | undefined) =>
    file === undefined ? undefined : linesOf(await text(file));
  const devkit = /^ILSVRC2012_validation_ground_truth\.txt$/i.test(basename(flags.groundTruth ?? ''));
  if (devkit && flags.ilsvrcIds === undefined) {
    throw expected(
      'synsets of the development kit’s ILSVRC IDs, which are not in the order of classes',
      'none',
      '--ilsvrc-ids',
    );
  }
  const words = [...new Set(photos.map(({ truth }) => truth))];
  const { indices, unknown } = classIndices(words, labels, {
    classes: await list(flags.classes),
    ilsvrcIds: await list(flags.ilsvrcIds),
    indexBase: flags.indexBase,
    first,
  });
  if (unknown.length > 0 && !flags.ignoreUnknown) {
    const names =
      unknown.length > 20 ? [...unknown.slice(0, 20), `${String(unknown.length - 20)} more`] : unknown;
    throw new VggError(
      'INVALID_ARGUMENT',
      `Expected classes of the model, which lacks ${names.join(', ')} (--ignore-unknown leaves their photos out, --classes FILE gives names)`,
    );
  }
  const chosen = drawn(
    photos.filter(({ truth }) => indices.has(truth)),
    flags.seed,
    flags,
  );
  if (chosen.length === 0) throw expected('photos of classes that the model has', 'none', 'DIR');
  return {
    photos: chosen.map(({ truth, ...photo }) => ({ ...photo, truth: indices.get(truth) ?? -1 })),
    ignoredClasses: unknown,
  };
}
