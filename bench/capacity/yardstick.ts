// The pace of a core, half a second at a time. Knows the process that measures it; not who else computes there.

import { execFileSync, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { threadTimes } from './threads.ts';

/** Milliseconds of a window of the pace. */
export const PACE_MS = 500;

/** A yardstick on a core. */
export class Yardstick {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(core: string): Promise<Yardstick> {
    const child = fork(new URL('./yardstick-main.js', import.meta.url), []);
    await once(child, 'spawn');
    execFileSync('taskset', ['--all-tasks', '--pid', '--cpu-list', core, String(child.pid)], {
      stdio: 'ignore',
    });
    return new Yardstick(child);
  }

  /** CPU milliseconds that it has used itself. */
  usedMs(): number {
    const { main, others } = threadTimes(this.#child.pid ?? 0);
    return main + others;
  }

  /**
   * The pace since it was last asked for, or started.
   *
   * @param began from when windows are counted, by this process's `performance`
   * @returns by window, how long its work took: 0 where there was no sample
   */
  async take(began: number): Promise<number[]> {
    const answer = once(this.#child, 'message') as Promise<[{ samples: [number, number][] }]>;
    this.#child.send({});
    const [{ samples }] = await answer;
    return windowsOf(
      samples.map(([at, ms]) => [at - performance.timeOrigin - began, ms] as const),
      PACE_MS,
    );
  }

  stop(): void {
    this.#child.disconnect();
  }
}

/** Means of samples by window, from 0 on. */
export function windowsOf(
  samples: readonly (readonly [at: number, ms: number])[],
  windowMs: number,
): number[] {
  const windows: { sum: number; count: number }[] = [];
  for (const [at, ms] of samples) {
    if (at < 0) continue;
    const window = Math.floor(at / windowMs);
    while (windows.length <= window) windows.push({ sum: 0, count: 0 });
    const own = windows[window];
    if (!own) continue;
    own.sum += ms;
    own.count++;
  }
  return windows.map(({ sum, count }) => (count > 0 ? Number((sum / count).toFixed(4)) : 0));
}
