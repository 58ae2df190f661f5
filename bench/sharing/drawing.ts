// What the pictures of sharing are drawn with: areas, texts and a legend, on the page that plots have. Knows SVG.

import { number, text } from '../../drawing/svg.ts';

/** The first element of a picture: the areas' fills. */
export const FILLS = `<style>
  .clean { fill: #0072b2; fill: var(--training) }
  .edge { fill: #d55e00; fill: var(--validation) }
  .other { fill: #009e73; fill: var(--top5) }
  .again { fill: #0072b2; fill: var(--training); fill-opacity: 0.25 }
  .pale { fill-opacity: 0.5 }
  .unused { fill: #d8dee4; fill: var(--faint) }
  .cut { stroke: #ffffff; stroke: var(--paper); stroke-width: 1 }
  .frame { fill: none; stroke: #1f2328; stroke: var(--ink); stroke-width: 0.6 }
  .strong { fill: none; stroke: #1f2328; stroke: var(--ink); stroke-width: 2 }
  .number { font-variant-numeric: tabular-nums }
</style>`;

/** A rectangle. */
export function area(style: string, x: number, y: number, width: number, height: number): string {
  return `<rect class="${style}" x="${number(x)}" y="${number(y)}" width="${number(width)}" height="${number(height)}"/>`;
}

/** Rectangles of one style as one element. */
export function areas(
  style: string,
  rectangles: readonly { x: number; y: number; width: number; height: number }[],
): string {
  const path = rectangles.map(
    ({ x, y, width, height }) =>
      `M${number(x)} ${number(y)}h${number(width)}v${number(height)}h${number(-width)}z`,
  );
  return path.length > 0 ? `<path class="${style}" d="${path.join('')}"/>` : '';
}

/** What fills mean, one below the other. */
export function legend(x: number, y: number, entries: readonly (readonly [style: string, what: string])[]) {
  return entries.map(
    ([style, what], i) => area(style, x, y + 18 * i - 9, 18, 10) + text('', x + 26, y + 18 * i, what),
  );
}
