// How large tiles are: as Winograd's convolution is quickest and still exact enough. Knows layers; not what is read.

import type { ConvLayer } from '../networks.ts';

/** Outputs along a side of a tile: with F(4, 3) and F(2, 5) of Winograd tiles are of 6 × 6. */
export function tileOutputs({ kernel }: ConvLayer): number {
  if (kernel === 1) return 0;
  return kernel === 3 ? 4 : 2;
}
