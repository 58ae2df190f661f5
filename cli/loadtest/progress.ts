// How far a load test is, for the person at the terminal: a line that is written over, or a line for each step where
// nobody looks at a terminal. Knows running figures; prints to standard error alone.

import type { StepStart } from '../../loadtest/load-test.ts';
import type { Step } from '../../loadtest/result.ts';
import type { StepLoad } from '../../loadtest/step.ts';
import { area, length } from '../../loadtest/arrivals/curve.ts';
import { say } from '../terminal.ts';

const EVERY_MS = 250;

/** Shows steps as they run. */
export class StepProgress {
  readonly #terminal = process.stderr.isTTY;
  #timer: NodeJS.Timeout | undefined;
  #name = '';

  /** A step begins. */
  start({ load, running, number, of }: StepStart): void {
    this.#name = `step ${String(number)}${of > 1 ? ` of ${String(of)}` : ''}: ${nameOf(load)}`;
    const { measure, warmUpSeconds, seconds, elapsed } = running;
    if (!this.#terminal) {
      say(`${this.#name}, ${seconds.toFixed(0)} s after ${warmUpSeconds.toFixed(0)} s of warm-up`);
      return;
    }
    this.#timer = setInterval(() => {
      const { requests, latency, inFlight } = measure;
      const now = elapsed();
      const where =
        now < 0
          ? `warming up, ${(-now).toFixed(0)} s left`
          : now < seconds
            ? `${now.toFixed(0)} of ${seconds.toFixed(0)} s`
            : 'waiting for the last answers';
      const failed = requests.failed > 0 ? `  ${String(requests.failed)} failed` : '';
      const p99 =
        latency.count > 0
          ? `  p50 ${latency.at(0.5).toFixed(0)} ms  p99 ${latency.at(0.99).toFixed(0)} ms`
          : '';
      this.#write(
        `${this.#name}  ${where}  ${String(requests.answered)} answered${failed}  ${String(inFlight)} under way${p99}`,
      );
    }, EVERY_MS);
  }

  /** A step is over. */
  end({ requests, latency, ended }: Step): void {
    this.stop();
    if (!this.#terminal) return;
    const failed = requests.failed > 0 ? `, ${String(requests.failed)} failed` : '';
    say(
      `${this.#name}: ${String(requests.answered)} answered${failed}, p99 ${latency.p99.toFixed(0)} ms${ended === undefined ? '' : ` (${ended})`}`,
    );
  }

  /** Clears the line. */
  stop(): void {
    clearInterval(this.#timer);
    if (this.#terminal) this.#write('');
  }

  #write(line: string): void {
    process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns || 80) - 1)}`);
  }
}

function nameOf(load: StepLoad): string {
  if (load.loop === 'closed') return `${String(load.concurrency)} client${load.concurrency === 1 ? '' : 's'}`;
  const rate = area(load.curve) / length(load.curve);
  return `${Number(rate.toPrecision(3)).toString()} requests a second${load.trace === true ? ' on average' : ''}`;
}
