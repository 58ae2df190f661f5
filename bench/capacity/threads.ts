// CPU time of a process by thread, as Linux counts it in nanoseconds. Knows /proc; not what threads do.

import { readFileSync, readdirSync } from 'node:fs';

/** CPU milliseconds since a process began: of its JavaScript thread, and of all its others. */
export interface ThreadTimes {
  main: number;
  others: number;
}

/** Reads them now. */
export function threadTimes(pid: number): ThreadTimes {
  let main = 0;
  let others = 0;
  for (const thread of readdirSync(`/proc/${String(pid)}/task`)) {
    let ms: number;
    try {
      const text = readFileSync(`/proc/${String(pid)}/task/${thread}/schedstat`, 'utf8');
      ms = Number(text.split(' ')[0]) / 1e6;
    } catch {
      continue; // It has ended meanwhile.
    }
    if (Number(thread) === pid) main += ms;
    else others += ms;
  }
  return { main, others };
}

/** What was used between two readings. */
export function used(before: ThreadTimes, after: ThreadTimes): ThreadTimes {
  return { main: after.main - before.main, others: after.others - before.others };
}

/** CPU milliseconds of a core that the machine's host took for others, since it began; no thread's time has them. */
export function stolenTime(core: string): number {
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
