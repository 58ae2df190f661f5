// The learning rate over a run. Knows rates and validation errors; nothing of networks or photos.

import type { Recipe } from './recipe.ts';

/** What a schedule remembers between epochs. JSON. */
export interface ScheduleState {
  /** Least validation error so far, a share; Infinity as null before the first. */
  leastError: number | null;
  /** Epochs since the least error was reached. */
  epochsSince: number;
  /** Times that the rate fell. */
  drops: number;
}

/** State before the first epoch. */
export const FIRST_STATE: ScheduleState = { leastError: null, epochsSince: 0, drops: 0 };

/** The part of a recipe that a schedule is. */
export type ScheduleRecipe = Pick<
  Recipe,
  'schedule' | 'learningRate' | 'epochs' | 'patience' | 'drops' | 'warmUp'
>;

/**
 * The learning rate of a batch. `plateau`: the base, a tenth for each drop (Section 3.1). `cosine`: from the
 * base to zero over all epochs. Either rises from zero over the first `warmUp` epochs.
 *
 * @param progress epochs so far, with the fraction of the one under way
 */
export function learningRate(recipe: ScheduleRecipe, { drops }: ScheduleState, progress: number): number {
  const { learningRate: base, epochs, warmUp } = recipe;
  const rising = warmUp > 0 ? Math.min(1, progress / warmUp) : 1;
  const falling =
    recipe.schedule === 'cosine'
      ? (1 + Math.cos(Math.PI * Math.min(1, progress / epochs))) / 2
      : 10 ** -drops;
  return base * rising * falling;
}

/** What the end of an epoch means. */
export interface EpochVerdict {
  state: ScheduleState;
  /** Whether this epoch's validation error is the least so far. */
  best: boolean;
  /** Whether training ends. */
  done: boolean;
}

/**
 * Judges an epoch: with `plateau` the rate falls when the error has not become less for `patience` epochs, and
 * training ends where it would fall once more than `drops` times.
 *
 * @param error validation error, a share; the training error where nothing is held out
 * @param epochs that have ended, this one included
 */
export function judgeEpoch(
  recipe: ScheduleRecipe,
  { leastError, epochsSince, drops }: ScheduleState,
  error: number,
  epochs: number,
): EpochVerdict {
  const best = leastError === null || error < leastError;
  const state: ScheduleState = {
    leastError: best ? error : leastError,
    epochsSince: best ? 0 : epochsSince + 1,
    drops,
  };
  const stuck = recipe.schedule === 'plateau' && state.epochsSince >= recipe.patience && !best;
  if (stuck && drops >= recipe.drops) return { state, best, done: true };
  if (stuck) {
    state.drops++;
    state.epochsSince = 0;
  }
  return { state, best, done: epochs >= recipe.epochs };
}
