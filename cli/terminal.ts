// What commands print: results to standard output, everything else to standard error. Knows tables, bars
// and progress; not what they are about.

import { SingleBar } from 'cli-progress';

/** Prints a line of the result. */
export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** Prints a line for the person at the terminal. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

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

/** Characters in a line: the terminal's; 80 where nobody looks at one, or where it is so narrow that names would go. */
export function columns(): number {
  return Math.max(80, process.stdout.columns || 80);
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

/** 1234567 → 1,234,567. */
export function thousands(value: number): string {
  return value.toLocaleString('en-US');
}

/** Bytes in the largest unit that keeps them ≥ 1. */
export function size(bytes: number): string {
  const unit = ['B', 'KiB', 'MiB', 'GiB'].findLast((_, power) => bytes >= 1024 ** power) ?? 'B';
  const value = bytes / 1024 ** ['B', 'KiB', 'MiB', 'GiB'].indexOf(unit);
  return `${value >= 10 || unit === 'B' ? value.toFixed(0) : value.toFixed(1)} ${unit}`;
}

/** Shows how far long work is, where somebody looks at a terminal; elsewhere nothing. */
export interface Progress {
  update(done: number, what?: string): void;
  stop(): void;
}

/** @param unit what is counted, such as photos; @param total how many in all; @param barsize characters of the bar */
export function progress(total: number, unit: string, wanted = process.stderr.isTTY, barsize = 30): Progress {
  if (!wanted || total === 0) return { update: () => undefined, stop: () => undefined };
  const shown = new SingleBar({
    format: `{bar} {percentage} %  {value}/{total} ${unit}  {eta_formatted} left  {what}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
    barsize,
    etaBuffer: 30,
  });
  shown.start(total, 0, { what: '' });
  let last = 0;
  return {
    update: (done, what = '') => {
      // The time left is reckoned from the last updates: those without news would make it nonsense.
      if (done === last) return;
      last = done;
      shown.update(done, { what });
    },
    stop: () => {
      shown.stop();
    },
  };
}
