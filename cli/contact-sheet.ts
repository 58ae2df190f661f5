// A picture of every view, as the network sees it: cut, mirrored, in view order, a row of them under each scale.

import sharp, { type OverlayOptions } from 'sharp';
import type { Plane, View } from '../sdk/index.ts';

const TILE = 96;
const GAP = 4;
const COLUMNS = 10;
const TITLE = 24;
const BACKGROUND = '#181818';

/** Writes the sheet as a PNG; views that differ in shape keep it within their tile. */
export async function writeContactSheet(
  file: string,
  planes: readonly Plane[],
  views: readonly View[],
): Promise<void> {
  const width = COLUMNS * (TILE + GAP) + GAP;
  const overlays: OverlayOptions[] = [];
  let top = GAP;
  for (const plane of planes) {
    const own = views.filter((view) => view.plane === plane.index);
    if (own.length === 0) continue;
    overlays.push(await title(titleOf(plane, own.length), width, top));
    top += TITLE;
    for (const [i, view] of own.entries()) {
      const left = GAP + (i % COLUMNS) * (TILE + GAP);
      overlays.push(await tile(plane, view, left, top + Math.floor(i / COLUMNS) * (TILE + GAP)));
    }
    top += Math.ceil(own.length / COLUMNS) * (TILE + GAP) + GAP;
  }
  const sheet = sharp({ create: { width, height: top, channels: 3, background: BACKGROUND } });
  await sheet.composite(overlays).png().toFile(file);
}

function titleOf({ scale, width, height, square }: Plane, views: number): string {
  const where = square ? `, square at ${String(square.x)}, ${String(square.y)}` : '';
  return `Q = ${String(scale)}${where}: ${String(width)} × ${String(height)}, ${String(views)} views`;
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
    .resize(TILE, TILE, { fit: 'contain', background: BACKGROUND })
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
