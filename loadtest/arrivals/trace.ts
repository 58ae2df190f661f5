// Rates that change: read from a file, or a well-known curve. Knows the file's format and no files.

import { expected } from '../../vgg/errors.ts';
import type { Curve, Piece } from './curve.ts';

const NUMBER = String.raw`(\d+\.?\d*|\.\d+)`;
const LINE = new RegExp(String.raw`^${NUMBER}\s+${NUMBER}(?:\.\.${NUMBER})?$`);
const NAMED = new RegExp(String.raw`^(burst|day|ramp):${NUMBER}\.\.${NUMBER}$`);

/**
 * Reads a trace: a line for each stretch, `SECONDS RATE` or `SECONDS FROM..TO`, rates in requests a second;
 * # begins a comment.
 *
 * @param name of the file, for errors
 * @throws VggError INVALID_ARGUMENT naming the line
 */
export function parseTrace(text: string, name: string): Curve {
  const pieces: Piece[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const content = line.replace(/#.*/, '').trim();
    if (content === '') continue;
    const at = `${name}, line ${String(index + 1)}`;
    const [, seconds, from, to = from] = LINE.exec(content) ?? [];
    const piece = { seconds: Number(seconds), from: Number(from), to: Number(to) };
    if (seconds === undefined) throw expected('SECONDS RATE or SECONDS FROM..TO', content, at);
    if (!(piece.seconds > 0)) throw expected('more than 0 seconds', content, at);
    pieces.push(piece);
  }
  if (!pieces.some(({ from, to }) => from + to > 0)) throw expected('a rate above 0', 'none', name);
  return pieces;
}

/**
 * A well-known curve: `burst:LOW..HIGH` is low for 10 s, then high for 5; `ramp:LOW..HIGH` is a straight line;
 * `day:LOW..HIGH` is a day, lowest at night, highest in the afternoon, hour by hour.
 *
 * @param text what may be the name of one
 * @param seconds how long a ramp or a day is to be
 * @returns nothing if it is none
 * @throws VggError INVALID_ARGUMENT where high is not above low
 */
export function namedCurve(text: string, seconds: number): Curve | undefined {
  const [, name, lowText, highText] = NAMED.exec(text) ?? [];
  if (name === undefined) return undefined;
  const [low, high] = [Number(lowText), Number(highText)];
  if (!(high > low)) throw expected('LOW..HIGH with HIGH above LOW', text, '--trace');
  if (name === 'ramp') return [{ seconds, from: low, to: high }];
  if (name === 'burst') {
    return [
      { seconds: 10, from: low, to: low },
      { seconds: 5, from: high, to: high },
    ];
  }
  // A cosine with its lowest point at 4 in the morning, its highest at 16.
  const at = (hour: number) => low + ((high - low) * (1 - Math.cos((2 * Math.PI * (hour - 4)) / 24))) / 2;
  return Array.from({ length: 24 }, (_, hour) => ({
    seconds: seconds / 24,
    from: at(hour),
    to: at(hour + 1),
  }));
}
