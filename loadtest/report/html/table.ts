// Tables of a page: each in a region of its own that scrolls, so that a narrow page never does. Knows no figure.

import { figure, html, Markup, type Content } from './markup.ts';

// Characters of a text that is broken into lines rather than made its table wide.
const LONG = 40;

/** A number and how it is shown, or anything else. */
export type Cell = { value: number; text: string } | Content;

/** A table. The first column says what its row is. */
export interface Table {
  caption: string;
  header: readonly string[];
  rows: readonly (readonly Cell[])[];
}

/** The table; nothing if it has no rows. */
export function tableMarkup({ caption, header, rows }: Table): Markup {
  if (rows.length === 0) return html``;
  const numeric = header.map((_, i) =>
    rows.every((row) => isFigure(row[i]) || row[i] === '–' || row[i] === ''),
  );
  const long = header.map((_, i) =>
    rows.some(({ [i]: cell }) => typeof cell === 'string' && cell.length > LONG),
  );
  const style = (i: number) => new Markup(numeric[i] ? ' class="number"' : long[i] ? ' class="long"' : '');
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${caption}">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${header.map((title, i) => html`<th scope="col" ${style(i)}>${title}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map((cell, i) =>
                i === 0
                  ? html`<th scope="row" ${style(i)}>${shown(cell)}</th>`
                  : html`<td${style(i)}>${shown(cell)}</td>`,
              )}
            </tr> `,
        )}
      </tbody>
    </table>
  </div> `;
}

/** A table behind a plot: folded, since the plot shows the same. */
export function foldedTable(table: Table): Markup {
  if (table.rows.length === 0) return html``;
  return html`<details>
    <summary>${table.caption}</summary>
    ${tableMarkup(table)}
  </details>`;
}

function isFigure(cell: Cell): cell is { value: number; text: string } {
  return typeof cell === 'object' && 'value' in cell && 'text' in cell;
}

function shown(cell: Cell): Content {
  return isFigure(cell) ? figure(cell.value, cell.text) : cell;
}
