// How much work it is to compute views together: products, and whatever lies between them. Knows counts; not speeds.

import type { SharedCost } from '../../../vgg/sharing/stages.ts';

// A number that is gathered and transformed takes as long as so many multiply-accumulates of a product, and so does one
// that is transformed back, and given bias and ReLU: 0.9 and 0.55 ns where products made 95 in a nanosecond
// (onnxruntime, two cores with AVX-512, D). In a layer of 64 channels that is two thirds of all, of 512 a fifth.
const READ = 90;
const WRITTEN = 50;

/** In multiply-accumulates of products. */
export function sharedWork({ products, read, written }: SharedCost): number {
  return products + READ * read + WRITTEN * written;
}
