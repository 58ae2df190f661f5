// CPU time of a process by thread, as Linux counts it. Knows /proc; not what threads do.

import { readFileSync } from 'node:fs';

/** CPU milliseconds since a process began: of its JavaScript thread, and of all its others. */
export interface ThreadTimes {
  main: number;
  others: number;
}

/** Reads them now. What threads used that have ended since is among the others'. */
export function threadTimes(pid: number): ThreadTimes {
  const folder = `/proc/${String(pid)}`;
  const [thread = ''] = readFileSync(`${folder}/schedstat`, 'utf8').split(' ');
  const main = Number(thread) / 1e6;
  const stat = readFileSync(`${folder}/stat`, 'utf8');
  // After the name, which may hold anything: user and system time, in hundredths of a second.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const whole = 10 * (Number(fields[11]) + Number(fields[12]));
  return { main, others: Math.max(0, whole - main) };
}

/** What was used between two readings. */
export function used(before: ThreadTimes, after: ThreadTimes): ThreadTimes {
  return { main: after.main - before.main, others: after.others - before.others };
}

/** A while in which the machine's host had a core for others: milliseconds of `to − from`. */
export interface Stolen {
  from: number;
  to: number;
  ms: number;
}

/** When the machine's host has a core for others; no thread's time has that. */
export class StolenTime {
  readonly #core: string;
  readonly #began: number;
  readonly #spans: Stolen[] = [];
  #last: { at: number; ms: number };

  /** @param began from when spans are counted, by the clock of `performance` */
  constructor(core: string, began: number) {
    this.#core = core;
    this.#began = began;
    this.#last = this.#now();
  }

  /** Whiles in which some was stolen, in their order. */
  get spans(): Stolen[] {
    return this.#spans;
  }

  /** Reads it now; spans go from one reading to the next. */
  read(): void {
    const last = this.#last;
    const now = this.#now();
    const ms = now.ms - last.ms;
    if (ms > 0) this.#spans.push({ from: last.at - this.#began, to: now.at - this.#began, ms });
    this.#last = now;
  }

  #now(): { at: number; ms: number } {
    return { at: performance.now(), ms: stolenMs(this.#core) };
  }
}

// Since the machine began; Linux counts it in hundredths of a second.
function stolenMs(core: string): number {
  const line = readFileSync('/proc/stat', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`cpu${core} `));
  return 10 * Number(line?.split(/\s+/)[8] ?? 0);
}

/** CPU milliseconds of the whole machine since it began: in use, and taken by its host for others. */
export function machineTimes(): { used: number; stolen: number } {
  const [, user, nice, system, , , irq, softirq, stolen] = (
    readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? ''
  )
    .split(/\s+/)
    .map(Number);
  // In hundredths of a second.
  const used = (user ?? 0) + (nice ?? 0) + (system ?? 0) + (irq ?? 0) + (softirq ?? 0);
  return { used: 10 * used, stolen: 10 * (stolen ?? 0) };
}
