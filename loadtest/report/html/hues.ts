// Colours for any number of things in an order. Knows hues; the page's style sheet has their lightness.

/** Hues from blue over green to red, in degrees; of one thing, blue. */
export function hueOf(i: number, count: number): number {
  return count > 1 ? 255 - (225 * i) / (count - 1) : 255;
}
