// Names that cannot be resolved any more.

import { networkInterfaces } from 'node:os';
import type { Fault, Scene } from '../fault.ts';
import { nameServerOf } from '../topologies.ts';

const RECONNECT_MS = 6000;

function withoutAddresses(): string | undefined {
  const linux = process.platform === 'linux' && Object.keys(networkInterfaces()).includes('lo');
  return linux ? undefined : 'only Linux has 127.0.0.2 without being told';
}

function serverOf({ cluster }: Scene) {
  const server = nameServerOf.get(cluster);
  if (!server) throw new Error('Expected a name server');
  return server;
}

/** The name server is gone. */
export const names: Fault[] = [
  {
    name: 'names-gone',
    what: 'the name server is gone (dns:// targets); meanwhile one inference process dies and comes back',
    holds: 'addresses that are known stay in use, also after connections were lost; all are answered',
    topology: 'names',
    missing: withoutAddresses,
    async run(scene) {
      const { cluster, either, inject, tell, wait, pace } = scene;
      const server = serverOf(scene);
      const replica = either('inference');
      inject('the name server is gone');
      await server.close();
      await wait(pace.holdMs / 2);
      tell(`SIGKILL of inference ${String(replica.place)}`);
      await replica.process.kill();
      await wait(pace.holdMs / 2);
      await cluster.restart(replica);
      await wait(RECONNECT_MS);
      await server.open();
    },
  },
  {
    name: 'names-start',
    what: 'an aggregator process is started again while the name server is gone',
    holds:
      'what comes to it is UNAVAILABLE, or made again at the other one; once names are resolved again it recovers by itself',
    topology: 'names',
    mayFail: ['UNAVAILABLE'],
    missing: withoutAddresses,
    async run(scene) {
      const { cluster, either, inject, tell, wait, pace, violated } = scene;
      const server = serverOf(scene);
      const replica = either('aggregator');
      inject(`the name server is gone, aggregator ${String(replica.place)} starts again`);
      await server.close();
      await replica.process.stop();
      await cluster.restart(replica);
      await wait(pace.holdMs);
      await server.open();
      tell('the name server is back');
      await wait(RECONNECT_MS);
      const before = await replica.process.metric('vgg_aggregator_answers_total');
      await wait(pace.holdMs);
      if ((await replica.process.metric('vgg_aggregator_answers_total')) === before)
        violated('an aggregator that was started without names answers nothing');
    },
  },
];
