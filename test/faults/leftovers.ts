// What is left in the processes after the load: calls, views, planes, open files. Knows metrics by name.

import { readdir } from 'node:fs/promises';
import { BACKLOG, RETRIES } from '../../services/aggregator/metrics.ts';
import { IN_FLIGHT, RETRIES as GATEWAY_RETRIES } from '../../services/gateway/metrics.ts';
import { RPC_IN_FLIGHT } from '../../services/host/metrics.ts';
import { PLANE_BYTES, QUEUED } from '../../services/inference/metrics.ts';
import type { ServiceName } from '../../bench/services.ts';
import type { Cluster } from './cluster.ts';

// What is zero where nothing is under way.
const EMPTY: Record<ServiceName, string[]> = {
  preprocess: [RPC_IN_FLIGHT],
  inference: [RPC_IN_FLIGHT, QUEUED, PLANE_BYTES],
  aggregator: [RPC_IN_FLIGHT, BACKLOG],
  gateway: [IN_FLIGHT],
};

// The question itself is in flight at a gateway.
const ASKING: Partial<Record<string, number>> = { [IN_FLIGHT]: 1 };

const POLL_MS = 100;

/** What has not come back to zero within the time, a line each. */
export async function leftovers(cluster: Cluster, patienceMs: number): Promise<string[]> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const left = await held(cluster);
    if (left.length === 0 || performance.now() > until) return left;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function held(cluster: Cluster): Promise<string[]> {
  const lines = cluster.replicas.map(async ({ name, place, process }) => {
    const values = await Promise.all(
      EMPTY[name].map(async (metric) => ({ metric, value: await process.metric(metric) })),
    );
    return values
      .filter(({ metric, value }) => value > (ASKING[metric] ?? 0))
      .map(({ metric, value }) => `${name} ${String(place)}: ${metric} is ${String(value)}`);
  });
  return (await Promise.all(lines)).flat();
}

/** Open files by process id; nothing on systems that do not tell. */
export async function openFiles(cluster: Cluster): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  for (const { process } of cluster.replicas) {
    const files = await readdir(`/proc/${String(process.pid)}/fd`).catch(() => undefined);
    if (files) counts.set(process.pid, files.length);
  }
  return counts;
}

// Connections come and go: so many more are no leak, which grows with every fault.
const MORE_FILES = 16;

/** Processes that have many more open files than before, a line each. */
export function leaks(cluster: Cluster, before: Map<number, number>, after: Map<number, number>): string[] {
  return cluster.replicas.flatMap(({ name, place, process: { pid } }) => {
    const [was, is] = [before.get(pid), after.get(pid)];
    if (was === undefined || is === undefined || is <= was + MORE_FILES) return [];
    return [`${name} ${String(place)}: ${String(is)} open files, ${String(was)} before`];
  });
}

/** Calls that were begun again, by the processes that run. */
export async function retries(cluster: Cluster): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  for (const { name, process } of cluster.replicas) {
    const metric = name === 'aggregator' ? RETRIES : name === 'gateway' ? GATEWAY_RETRIES : undefined;
    if (metric) counts.set(process.pid, await process.metric(metric));
  }
  return counts;
}
