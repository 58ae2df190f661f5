// The style sheet of a page: colours for light, dark and print, type, plots. Every text has a contrast of at least 4.5.

/** CSS. */
export const STYLE = `
:root { color-scheme: light dark; --paper: light-dark(#ffffff, #14171a); --panel: light-dark(#f4f5f3, #1d2125);
  --ink: light-dark(#1c2126, #e8ebed); --quiet: light-dark(#565f69, #a3acb4); --line: light-dark(#dcdfda, #343a40);
  --c1: light-dark(#0b62a8, #6cb6ff); --c2: light-dark(#b84a00, #f0a35e); --c3: light-dark(#0b7a5b, #4fcaa6);
  --c4: light-dark(#7a3fa0, #c79bf2); --wrong: light-dark(#b3261e, #ff9c8c); --right: light-dark(#0b6655, #6fcbb4);
  --hue-lightness: 0.55; }
@media (prefers-color-scheme: dark) { :root { --hue-lightness: 0.76 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem }
h1 { font-size: clamp(1.4rem, 4vw, 2rem); line-height: 1.2; margin: 0.2rem 0 0.6rem; letter-spacing: -0.01em; text-wrap: balance }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 3rem 0 0.4rem }
p { margin: 0.4rem 0; max-width: 46rem }
.eyebrow { color: var(--quiet); font-size: 0.8125rem; letter-spacing: 0.06em; text-transform: uppercase; margin: 0 }
.quiet-text { color: var(--quiet) }
code { font: 0.875em ui-monospace, 'SF Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace }
pre { background: var(--panel); border-radius: 8px; padding: 0.7rem 0.9rem; margin: 1rem 0; white-space: pre-wrap }
.verdict, .warnings { border-left: 4px solid var(--right); background: var(--panel); border-radius: 0 8px 8px 0; padding: 0.7rem 1rem; margin: 1.2rem 0 }
.verdict strong { color: var(--right) }
.verdict.invalid { border-color: var(--wrong) } .verdict.invalid strong { color: var(--wrong) }
.judgements { padding-left: 1.1rem; margin: 0.5rem 0 } .judgements li { margin: 0.2rem 0 } .judgements .good::marker { color: var(--right) } .judgements .bad { color: var(--wrong) }
.warnings { border-color: var(--c2) } .warnings ul { margin: 0.2rem 0; padding-left: 1.1rem }
.keys { display: flex; flex-wrap: wrap; gap: 1px; margin: 1.5rem 0 0; background: var(--line);
  border: 1px solid var(--line); border-radius: 8px; overflow: hidden }
.keys > div { flex: 1 1 8rem; background: var(--paper); padding: 0.7rem 0.9rem }
.keys dt { color: var(--quiet); font-size: 0.8125rem }
.keys dd { margin: 0; font-size: 1.5rem; line-height: 1.3; font-weight: 600; letter-spacing: -0.01em }
.keys small { font-size: 0.875rem; font-weight: 400; color: var(--quiet) }
.scroll { overflow-x: auto; margin: 0.8rem 0 } .scroll:focus-visible, summary:focus-visible { outline: 2px solid var(--c1); outline-offset: 2px }
table { border-collapse: collapse; font-size: 0.875rem; min-width: 100%; overflow-wrap: normal }
caption { text-align: left; color: var(--quiet); padding-bottom: 0.3rem }
th, td { text-align: left; font-weight: 400; padding: 0.32rem 0.9rem 0.32rem 0; border-bottom: 1px solid var(--line); vertical-align: top; white-space: nowrap }
thead th { color: var(--quiet); vertical-align: bottom } tbody th { font-weight: 600 }
.number { text-align: right } .long { white-space: normal; min-width: 16rem; overflow-wrap: anywhere }
details { margin: 0.3rem 0 } summary { cursor: pointer; color: var(--quiet); font-size: 0.875rem; width: fit-content }
details .scroll { max-height: 26rem; overflow: auto }
svg { display: block; width: 100%; min-width: 40rem; height: auto }
svg text { font: 12px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; fill: var(--ink) }
svg .tick, svg .axis { fill: var(--quiet) } svg .axis { font-weight: 600 }
svg .note { fill: var(--ink); paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round }
.grid { stroke: var(--line); stroke-width: 1 } .band { fill: var(--quiet); fill-opacity: 0.12 } .mark { stroke: var(--quiet); stroke-width: 1; stroke-dasharray: 2 3 }
.bound { stroke: var(--wrong); stroke-width: 1.5; stroke-dasharray: 7 4 } .ghost { stroke: var(--ink); stroke-width: 2.5; stroke-dasharray: 3 2 }
.line { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round } .line.dashed { stroke-dasharray: 5 5 }
.dot { fill: var(--c) } .dot.dashed { fill: var(--paper); stroke: var(--c); stroke-width: 1.5 } .bar { fill: var(--c); stroke: var(--paper); stroke-width: 1 }
.c1 { --c: var(--c1) } .c2 { --c: var(--c2) } .c3 { --c: var(--c3) } .c4 { --c: var(--c4) } .wrong { --c: var(--wrong) } .quiet { --c: var(--quiet) }
.hue { --c: oklch(var(--hue-lightness) 0.14 var(--h)) }
footer { margin-top: 3.5rem; border-top: 1px solid var(--line); padding-top: 0.8rem; color: var(--quiet); font-size: 0.875rem }
@media print { :root { color-scheme: light; --hue-lightness: 0.55 } main { max-width: none; padding: 0 } section, .keys, tr { break-inside: avoid }
  h2 { break-after: avoid } .scroll { overflow: visible } svg { min-width: 0 } details { display: none } th, td { padding-right: 0.5rem; font-size: 0.75rem } }
`;
