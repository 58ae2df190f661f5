// Processes that die at once, as when a machine is lost: one of two, or both.

import type { ServiceName } from '../../../bench/services.ts';
import { SERVICES } from '../cluster.ts';
import type { Fault, Scene } from '../fault.ts';

/** SIGKILL of one replica, which comes back at the same address. */
export const deaths: Fault[] = SERVICES.map((name) => ({
  name: `kill-${name}`,
  what: `SIGKILL of one of two ${name} processes, started again at the same address`,
  holds:
    name === 'gateway'
      ? 'what it had in hand is asked of the other one by whatever stands before the gateways; all are answered'
      : `its calls are made again at the other one; all are answered`,
  topology: 'direct',
  async run({ cluster, either, inject, tell, wait, pace }: Scene) {
    const replica = either(name);
    inject(`SIGKILL of ${name} ${String(replica.place)}`);
    await replica.process.kill();
    await wait(pace.holdMs);
    await cluster.restart(replica);
    tell(`${name} ${String(replica.place)} is back`);
  },
}));

const BOTH: ServiceName[] = ['preprocess', 'inference', 'aggregator'];

/** SIGKILL of both replicas. */
export const outages: Fault[] = BOTH.map((name) => ({
  name: `outage-${name}`,
  what: `SIGKILL of both ${name} processes, started again`,
  holds: 'UNAVAILABLE (HTTP 503) until one of them is back, and nothing after that; retries stay within their budget',
  topology: 'direct',
  mayFail: ['UNAVAILABLE'],
  async run({ cluster, inject, wait, pace, tell }: Scene) {
    const replicas = cluster.of(name);
    inject(`SIGKILL of both ${name}`);
    await Promise.all(replicas.map(({ process }) => process.kill()));
    await wait(pace.holdMs);
    await Promise.all(replicas.map((replica) => cluster.restart(replica)));
    tell(`both ${name} are back`);
    // Callers wait up to 5 s before they try an address again.
    await wait(RECONNECT_MS);
  },
}));

const RECONNECT_MS = 6000;
