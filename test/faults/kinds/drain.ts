// Processes that are told to end while a hundred requests are in flight at them.

import type { ServiceName } from '../../../bench/services.ts';
import { askerOf } from '../asker.ts';
import { SERVICES } from '../cluster.ts';
import type { Fault, Scene } from '../fault.ts';

const IN_FLIGHT = 100;

/** SIGTERM of one replica under load, with a hundred more requests that only it can answer. */
export const drains: Fault[] = SERVICES.map((name) => ({
  name: `drain-${name}`,
  what: `SIGTERM of one of two ${name} processes with 100 requests in flight at it, started again`,
  holds: 'the 100 are answered by it, without being asked again; it exits with 0; all others are answered',
  topology: 'direct',
  async run(scene: Scene) {
    const { cluster, truth, either, inject, tell, wait, pace, violated } = scene;
    const replica = either(name);
    const asker = await askerOf(replica, cluster, truth);
    const answers: Promise<boolean>[] = [];
    const send = (count: number) => {
      for (let i = 0; i < count; i++) answers.push(asker.ask());
    };
    // Others are answered while the last ones arrive: they are made up for.
    let [most, flying] = [0, 0];
    for (let round = 0; round < 100 && flying < IN_FLIGHT; round++) {
      send(IN_FLIGHT + 10 - flying);
      do {
        most = flying;
        flying = await replica.process.metric(...inFlight(name));
      } while (flying > most && flying < IN_FLIGHT);
    }
    inject(`SIGTERM of ${name} ${String(replica.place)} with ${String(flying)} in flight`);
    if (flying < IN_FLIGHT) violated(`only ${String(flying)} requests were in flight`);
    const status = await replica.process.stop();
    const outcomes = await Promise.allSettled(answers);
    const right = outcomes.filter((each) => each.status === 'fulfilled' && each.value).length;
    const refused = outcomes.filter((each) => each.status === 'rejected').map((each) => String((each as PromiseRejectedResult).reason));
    tell(`${String(right)} of ${String(outcomes.length)} answered, exit status ${String(status)}`);
    if (right < outcomes.length)
      violated(`${String(outcomes.length - right)} of ${String(outcomes.length)} were not answered: ${refused[0] ?? 'wrong'}`);
    if (status !== 0) violated(`${name} ended with ${String(status)}`);
    asker.close();
    await wait(pace.holdMs);
    await cluster.restart(replica);
    tell(`${name} ${String(replica.place)} is back`);
  },
}));

function inFlight(name: ServiceName): [string, string?] {
  return name === 'gateway' ? ['vgg_http_in_flight'] : ['vgg_rpc_in_flight', METHODS[name]];
}

const METHODS: Record<Exclude<ServiceName, 'gateway'>, string> = {
  preprocess: 'PreprocessService/Prepare',
  inference: 'InferenceService/Score',
  aggregator: 'AggregatorService/Classify',
};
