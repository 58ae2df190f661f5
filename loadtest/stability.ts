// Whether a step's parts agree, so that its figures stand for a lasting load rather than for the moment.
//
// The rule. A step is cut into four quarters by the time requests were meant to start. It is stable if
//   1. each quarter has at least 10 answers;
//   2. answers keep up: of an open loop, each quarter has as many answers come in as requests meant to start in it;
//      of a closed loop, as many as the others have on average; but for 10 %, or for three standard deviations of a
//      Poisson count, whichever is more;
//   3. latency does not drift: medians of the first and of the second half differ by no more than half of the
//      smaller one, or by no more than 5 ms. Of a trace this is not asked: it is meant to vary.

const LEAST_ANSWERS = 10;
const SLACK = 0.1;
const DEVIATIONS = 3;
const DRIFT = 1.5;
const DRIFT_MS = 5;

/** A quarter of a step. */
export interface Quarter {
  /** Requests that were meant to start in it, but for those that were cancelled or slow by plan. */
  intended: number;
  /** Answers and failures that came in it, whenever they were meant to start. */
  came: number;
  /** Milliseconds, of answers to requests that were meant to start in it. */
  latencies: readonly number[];
}

/** Whether the quarters agree, and in words why not. */
export function stabilityOf(
  quarters: readonly Quarter[],
  loop: 'open' | 'closed' | 'trace',
): { stable: boolean; reason: string } {
  const unstable = (reason: string) => ({ stable: false, reason });
  const fewest = Math.min(...quarters.map(({ latencies }) => latencies.length));
  if (fewest < LEAST_ANSWERS) {
    return unstable(
      `a quarter of the step has ${String(fewest)} answers, fewer than ${String(LEAST_ANSWERS)}: let it run longer`,
    );
  }
  const mean = quarters.reduce((sum, { came }) => sum + came, 0) / quarters.length;
  for (const [index, { intended, came }] of quarters.entries()) {
    const due = loop === 'closed' ? mean : intended;
    const slack = Math.max(SLACK * due, DEVIATIONS * Math.sqrt(due));
    const name = `quarter ${String(index + 1)} of 4`;
    if (came < due - slack) {
      return unstable(
        loop === 'closed'
          ? `${name} had ${String(came)} answers, the mean is ${due.toFixed(0)}`
          : `answers do not keep up: ${name} had ${String(came)} for ${String(due)} requests`,
      );
    }
    if (loop === 'closed' && came > due + slack) {
      return unstable(`${name} had ${String(came)} answers, the mean is ${due.toFixed(0)}`);
    }
  }
  const half = (from: number) => median(quarters.slice(from, from + 2).flatMap(({ latencies }) => latencies));
  const [first, second] = [half(0), half(2)];
  const [less, more] = [Math.min(first, second), Math.max(first, second)];
  if (loop !== 'trace' && more > less * DRIFT && more - less > DRIFT_MS) {
    return unstable(
      `the median latency went from ${first.toFixed(1)} ms in the first half to ${second.toFixed(1)} ms in the second`,
    );
  }
  return { stable: true, reason: 'the four quarters of the step agree' };
}

function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const [below, above] = [
    sorted[Math.floor((sorted.length - 1) / 2)],
    sorted[Math.ceil((sorted.length - 1) / 2)],
  ];
  return ((below ?? 0) + (above ?? 0)) / 2;
}
