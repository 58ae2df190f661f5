// Answers counted: errors by row, by class, and which classes are taken for which. Knows indices and ranks.

import type { Outcome } from './journal.ts';

/** Errors of a row. */
export interface Errors {
  /** Photos whose truth is not the most probable class. */
  top1: number;
  /** Photos whose truth is not among the five most probable. */
  top5: number;
}

/** Errors of a class. */
export interface ClassErrors extends Errors {
  classIndex: number;
  photos: number;
}

/** A class that was taken for another. */
export interface Confusion {
  truth: number;
  answer: number;
  photos: number;
}

/** All answers so far, in the order in which they came. */
export class Tally {
  readonly #truths: number[] = [];
  readonly #rows: { firsts: number[]; ranks: number[]; ms: number }[];

  /** @param rows rows of every photo */
  constructor(rows: number) {
    this.#rows = Array.from({ length: rows }, () => ({ firsts: [], ranks: [], ms: 0 }));
  }

  /** Photos so far. */
  get photos(): number {
    return this.#truths.length;
  }

  /** Counts a photo. @param outcomes one for each row */
  add(truth: number, outcomes: readonly Outcome[]): void {
    this.#truths.push(truth);
    for (const [i, { firsts, ranks }] of this.#rows.entries()) {
      firsts.push(outcomes[i]?.first ?? -1);
      ranks.push(outcomes[i]?.rank ?? Infinity);
    }
    for (const [i, row] of this.#rows.entries()) row.ms += outcomes[i]?.ms ?? 0;
  }

  errors(row: number): Errors {
    const ranks = this.#ranks(row);
    return { top1: ranks.filter((rank) => rank > 1).length, top5: ranks.filter((rank) => rank > 5).length };
  }

  /** Mean engine time of a photo, in milliseconds. */
  ms(row: number): number {
    return this.photos > 0 ? (this.#rows[row]?.ms ?? 0) / this.photos : 0;
  }

  /** Classes that have photos, by index. */
  classes(row: number): ClassErrors[] {
    const classes = new Map<number, ClassErrors>();
    for (const [i, rank] of this.#ranks(row).entries()) {
      const classIndex = this.#truths[i] ?? -1;
      const entry = classes.get(classIndex) ?? { classIndex, photos: 0, top1: 0, top5: 0 };
      entry.photos++;
      if (rank > 1) entry.top1++;
      if (rank > 5) entry.top5++;
      classes.set(classIndex, entry);
    }
    return [...classes.values()].sort((a, b) => a.classIndex - b.classIndex);
  }

  /** Photos that just one of two rows has wrong, by its most probable class. */
  discordant(first: number, second: number): [onlyFirst: number, onlySecond: number] {
    const others = this.#ranks(second);
    let [onlyFirst, onlySecond] = [0, 0];
    for (const [i, rank] of this.#ranks(first).entries()) {
      const other = others[i] ?? 0;
      if (rank > 1 && other === 1) onlyFirst++;
      if (rank === 1 && other > 1) onlySecond++;
    }
    return [onlyFirst, onlySecond];
  }

  /** Wrong pairs, most frequent first; equal ones by index. */
  confusions(row: number, most: number): Confusion[] {
    const counts = new Map<string, Confusion>();
    for (const [i, answer] of (this.#rows[row]?.firsts ?? []).entries()) {
      const truth = this.#truths[i] ?? -1;
      if (answer === truth) continue;
      const key = `${String(truth)} ${String(answer)}`;
      const entry = counts.get(key) ?? { truth, answer, photos: 0 };
      entry.photos++;
      counts.set(key, entry);
    }
    return [...counts.values()]
      .sort((a, b) => b.photos - a.photos || a.truth - b.truth || a.answer - b.answer)
      .slice(0, most);
  }

  #ranks(row: number): readonly number[] {
    return this.#rows[row]?.ranks ?? [];
  }
}
