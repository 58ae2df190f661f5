// A machine whose clock is set an hour ahead, and back again.

import { SERVICES } from '../cluster.ts';
import type { Fault } from '../fault.ts';

/** Of one replica of each service. */
export const clocks: Fault[] = SERVICES.map((name) => ({
  name: `clock-${name}`,
  what: `the clock of one ${name} process jumps an hour ahead, later an hour back`,
  holds: 'nothing is late and nothing lasts longer: all are answered, none is done twice',
  topology: 'direct',
  async run({ either, inject, wait, pace, tell, cluster, violated }) {
    const replica = either(name);
    const before = await cluster.sum('aggregator', 'vgg_aggregator_retries_total');
    inject(`an hour ahead: ${name} ${String(replica.place)}`);
    replica.process.signal('SIGUSR2');
    await wait(pace.holdMs);
    replica.process.signal('SIGUSR2');
    tell('an hour back');
    await wait(pace.holdMs);
    const after = await cluster.sum('aggregator', 'vgg_aggregator_retries_total');
    if (after > before) violated(`${String(after - before)} calls were made again`);
  },
}));
