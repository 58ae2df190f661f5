// Sides take turns, so that a busy minute of the machine falls on all of them. Knows nothing of what they do.

/** One side at one piece of work: does it once. @returns milliseconds that it took */
export type Turn = () => Promise<number>;

/**
 * Milliseconds, to a tenth, of each turn in each round, in the order of the turns. One round before them is not counted.
 *
 * @param pause before every turn, for what others leave spinning
 */
export async function takeTurns(
  turns: readonly Turn[],
  rounds: number,
  pause: () => Promise<void>,
): Promise<number[][]> {
  const times = turns.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, turn] of turns.entries()) {
      await pause();
      const ms = await turn();
      if (round > 0) times[i]?.push(Number(ms.toFixed(1)));
    }
  }
  return times;
}
