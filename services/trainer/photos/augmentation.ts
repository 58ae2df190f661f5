// What is random about a training crop (paper, Section 3.1): scale, place, mirror, colour. A function of the seed, the
// epoch and the place in it. Knows sizes and colours; no pixels.

import { planeSize, type Size } from '../../../vgg/views.ts';
import { randomAt } from '../../../vgg/random.ts';
import type { Recipe } from '../recipe.ts';
import type { Triple } from './eigen.ts';

/** One crop of a photo. */
export interface Crop {
  /** The photo rescaled: smallest side S. */
  plane: Size;
  /** From the plane's left and top, of an inputSize × inputSize square. */
  x: number;
  y: number;
  mirrored: boolean;
  /** Added to each pixel, in levels. */
  shift: Triple;
}

/** The part of a recipe that says how crops vary. */
export type CropRecipe = Pick<Recipe, 'seed' | 'scales' | 'inputSize' | 'mirror' | 'colourShift'>;

/**
 * Draws a crop: S uniform among the whole numbers of `scales`, any place on the plane as likely as any other.
 *
 * Colour: Krizhevsky et al. (2012, Section 4.1) add Σ p_i α_i λ_i, with α_i of deviation 0.1. In the paper's words
 * λ_i are eigenvalues of the covariance, which are in levels²; in the authors' own code (cuda-convnet2, convdata.py)
 * the factor is `color_stdevs`, their square roots, in levels. This is done here: the shift does not depend on the
 * unit of a pixel, and α is a share of how much colours vary along each axis. Code in the style of fb.resnet.torch
 * uses eigenvalues for pixels of [0, 1], which with ImageNet's (0.2175, 0.0188, 0.0045) is 0.47, 0.14 and 0.07 times
 * as much along the three axes.
 *
 * @param axes principal components of the training photos' colours, see {@link colourAxes}
 * @param photo size of the upright photo
 * @param place in the epoch's order
 */
export function drawCrop(
  { seed, scales: [least, most], inputSize, mirror, colourShift }: CropRecipe,
  axes: readonly Triple[],
  photo: Size,
  epoch: number,
  place: number,
): Crop {
  const random = randomAt(seed, 'crop', epoch, place);
  const plane = planeSize(photo, least + random.integer(most - least + 1));
  const x = random.integer(plane.width - inputSize + 1);
  const y = random.integer(plane.height - inputSize + 1);
  const mirrored = random.next() < mirror;
  const shift: Triple = [0, 0, 0];
  for (const [red, green, blue] of axes) {
    const alpha = colourShift * random.normal();
    shift[0] += alpha * red;
    shift[1] += alpha * green;
    shift[2] += alpha * blue;
  }
  return { plane, x, y, mirrored, shift };
}

/** The crop of a held-out photo: the centre of the plane at the middle scale, as it is. */
export function centreCrop(
  { scales: [least, most], inputSize }: Pick<Recipe, 'scales' | 'inputSize'>,
  photo: Size,
): Crop {
  const plane = planeSize(photo, Math.round((least + most) / 2));
  const middle = (side: number) => Math.floor((side - inputSize + 1) / 2);
  return { plane, x: middle(plane.width), y: middle(plane.height), mirrored: false, shift: [0, 0, 0] };
}
