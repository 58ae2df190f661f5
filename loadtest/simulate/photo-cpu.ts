// What one photo costs the CPUs of a machine that has preprocess, inference and aggregator in one process: a sum, by the
// same costs as the simulation, of what waits for nobody. Knows costs and sizes; not time.

import type { LoopCost, ServiceCosts } from './costs.ts';
import type { PlannedPhoto } from './plans.ts';

/** CPU milliseconds of a photo. */
export interface PhotoCpu {
  /** Of the process's JavaScript thread: one photo's after the other's. */
  loop: number;
  /** Of threads beside it: decoding and resizing on any core, and garbage collection. */
  beside: number;
}

/** Of a photo of which planes and views are planned. */
export function photoCpu(
  { aggregator, preprocess, inference, pixels: { decode, resize } }: ServiceCosts,
  photo: Pick<PlannedPhoto, 'megabytes' | 'megapixels' | 'views'> & {
    planes: readonly Pick<PlannedPhoto['planes'][number], 'megabytes' | 'megapixels'>[];
  },
): PhotoCpu {
  const cpu: PhotoCpu = { loop: 0, beside: 0 };
  const run = (cost: LoopCost, megabytes: number, views: number) => {
    let ms = cost.call + cost.megabyte * megabytes + cost.view * views;
    for (const plane of photo.planes) ms += cost.plane + cost.megabyte * plane.megabytes;
    cpu.loop += ms;
    cpu.beside += ms * cost.helpers;
  };
  run(aggregator, photo.megabytes, photo.views);
  run(preprocess, photo.megabytes, 0);
  // Planes come to it, and no photo.
  run(inference, 0, photo.views);
  cpu.beside += decode.call + decode.megapixel * photo.megapixels;
  for (const { megapixels } of photo.planes) cpu.beside += resize.call + resize.megapixel * megapixels;
  return cpu;
}
