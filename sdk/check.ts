// Options are checked before anything is sent, in the project's one voice: a NaN that becomes a 0 on
// the wire would be an answer to another question.

import { expected } from '../vgg/errors.ts';

/** A whole number in a range, or undefined. */
export function checkInteger(value: number | undefined, least: number, most: number, field: string): void {
  if (value === undefined) return;
  if (!(Number.isInteger(value) && value >= least && value <= most)) {
    throw expected(`a whole number from ${String(least)} to ${String(most)}`, value, field);
  }
}

/** A number in a range. */
export function checkNumber(value: number, least: number, most: number, field: string): void {
  if (!(value >= least && value <= most)) {
    throw expected(`a number from ${String(least)} to ${String(most)}`, value, field);
  }
}

/** One of a few words, or undefined. */
export function checkWord(value: string | undefined, words: readonly string[], field: string): void {
  if (value !== undefined && !words.includes(value))
    throw expected(`one of ${words.join(', ')}`, value, field);
}
