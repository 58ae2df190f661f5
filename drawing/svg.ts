// What every plot is drawn with: a page with a title, colours for light and dark, lines. Knows SVG; not what is shown.

// Colours are of Okabe and Ito's palette, which colour-blind readers can tell apart; dashes tell them apart in grey.
const STYLE = `
  svg { --paper: #ffffff; --ink: #1f2328; --faint: #d8dee4; --quiet: #59636e;
        --training: #0072b2; --validation: #d55e00; --top5: #009e73 }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #0d1117; --ink: #f0f6fc; --faint: #30363d; --quiet: #9198a1;
          --training: #56b4e9; --validation: #e69f00; --top5: #2ec4a0 } }
  .paper { fill: #ffffff; fill: var(--paper) }
  text { font: 12px system-ui, sans-serif; fill: #1f2328; fill: var(--ink) }
  .title { font-size: 15px; font-weight: 600 }
  .quiet { fill: #59636e; fill: var(--quiet); font-size: 11px }
  .grid { stroke: #d8dee4; stroke: var(--faint); stroke-width: 1 }
  .whisker { stroke: #1f2328; stroke: var(--ink); stroke-width: 1.5 }
  .drop { stroke: #59636e; stroke: var(--quiet); stroke-width: 1; stroke-dasharray: 2 3 }
  .curve { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round }
  .training { stroke: #0072b2; stroke: var(--training) }
  .validation { stroke: #d55e00; stroke: var(--validation) }
  .top5 { stroke: #009e73; stroke: var(--top5); stroke-dasharray: 6 4 }
`;

/**
 * An SVG document that needs nothing else; light or dark as its reader is.
 *
 * @param elements in the classes of the style sheet above
 */
export function svgDocument(
  title: string,
  { width, height, left }: { width: number; height: number; left: number },
  elements: readonly string[],
): string {
  const size = `width="${String(width)}" height="${String(height)}" viewBox="0 0 ${String(width)} ${String(height)}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
<rect class="paper" width="100%" height="100%"/>
<text class="title" x="${String(left)}" y="28">${escaped(title)}</text>
${elements.join('\n')}
</svg>
`;
}

/** A straight line. */
export function line(style: string, x1: number, y1: number, x2: number, y2: number): string {
  return `<line class="${style}" x1="${number(x1)}" y1="${number(y1)}" x2="${number(x2)}" y2="${number(y2)}"/>`;
}

/** A text at its baseline. */
export function text(
  style: string,
  x: number,
  y: number,
  content: string,
  anchor: 'start' | 'middle' | 'end' = 'start',
): string {
  const named = style ? ` class="${style}"` : '';
  const anchored = anchor === 'start' ? '' : ` text-anchor="${anchor}"`;
  return `<text${named} x="${number(x)}" y="${number(y)}"${anchored}>${escaped(content)}</text>`;
}

/** A coordinate, to a tenth. */
export function number(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** Text as it stands in an element or an attribute. */
export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${String(character.charCodeAt(0))};`);
}
