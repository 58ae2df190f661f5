// A photo's planes side by side, each with the crops that are cut from it. Knows planes and views; draws SVG.

import sharp from 'sharp';
import type { Plane, View } from '../../../sdk/index.ts';
import { number, svgDocument, text } from '../../../drawing/svg.ts';

const SCALE = 2;
const LEFT = 16;
const TOP = 76;
const GAP = 24;

/** A plane as an image of SVG, its pixels unchanged. */
export async function planeImage(plane: Plane, x: number, y: number, scale: number): Promise<string> {
  const { width, height, rgb8 } = plane;
  const png = await sharp(rgb8, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 9 })
    .toBuffer();
  const size = `width="${number(width * scale)}" height="${number(height * scale)}"`;
  const href = `data:image/png;base64,${png.toString('base64')}`;
  return `<image x="${number(x)}" y="${number(y)}" ${size} preserveAspectRatio="none" href="${href}"/>`;
}

/** The picture: the unmirrored crops of each plane as outlines, the first one strong. */
export async function planesPicture(
  prepared: readonly { plane: Plane; views: readonly View[] }[],
): Promise<string> {
  let x = LEFT;
  const elements = [
    `<style>.crop { fill: none; stroke: #ffffff; stroke-width: 0.8; stroke-opacity: 0.65 }
  .first { fill: none; stroke: #ffd23f; stroke-width: 2.5 }</style>`,
  ];
  for (const { plane, views } of prepared) {
    const own = views.filter(({ mirrored }) => !mirrored);
    elements.push(
      text('', x, TOP - 26, `Q = ${String(plane.scale)}`),
      text(
        'quiet',
        x,
        TOP - 9,
        `${String(plane.width)} × ${String(plane.height)} px, ${String(views.length)} views`,
      ),
      await planeImage(plane, x, TOP, SCALE),
      ...own.toReversed().map(({ x: left, y: top, width, height }) => {
        const first = left === 0 && top === 0;
        const inset = first ? 1.25 : 0.4;
        return `<rect class="${first ? 'first' : 'crop'}" x="${number(x + left * SCALE + inset)}" y="${number(TOP + top * SCALE + inset)}" width="${number(width * SCALE - 2 * inset)}" height="${number(height * SCALE - 2 * inset)}"/>`;
      }),
    );
    x += plane.width * SCALE + GAP;
  }
  const tallest = Math.max(...prepared.map(({ plane }) => plane.height));
  const width = Math.max(x - GAP + LEFT, 480);
  return svgDocument(
    'A photo’s planes, and the crops that are cut from each',
    { width, height: TOP + tallest * SCALE + 20, left: LEFT },
    elements,
  );
}
