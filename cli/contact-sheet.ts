// A picture of every view, as the network sees it: cut, mirrored, in view order, a row of them under each scale.

import sharp, { type OverlayOptions, type Sharp } from 'sharp';
import type { Plane, View } from '../sdk/index.ts';

const TILE = 96;
const GAP = 4;
const COLUMNS = 10;
const TITLE = 24;

/** The sheet as a PNG to be written; views that differ in shape keep it within their tile. */
export function contactSheet(planes: readonly Plane[], views: readonly View[]): Sharp {
  const width = COLUMNS * (TILE + GAP) + GAP;
  const tiles: Promise<OverlayOptions>[] = [];
  let top = GAP;
  for (const plane of planes) {
    const own = views.filter((view) => view.plane === plane.index);
    if (own.length === 0) continue;
    const square = plane.square ? `, square at ${String(plane.square.x)}, ${String(plane.square.y)}` : '';
    tiles.push(
      title(
        `Q = ${String(plane.scale)}${square}: ${String(own.length)} views of ${String(plane.width)} × ${String(plane.height)}`,
        width,
        top,
      ),
    );
    top += TITLE;
    for (const [i, view] of own.entries()) {
      const left = GAP + (i % COLUMNS) * (TILE + GAP);
      tiles.push(tile(plane, view, left, top + Math.floor(i / COLUMNS) * (TILE + GAP)));
    }
    top += Math.ceil(own.length / COLUMNS) * (TILE + GAP) + GAP;
  }
  const sheet = sharp({ create: { width, height: top, channels: 3, background: '#181818' } });
  return new Proxy(sheet, {
    // Tiles are made when the sheet is written.
    get(target, name) {
      if (name !== 'toFile') return Reflect.get(target, name) as unknown;
      return async (file: string) =>
        target
          .composite(await Promise.all(tiles))
          .png()
          .toFile(file);
    },
  });
}

async function tile(
  { rgb8, width, height }: Plane,
  view: View,
  left: number,
  top: number,
): Promise<OverlayOptions> {
  const cut = sharp(rgb8, { raw: { width, height, channels: 3 } })
    .extract({ left: view.x, top: view.y, width: view.width, height: view.height })
    .flop(view.mirrored);
  const { data } = await cut.toBuffer({ resolveWithObject: true });
  const raw = { width: view.width, height: view.height, channels: 3 as const };
  const input = await sharp(data, { raw })
    .resize(TILE, TILE, { fit: 'contain', background: '#181818' })
    .png()
    .toBuffer();
  return { input, left, top };
}

async function title(text: string, width: number, top: number): Promise<OverlayOptions> {
  const input = await sharp({
    text: {
      text: `<span foreground="#dddddd">${text}</span>`,
      font: 'sans 11',
      rgba: true,
      width: width - 2 * GAP,
    },
  })
    .png()
    .toBuffer();
  return { input, left: GAP, top: top + GAP };
}
