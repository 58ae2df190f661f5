// Whether a command printed what a page shows: the same words, whatever the numbers. Knows texts alone.

const BARS = /[█▉▊▋▌▍▎▏]+/g;
const NUMBERS = /\d+(?:[.,]\d+)*(?:e[-+]?\d+)?/gi;
const ANY = '…';

/**
 * The first line that a page shows and a command did not print; undefined if all is there. Numbers, bars and
 * spaces may differ; `…` is anything within a line, and any lines where it is one.
 */
export function missingLine(shown: readonly string[], printed: readonly string[]): string | undefined {
  let at = 0;
  let anywhere = false;
  for (const line of shown) {
    if (line.trim() === ANY) {
      anywhere = true;
      continue;
    }
    const pattern = patternOf(line);
    const found = anywhere
      ? printed.findIndex((each, i) => i >= at && pattern.test(normal(each)))
      : pattern.test(normal(printed[at] ?? ''))
        ? at
        : -1;
    if (found < 0) return line;
    at = found + 1;
    anywhere = false;
  }
  const rest = printed.slice(at).find((line) => line.trim() !== '');
  return anywhere || rest === undefined ? undefined : `nothing after, where it printed: ${rest}`;
}

function normal(line: string): string {
  return line.replace(BARS, '█').replace(NUMBERS, '#').replace(/\s+/g, ' ').trim();
}

function patternOf(line: string): RegExp {
  const parts = normal(line)
    .split(ANY)
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}
