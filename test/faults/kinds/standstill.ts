// Processes that stand still: their connections are open, their host takes what is sent to them, and nothing answers.

import { SERVICES } from '../cluster.ts';
import type { Fault, Scene } from '../fault.ts';

/** SIGSTOP of one replica for longer than others take it for lost, then SIGCONT. */
export const standstills: Fault[] = SERVICES.map((name) => ({
  name: `stop-${name}`,
  what: `SIGSTOP of one of two ${name} processes, SIGCONT later`,
  holds:
    name === 'gateway'
      ? 'it is taken out by its health check, and what it had in hand is asked of the other one; all are answered'
      : 'new calls go to the other one; those that it had are made again once it is taken for lost; all are answered',
  topology: 'direct',
  async run({ either, inject, wait, pace, tell }: Scene) {
    const replica = either(name);
    inject(`SIGSTOP of ${name} ${String(replica.place)}`);
    replica.process.signal('SIGSTOP');
    await wait(pace.silenceMs + pace.holdMs);
    replica.process.signal('SIGCONT');
    tell('SIGCONT');
  },
}));
