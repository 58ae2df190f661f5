// From a dataset's words for classes to a model's class indices: by name, by index, by synset, or by a list.
// Knows words; neither photos nor models.

import { expected, VggError } from '../../vgg/errors.ts';

/** What the person at the terminal says of the words. */
export interface ClassHints {
  /** The dataset's word for each class of the model, in order; `n01440764 tench, …` stands for its first word too. */
  classes?: readonly string[] | undefined;
  /** Synset of each ILSVRC2012_ID, from 1. */
  ilsvrcIds?: readonly string[] | undefined;
  /** What the first class's index is. */
  indexBase?: 0 | 1 | undefined;
  /** The first truths of ImageNet's whole validation set, where it is that. */
  first?: readonly string[] | undefined;
}

const SYNSET = /^n\d{8}$/;
// Classes of the validation set's first photos in the order of the networks' outputs, from 0.
const VALIDATION_BEGINS = [65, 970, 230, 809, 516];

/**
 * The class index of each word.
 *
 * @param words distinct truths of a dataset
 * @param labels the model's classes
 * @returns unknown: the words that are no class of the model
 * @throws VggError INVALID_ARGUMENT where indices cannot be read in one way only
 */
export function classIndices(
  words: readonly string[],
  labels: readonly string[],
  hints: ClassHints,
): { indices: Map<string, number>; unknown: string[] } {
  const find = finder(words, labels, hints);
  const indices = new Map<string, number>();
  const unknown: string[] = [];
  for (const word of words) {
    const index = find(word);
    if (index === undefined) unknown.push(word);
    else indices.set(word, index);
  }
  return { indices, unknown };
}

type Finder = (word: string) => number | undefined;

function finder(words: readonly string[], labels: readonly string[], hints: ClassHints): Finder {
  const { classes, ilsvrcIds } = hints;
  if (ilsvrcIds) {
    const synsets = ilsvrcIds.slice(0, labels.length);
    const bySynset = classes ? byList(classes, labels) : sorted(synsets, labels);
    return (word) => bySynset(synsets[Number(word) - 1] ?? '');
  }
  if (classes) return byList(classes, labels);
  if (words.every((word) => /^\d+$/.test(word)) && !words.every((word) => labels.includes(word))) {
    return byIndex(words, labels, hints);
  }
  if (
    words.length > 0 &&
    words.every((word) => SYNSET.test(word)) &&
    !labels.some((each) => SYNSET.test(each))
  ) {
    return sorted(words, labels);
  }
  return byName(labels);
}

function byList(classes: readonly string[], labels: readonly string[]): Finder {
  if (classes.length !== labels.length)
    throw expected(
      `${String(labels.length)} lines, one for each class of the model`,
      classes.length,
      '--classes',
    );
  const indices = new Map<string, number>();
  for (const [index, line] of classes.entries()) {
    for (const word of [line, line.split(/\s/)[0] ?? line]) if (!indices.has(word)) indices.set(word, index);
  }
  return (word) => indices.get(word);
}

// The networks' outputs are in the order of sorted synsets; which is known only if all are there.
function sorted(synsets: readonly string[], labels: readonly string[]): Finder {
  const all = [...new Set(synsets)].sort();
  if (all.length !== labels.length || !all.every((word) => SYNSET.test(word))) {
    throw new VggError(
      'INVALID_ARGUMENT',
      `Expected all ${String(labels.length)} synsets, or --classes FILE with the synset of each class, but received ${String(all.length)} (such as ${all[0] ?? 'none'})`,
    );
  }
  const indices = new Map(all.map((word, index) => [word, index]));
  return (word) => indices.get(word);
}

function byIndex(
  words: readonly string[],
  labels: readonly string[],
  { indexBase, first }: ClassHints,
): Finder {
  const numbers = words.map(Number);
  const [zero, past] = [numbers.includes(0), numbers.includes(labels.length)];
  const base = indexBase ?? (zero ? 0 : past ? 1 : undefined);
  if (base === undefined || (indexBase === undefined && zero && past)) {
    throw expected('--index-base 0 or 1, as the indices leave it open', 'none', '--index-base');
  }
  if (
    first &&
    labels.length === 1000 &&
    first.some((word, i) => Number(word) - base !== VALIDATION_BEGINS[i])
  ) {
    throw new VggError(
      'INVALID_ARGUMENT',
      `Expected ImageNet's validation set to begin with classes ${VALIDATION_BEGINS.join(', ')}, the order of sorted synsets, but received ${first.join(', ')}: indices of the development kit are ILSVRC IDs, which --ilsvrc-ids FILE translates`,
    );
  }
  return (word) => {
    const index = Number(word) - base;
    return index >= 0 && index < labels.length ? index : undefined;
  };
}

// As it is written; else without regard to case, and to whether words are joined by spaces, dashes or underscores,
// where just one label is like it.
function byName(labels: readonly string[]): Finder {
  const exact = new Map(labels.map((label, index) => [label, index]));
  const folded = new Map<string, number[]>();
  for (const [index, label] of labels.entries()) {
    folded.set(fold(label), [...(folded.get(fold(label)) ?? []), index]);
  }
  return (word) => {
    const like = folded.get(fold(word)) ?? [];
    return exact.get(word) ?? (like.length === 1 ? like[0] : undefined);
  };
}

function fold(word: string): string {
  return word
    .normalize('NFC')
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, ' ')
    .trim();
}
