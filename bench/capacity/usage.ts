// CPU time of a session's processes: what they do for those who ask, apart from what they do while nobody does (timers
// that watch event loops, a hundred times a second). Knows processes; not what is asked.

import { mapped } from './mapped.ts';
import { threadTimes, used, type ThreadTimes } from './threads.ts';

/** A process of a session. */
export type Process = 'client' | 'aggregator' | 'preprocess' | 'inference';

/** CPU milliseconds by process, of a photo unless something else is said. */
export type Demands = Record<Process, ThreadTimes>;

/** CPU times at a moment, by the clock of `performance`. */
export interface Reading {
  at: number;
  own: Demands;
}

const NOTHING: ThreadTimes = { main: 0, others: 0 };

/** See the file. */
export class Usage {
  readonly #pids: Record<Process, number>;
  #idle: Demands = { client: NOTHING, aggregator: NOTHING, preprocess: NOTHING, inference: NOTHING };

  constructor(pids: Record<Process, number>) {
    this.#pids = pids;
  }

  /** CPU milliseconds a second while nobody asks; nothing until {@link rest}. */
  get idle(): Demands {
    return this.#idle;
  }

  /** Now. */
  read(): Reading {
    return { at: performance.now(), own: mapped(this.#pids, threadTimes) };
  }

  /** Measures for so long what is used while nobody asks. */
  async rest(ms: number): Promise<void> {
    const before = this.read();
    await new Promise((resolve) => setTimeout(resolve, ms));
    const after = this.read();
    const seconds = (after.at - before.at) / 1000;
    this.#idle = mapped(this.#pids, (_, name) => {
      const { main, others } = used(before.own[name], after.own[name]);
      return { main: main / seconds, others: others / seconds };
    });
  }

  /** Used between two readings for those who asked. */
  between(before: Reading, after: Reading): Demands {
    const seconds = (after.at - before.at) / 1000;
    return mapped(this.#idle, (idle, name) => {
      const { main, others } = used(before.own[name], after.own[name]);
      return {
        main: Math.max(0, main - seconds * idle.main),
        others: Math.max(0, others - seconds * idle.others),
      };
    });
  }
}

/** CPU milliseconds of all threads. */
export function total(demands: Demands): number {
  return Object.values(demands).reduce((sum, { main, others }) => sum + main + others, 0);
}
