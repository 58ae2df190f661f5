// Text as lines of a terminal: tables, bars, and what fits a width. Knows no stream, and not what is shown.

/** Rows as lines, columns aligned; numbers, and nothing, to the right. With a width, the first column is cut to fit. */
export function table(
  header: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  width = Infinity,
): string[] {
  const whole = [header, ...rows].map((row) => row.map(String));
  const others = header.slice(1).map((_, i) => Math.max(...whole.map((row) => row[i + 1]?.length ?? 0)));
  const first = Math.max(8, width - others.reduce((sum, each) => sum + 2 + each, 0));
  const texts = whole.map(([name = '', ...rest]) => [cut(name, first), ...rest]);
  const widths = header.map((_, column) => Math.max(...texts.map((row) => row[column]?.length ?? 0)));
  const right = header.map(
    (_, column) => rows.length > 0 && rows.every((row) => /^([-\d.,]+×?)?$/.test(String(row[column]))),
  );
  return texts.map((row) =>
    row
      .map((text, column) =>
        right[column] ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

/** Text of at most so many characters; what is too long loses its middle, because names end in what tells them apart. */
export function cut(text: string, width: number): string {
  if (text.length <= width) return text;
  const end = Math.floor((width - 1) / 3);
  return `${text.slice(0, width - 1 - end)}…${text.slice(text.length - end)}`;
}

/** Text in lines of at most so many characters, broken at spaces; a longer word has a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1) ?? '';
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** A horizontal bar for a share from 0 to 1. */
export function bar(share: number, width: number): string {
  const eighths = Math.round(share * width * 8);
  const rest = ' ▏▎▍▌▋▊▉'.charAt(eighths % 8);
  return ('█'.repeat(Math.floor(eighths / 8)) + (eighths % 8 > 0 ? rest : '')).padEnd(width);
}
