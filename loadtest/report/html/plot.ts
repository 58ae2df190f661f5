// What a page's plots are drawn with: panels over one axis, and rows of bars, each with a title, a description and a
// legend. Knows SVG and the page's classes; no figure by name.

import { linearScale, logScale, type Scale } from '../../../drawing/scale.ts';
import { line, number, text } from '../../../drawing/svg.ts';
import { html, Markup, safe } from './markup.ts';

export const WIDTH = 880;
// 1,000,000 ms has room.
export const LEFT = 72;
export const RIGHT = WIDTH - 24;
const GLYPH = 6.6;
const ROW = 26;

/** How something is drawn. */
export interface Look {
  /** Of the page's style sheet: c1 to c4, quiet; or hue with a number. */
  style: string;
  /** Of style hue: degrees. */
  hue?: number;
  dashed?: boolean;
}

/** A line, and its marks where there are few. */
export interface Line extends Look {
  /** Empty: not in the legend. */
  name: string;
  /** undefined breaks the line. */
  points: readonly ({ x: number; y: number } | undefined)[];
  marks?: boolean;
}

/** A plot of several over one axis. */
export interface Panel {
  title: string;
  height: number;
  lines: readonly Line[];
  /** A bound that is not a line of data. */
  bound?: { y: number; label: string } | undefined;
  /** Logarithmic if the values span so much that they need it; else from 0. */
  logarithmic?: boolean;
  tick?: (value: number) => string;
}

/** What all plots have. */
export interface Picture {
  /** Unique in the page. */
  id: string;
  title: string;
  /** What is seen, for those who do not see it. */
  description: string;
}

/** A vertical line through all panels, or an area. */
export interface Mark {
  from: number;
  /** Absent: a line. */
  to?: number;
  label?: string;
}

/** Panels one below the other. */
export function panelsPlot(
  picture: Picture,
  {
    x,
    xTitle,
    xTick = String,
    marks = [],
    panels,
  }: {
    x: Scale;
    xTitle: string;
    xTick?: (value: number) => string;
    marks?: readonly Mark[];
    panels: readonly Panel[];
  },
): Markup {
  const legend = legendOf(panels.flatMap(({ lines }) => lines));
  let top = legend.height + 22;
  const drawn: string[] = [];
  const first = top;
  const bodies = panels.map((panel) => {
    const place = { top, bottom: top + panel.height };
    top = place.bottom + 40;
    return { panel, place };
  });
  const last = top - 40;
  for (const { from, to } of marks) {
    if (to === undefined) drawn.push(line('mark', x.at(from), first, x.at(from), last));
    else drawn.push(rectangle('band', x.at(from), first, x.at(to) - x.at(from), last - first));
  }
  for (const { panel, place } of bodies) drawn.push(panelBody(panel, x, place));
  // Over the lines, so that none crosses a name.
  for (const { from, label } of marks) {
    if (label !== undefined) drawn.push(text('note', x.at(from) + 4, first + 11, safe(label)));
  }
  drawn.push(
    ...x.ticks.map((tick) => text('tick', x.at(tick), last + 17, xTick(tick), 'middle')),
    text('tick', (LEFT + RIGHT) / 2, last + 36, xTitle, 'middle'),
  );
  return svg(picture, last + 46, [legend.svg, ...drawn]);
}

function panelBody(panel: Panel, x: Scale, { top, bottom }: { top: number; bottom: number }): string {
  const { lines, bound, tick = shortNumber } = panel;
  const values = lines.flatMap(({ points }) => points.flatMap((point) => (point ? [point.y] : [])));
  const y = valueScale([...values, ...(bound ? [bound.y] : [])], bottom, top, {
    logarithmic: panel.logarithmic === true,
    ticks: Math.min(6, (bottom - top) / 24),
  });
  return [
    text('axis', LEFT, top - 8, `${panel.title}${y.log ? ', logarithmic' : ''}`),
    ...y.ticks.map(
      (each) =>
        line('grid', LEFT, y.at(each), RIGHT, y.at(each)) +
        text('tick', LEFT - 8, y.at(each) + 4, tick(each), 'end'),
    ),
    ...x.ticks.map((each) => line('grid', x.at(each), bottom, x.at(each), bottom + 4)),
    ...(bound
      ? [
          line('bound', LEFT, y.at(bound.y), RIGHT, y.at(bound.y)),
          // Above the line, unless the panel's title is there.
          text('note', LEFT + 6, y.at(bound.y) + (y.at(bound.y) < top + 16 ? 14 : -6), bound.label),
        ]
      : []),
    ...lines.map((each) => drawnLine(each, x, y)),
  ].join('\n');
}

function drawnLine({ points, marks, name, ...look }: Line, x: Scale, y: Scale): string {
  let path = '';
  let pen = 'M';
  for (const point of points) {
    if (!point) pen = 'M';
    else {
      path += `${pen}${number(x.at(point.x))} ${number(y.at(point.y))}`;
      // A lone point is a line to itself, which round ends make visible.
      pen = 'L';
    }
  }
  if (path === '') return '';
  if (!path.includes('L')) path += path.replace('M', 'L');
  const dots = marks
    ? points.flatMap((point) =>
        point
          ? [
              `<circle ${attributes('dot', look)} cx="${number(x.at(point.x))}" cy="${number(y.at(point.y))}" r="3.5">${hover(`${name}: ${shortNumber(point.y)}`)}</circle>`,
            ]
          : [],
      )
    : [];
  return `<path ${attributes('line', look)} d="${path}"/>${dots.join('')}`;
}

/** A row of bars: parts one after the other. */
export interface Row {
  label: string;
  parts: readonly (Look & { name: string; value: number })[];
  /** Written at its end. */
  note: string;
  /** Another total to compare with. */
  ghost?: number | undefined;
}

/** Rows one below the other, from 0. */
export function rowsPlot(
  picture: Picture,
  rows: readonly Row[],
  { axis, legend: wanted }: { axis: string; legend: boolean },
): Markup {
  const legend = legendOf(
    wanted ? rows.flatMap(({ parts }) => parts.map((part) => ({ ...part, points: [] }))) : [],
    true,
  );
  const left = Math.min(260, Math.max(70, ...rows.map(({ label }) => label.length * GLYPH + 14)));
  const right = WIDTH - Math.max(24, ...rows.map(({ note }) => note.length * GLYPH + 14));
  const top = legend.height + 16;
  const bottom = top + rows.length * ROW;
  const totals = rows.map(({ parts, ghost = 0 }) =>
    Math.max(
      ghost,
      parts.reduce((sum, { value }) => sum + value, 0),
    ),
  );
  const x = linearScale(0, Math.max(...totals, 1e-9), left, right, 6);
  const body = rows.map(({ label, parts, note, ghost }, i) => {
    const y = top + i * ROW;
    let at = 0;
    const bars = parts.map((part) => {
      const from = x.at(at);
      at += part.value;
      const width = x.at(at) - from;
      return `<rect ${attributes('bar', part)} x="${number(from)}" y="${number(y + 4)}" width="${number(width)}" height="${String(ROW - 8)}">${hover(`${part.name}: ${shortNumber(part.value)}`)}</rect>`;
    });
    const end = Math.max(x.at(at), ghost === undefined ? 0 : x.at(ghost));
    return [
      text('tick', left - 8, y + ROW / 2 + 4, safe(label), 'end'),
      ...bars,
      ghost === undefined ? '' : line('ghost', x.at(ghost), y + 1, x.at(ghost), y + ROW - 1),
      text('tick', end + 6, y + ROW / 2 + 4, note),
    ].join('');
  });
  const grid = x.ticks.map(
    (tick) =>
      line('grid', x.at(tick), top, x.at(tick), bottom) +
      text('tick', x.at(tick), bottom + 16, shortNumber(tick), 'middle'),
  );
  return svg(picture, bottom + 46, [
    legend.svg,
    ...grid,
    ...body,
    text('tick', (left + right) / 2, bottom + 36, axis, 'middle'),
  ]);
}

/**
 * An axis for values ≥ 0. Logarithmic, if that is allowed and the values span more than a factor of 8, all above 0.
 *
 * @param ticks wished for, of a linear one
 */
export function valueScale(
  values: readonly number[],
  from: number,
  to: number,
  { logarithmic, ticks }: { logarithmic: boolean; ticks: number },
): Scale & { log: boolean } {
  const positive = values.filter((value) => value > 0);
  const most = Math.max(...positive, 0);
  const least = Math.min(...positive);
  if (logarithmic && most / least > 8) {
    const scale = logScale(least, most, from, to);
    // What is 0 stands at the axis' end.
    return { ...scale, at: (value) => scale.at(Math.max(value, scale.ticks[0] ?? value)), log: true };
  }
  return { ...linearScale(0, most, from, to, ticks), log: false };
}

/** A tick or a value, in few characters. */
export function shortNumber(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: 6 });
}

function legendOf(lines: readonly Line[], bars = false): { svg: string; height: number } {
  const named = [
    ...new Map(lines.filter(({ name }) => name !== '').map((each) => [each.name, each])).values(),
  ];
  let [x, y] = [LEFT, 12];
  const entries = named.map(({ name, ...look }) => {
    const width = 36 + name.length * GLYPH + 18;
    if (x + width > WIDTH && x > LEFT) [x, y] = [LEFT, y + 20];
    const at = x;
    x += width;
    const key = bars
      ? `<rect ${attributes('bar', look)} x="${number(at)}" y="${number(y - 7)}" width="22" height="12"/>`
      : `<path ${attributes('line', look)} d="M${number(at)} ${number(y)}h26"/>`;
    return key + text('tick', at + 32, y + 4, safe(name));
  });
  return { svg: entries.join(''), height: named.length > 0 ? y + 14 : 0 };
}

function attributes(kind: string, { style, hue, dashed }: Look): string {
  const own = hue === undefined ? '' : ` style="--h:${String(Math.round(hue))}"`;
  return `class="${kind} ${style}${dashed === true ? ' dashed' : ''}"${own}`;
}

function rectangle(style: string, x: number, y: number, width: number, height: number): string {
  return `<rect class="${style}" x="${number(x)}" y="${number(y)}" width="${number(width)}" height="${number(height)}"/>`;
}

function hover(content: string): string {
  return html`<title>${content}</title>`.toString();
}

function svg({ id, title, description }: Picture, height: number, elements: readonly string[]): Markup {
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${`${title}, plot`}">
    <svg
      xmlns="http://www.w3.org/2000/svg"
      viewBox="0 0 ${WIDTH} ${Math.ceil(height)}"
      role="img"
      aria-labelledby="${`${id}-title ${id}-text`}"
    >
      <title id="${`${id}-title`}">${title}</title>
      <desc id="${`${id}-text`}">${description}</desc>
      ${new Markup(elements.join('\n'))}
    </svg>
  </div> `;
}
