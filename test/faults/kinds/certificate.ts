// A certificate that expires: while its service runs, and at the next start.

import { withoutOpenssl } from '../certificates.ts';
import type { Fault, Scene } from '../fault.ts';
import { authorityOf } from '../topologies.ts';

const SECOND_MS = 1000;
const LASTS_MS = 3 * SECOND_MS;

/** Of one replica of inference. */
export const certificates: Fault[] = [
  {
    name: 'certificate',
    what: 'the certificate of one inference process expires while it runs; it is started again with the expired one, then with a new one',
    holds:
      'connections that are open go on; new ones are refused by the callers, who go to the other one; with a new certificate it is asked again; all are answered',
    topology: 'tls',
    missing: withoutOpenssl,
    async run({ cluster, either, inject, tell, wait, pace, violated }: Scene) {
      const replica = either('inference');
      const authority = authorityOf.get(cluster);
      if (!authority) throw new Error('Expected an authority');
      const { place } = replica;
      // Connections that live briefly, so that new ones are made after it has expired.
      const env = { VGG_INFERENCE_CONNECTION_AGE: '1s' };
      const again = async () => {
        await replica.process.stop();
        await cluster.restart(replica, { env });
      };
      const answered = () => replica.process.metric('vgg_rpc_requests_total', 'code="OK"');
      const started = Date.now();
      authority.sign('inference', place, started + LASTS_MS);
      inject(`inference ${String(place)}, its certificate ends in ${String(LASTS_MS / SECOND_MS)} s`);
      await again();
      await wait(started + LASTS_MS + SECOND_MS - Date.now());
      tell('it has expired');
      await wait(pace.holdMs);
      await again();
      tell('started again with the expired one');
      const before = await answered();
      await wait(pace.holdMs);
      if ((await answered()) > before) violated('a process with an expired certificate is asked');
      authority.sign('inference', place, Date.now() + 24 * 3600 * SECOND_MS);
      await again();
      tell('started again with a new one');
      // Callers wait up to 5 s before they try an address again.
      await wait(RECONNECT_MS);
      if ((await answered()) === 0) violated('a process with a new certificate is not asked');
    },
  },
];

const RECONNECT_MS = 6000;
