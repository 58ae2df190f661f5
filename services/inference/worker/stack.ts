// Planes of one width on top of each other as one plane, so that what several requests ask is one computation. Knows
// pixels and rectangles; views of different planes have nothing in common, and nothing is shared between them.

import type { View } from '../../../vgg/views.ts';
import type { Cut } from './messages.ts';

/** One plane, and views of it. */
export interface Stack {
  readonly width: number;
  readonly height: number;
  /** height × width × 3 bytes, in memory that libraries take. */
  readonly rgb8: Uint8Array<ArrayBuffer>;
  /** In the order of the cuts. */
  readonly views: readonly View[];
}

/** @param cuts at least one; of planes of one width, those of a plane next to each other */
export function stackPlanes(cuts: readonly Cut[]): Stack {
  const planes: Cut['plane'][] = [];
  let height = 0;
  const views = cuts.map(({ plane, view }) => {
    if (plane !== planes.at(-1)) {
      planes.push(plane);
      height += plane.height;
    }
    return { ...view, y: view.y + height - plane.height };
  });
  const width = planes[0]?.width ?? 0;
  const rgb8 = new Uint8Array(height * width * 3);
  let at = 0;
  for (const plane of planes) {
    rgb8.set(plane.rgb8, at);
    at += plane.rgb8.length;
  }
  return { width, height, rgb8, views };
}
