// The pieces that reference pages are made of: tables, anchors, text that is not markup. Knows Markdown, as GitHub
// and the site read it; not what is described.

/** A page opens with what made it, for whoever opens the file to change it. */
export function opening(title: string, text: string): string {
  return `<!-- Made by \`npm run docs:reference\`: change what it describes, not this page. -->\n\n# ${title}\n\n${text}`;
}

/** A table; cells are Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** Plain text as Markdown that reads the same, in one line. */
export function plain(text: string): string {
  return text
    .replace(/\s*\n\s*/g, ' ')
    .replace(/[\\*_`[\]|]/g, '\\$&')
    .replaceAll('<', '&lt;')
    .replaceAll('{{', '&#123;&#123;');
}

/** Text in the form of code; `|` may stand in a table. */
export function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``;
}

/** The anchor of a heading, as GitHub makes it and the site does too. */
export function slug(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
}

/** Parts of a page, a blank line between them. */
export function page(...parts: readonly string[]): string {
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}
