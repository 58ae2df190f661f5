// What commands print: results to standard output, everything else to standard error. Knows streams and
// progress; not what they are about.

import { SingleBar } from 'cli-progress';

export { bar, cut, table, wrap } from '../drawing/lines.ts';

/** Prints a line of the result. */
export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** Prints a line for the person at the terminal. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Characters in a line: the terminal's; 80 where nobody looks at one, or where it is so narrow that names would go. */
export function columns(): number {
  return Math.max(80, process.stdout.columns || 80);
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
