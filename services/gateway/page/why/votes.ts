// What views say of a class. Knows posteriors and score maps; neither places nor words.

import { softmax } from '../../../../vgg/scores.ts';
import type { ViewScoreJson } from '../../../../sdk/answer-json.ts';

/** A view and its posterior of the class. */
export interface Vote {
  view: ViewScoreJson;
  /** 0 to 1. */
  vote: number;
  /** The view's most probable class. */
  first: number;
}

/** What several votes come to. */
export interface Tally {
  count: number;
  /** Of which the class is the most probable. */
  first: number;
  /** Weighted mean. */
  mean: number;
  /** The first of the largest and of the smallest; nothing if there are no votes. */
  strongest?: Vote;
  weakest?: Vote;
}

const firsts = new WeakMap<ViewScoreJson, number>();

/** The views' votes for a class, in their order. */
export function votesOf(views: readonly ViewScoreJson[], classIndex: number): Vote[] {
  return views.map((view) => ({
    view,
    vote: view.posterior[classIndex] ?? 0,
    first: firstClass(view),
  }));
}

/** Counts votes. */
export function tallyOf(votes: readonly Vote[], classIndex: number): Tally {
  let [sum, weight, first] = [0, 0, 0];
  let [strongest, weakest] = [votes[0], votes[0]];
  for (const each of votes) {
    sum += each.vote * each.view.weight;
    weight += each.view.weight;
    if (each.first === classIndex) first++;
    if (strongest && each.vote > strongest.vote) strongest = each;
    if (weakest && each.vote < weakest.vote) weakest = each;
  }
  return {
    count: votes.length,
    first,
    mean: votes.length > 0 ? sum / weight : 0,
    ...(strongest && { strongest }),
    ...(weakest && { weakest }),
  };
}

/** The k most probable classes of a posterior, ties by index. */
export function topClasses(posterior: readonly number[], k: number): { classIndex: number; score: number }[] {
  return posterior
    .map((score, classIndex) => ({ classIndex, score }))
    .sort((a, b) => b.score - a.score || a.classIndex - b.classIndex)
    .slice(0, k);
}

/** What a map's numbers stand for: the class's probability at each location, or its score before any softmax. */
export type MapValue = 'probability' | 'score';

/** One class of a score map: [height, width]. */
export function classMap(
  { shape: [height, width, classes], values }: NonNullable<ViewScoreJson['scoreMap']>,
  classIndex: number,
  value: MapValue,
): number[] {
  return Array.from({ length: height * width }, (_, location) => {
    const scores = values.slice(location * classes, (location + 1) * classes);
    return (value === 'score' ? scores : softmax(scores))[classIndex] ?? NaN;
  });
}

// Of 150 views with a thousand classes each: looked for once.
function firstClass(view: ViewScoreJson): number {
  const known = firsts.get(view);
  if (known !== undefined) return known;
  let first = 0;
  for (const [index, score] of view.posterior.entries()) {
    if (score > (view.posterior[first] ?? 0)) first = index;
  }
  firsts.set(view, first);
  return first;
}
