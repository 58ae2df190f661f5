// Which targets are one process, what each is called, and how much CPU and memory it takes: several services may
// share a process, and each of them tells of it. Knows the process metrics of Prometheus' clients.

import { REQUESTS } from '../../services/gateway/metrics.ts';
import { READY } from '../../services/host/metrics.ts';
import type { ServerSide } from '../result.ts';
import { increases, valueIn, type Reading } from './increase.ts';

/** The readings of one address, in the order of time. */
export interface Target {
  url: URL;
  readings: readonly Reading[];
}

const CPU = 'process_cpu_seconds_total';
const STARTED = 'process_start_time_seconds';
const MEMORY = 'process_resident_memory_bytes';
const MIB = 1024 * 1024;
// Two readings of one process at one time differ by what it did between them.
const SAME_SECONDS = 0.05;

/** CPU and memory by process; only of targets that tell of them. */
export function cpuByProcess(targets: readonly Target[]): ServerSide['cpu'] {
  const groups: Target[][] = [];
  for (const target of targets) {
    if (!target.readings.some((each) => valueIn(each, CPU) !== undefined)) continue;
    const group = groups.find(([first]) => first && isSameProcess(first, target));
    if (group) group.push(target);
    else groups.push([target]);
  }
  const names = groups.map((group) => group.map(nameOf).join(' + '));
  return groups.flatMap((group, i) => {
    const [first] = group;
    if (!first) return [];
    const { seconds, sum } = increases(first.readings);
    const alone = names.filter((name) => name === names[i]).length === 1;
    return [
      {
        process: alone ? (names[i] ?? '') : `${names[i] ?? ''} ${first.url.host}`,
        cores: seconds > 0 ? sum(CPU) / seconds : 0,
        residentMiB: Math.max(0, ...first.readings.map((each) => (valueIn(each, MEMORY) ?? 0) / MIB)),
      },
    ];
  });
}

// The service, by what only it says; else where it is.
function nameOf({ url, readings }: Target): string {
  for (const { samples } of readings) {
    for (const { name, labels } of samples.values()) {
      if (name === READY && labels['service'] !== undefined) return labels['service'];
      if (name === REQUESTS) return 'gateway';
    }
  }
  return url.host;
}

// Processes have no name in their metrics. One process has one start, and one counter of CPU: read through two
// targets in turn, it never falls.
function isSameProcess(a: Target, b: Target): boolean {
  const starts = [a, b].map(({ readings }) => readings.map((each) => valueIn(each, STARTED)));
  if (a.url.hostname !== b.url.hostname || new Set(starts.flat()).size !== 1) return false;
  const both = [...a.readings, ...b.readings].sort((one, other) => one.at - other.at);
  let most = 0;
  for (const each of both) {
    const cpu = valueIn(each, CPU) ?? NaN;
    if (!(cpu >= most - SAME_SECONDS)) return false;
    most = Math.max(most, cpu);
  }
  return true;
}
