// HTML that is written by a template whose every value is escaped. Knows HTML's syntax; no page.

import { escaped } from '../../../drawing/svg.ts';

/** Text that is HTML already. */
export class Markup {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** What may stand in a template: text and numbers are escaped, lists are written one after the other. */
export type Content = string | number | Markup | readonly Content[] | undefined;

/** HTML from a template. */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return new Markup(parts.map((part, i) => part + written(values[i])).join(''));
}

/** A figure: what is shown, and the exact number for programs that read the page. */
export function figure(value: number, text: string): Markup {
  return html`<data value="${String(value)}">${text}</data>`;
}

/** What HTML cannot hold, such as NUL, and what would turn its reader's text around, are replaced. */
export function safe(text: string): string {
  return text.replace(/[^\P{Cc}\t\n]|[\p{Cs}\p{Bidi_Control}]|\p{Noncharacter_Code_Point}/gu, '\uFFFD');
}

function written(content: Content): string {
  if (content === undefined) return '';
  if (content instanceof Markup) return content.toString();
  if (typeof content === 'number') return String(content);
  if (typeof content === 'string') return escaped(safe(content));
  return content.map(written).join('');
}
