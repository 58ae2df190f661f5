// Processes that are told to end while a hundred requests are in flight at them.

import type { ServiceName } from '../../../bench/services.ts';
import { askerOf } from '../asker.ts';
import { SERVICES } from '../cluster.ts';
import type { Fault, Scene } from '../fault.ts';

const IN_FLIGHT = 100;
// A few more, as some are answered at once.
const SENT = 140;
const ROUNDS = 20;
// What comes after SIGTERM.
const REFUSED =
  /The server is shutting down|The connection could not be made or was lost: connect ECONNREFUSED/;

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
    const answers: Promise<string>[] = [];
    let over = 0;
    const one = async () => {
      const what = await asker.ask().then((right) => (right ? 'right' : 'wrong'), String);
      over++;
      return what;
    };
    // Some may be answered before the last ones arrive: they are made up for.
    let flying = 0;
    for (let round = 0; round < ROUNDS && flying < IN_FLIGHT; round++) {
      const missing = SENT - (answers.length - over);
      for (let i = 0; i < missing; i++) answers.push(one());
      while (flying < IN_FLIGHT && answers.length - over >= IN_FLIGHT)
        flying = await replica.process.metric(...inFlight(name));
    }
    inject(`SIGTERM of ${name} ${String(replica.place)} with ${String(flying)} in flight`);
    if (flying < IN_FLIGHT) violated(`only ${String(flying)} requests were in flight`);
    const status = await replica.process.stop();
    const outcomes = await Promise.all(answers);
    const right = outcomes.filter((each) => each === 'right').length;
    // It had not taken them: their caller asks elsewhere.
    const refused = outcomes.filter((each) => REFUSED.test(each)).length;
    const others = outcomes.filter((each) => each !== 'right' && !REFUSED.test(each));
    tell(
      `${String(right)} of ${String(outcomes.length)} answered, ${String(refused)} not taken, exit status ${String(status)}`,
    );
    if (right < IN_FLIGHT) violated(`only ${String(right)} were answered`);
    if (others.length > 0)
      violated(
        `${String(others.length)} of ${String(outcomes.length)} were not answered: ${others[0] ?? ''}`,
      );
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
