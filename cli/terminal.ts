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

/** Rows as lines, columns aligned; numbers to the right. */
export function table(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const texts = [header, ...rows].map((row) => row.map(String));
  const widths = header.map((_, column) => Math.max(...texts.map((row) => row[column]?.length ?? 0)));
  const right = header.map(
    (_, column) =>
      rows.length > 0 &&
      rows.every((row) => typeof row[column] === 'number' || /^[-\d.,]+$/.test(String(row[column]))),
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

/** @param unit what is counted, such as photos; @param total how many in all */
export function progress(total: number, unit: string, wanted = process.stderr.isTTY): Progress {
  if (!wanted || total === 0) return { update: () => undefined, stop: () => undefined };
  const shown = new SingleBar({
    format: `{bar} {percentage} %  {value}/{total} ${unit}  {eta_formatted} left  {what}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
    barsize: 30,
  });
  shown.start(total, 0, { what: '' });
  return {
    update: (done, what = '') => {
      shown.update(done, { what });
    },
    stop: () => {
      shown.stop();
    },
  };
}
