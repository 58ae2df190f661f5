// Which targets are one process, what each is called, and how much CPU and memory it takes: several services may
// share a process, and each of them tells of it. Knows the process metrics of Prometheus' clients.

import { REQUESTS } from '../../services/gateway/metrics.ts';
import { READY } from '../../services/host/metrics.ts';
import type { ServerSide } from '../result.ts';
import { increases, processOf, valueIn, type Reading } from './increase.ts';

/** The readings of one address, in the order of time. */
export interface Target {
  url: URL;
  readings: readonly Reading[];
}

const CPU = 'process_cpu_seconds_total';
const MEMORY = 'process_resident_memory_bytes';
const MIB = 1024 * 1024;

/** CPU and memory by process; only of targets that tell of them. */
export function cpuByProcess(targets: readonly Target[]): ServerSide['cpu'] {
  const byId = new Map<string, Target[]>();
  for (const target of targets) {
    if (!target.readings.some((each) => valueIn(each, CPU) !== undefined)) continue;
    const last = target.readings.at(-1);
    const id = (last && processOf(last)) ?? target.url.href;
    byId.set(id, [...(byId.get(id) ?? []), target]);
  }
  const groups = [...byId.values()];
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
