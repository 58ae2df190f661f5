// Networks that are slow, that cut connections, or that stop carrying anything without a word.

import type { ServiceName } from '../../../bench/services.ts';
import type { Replica } from '../cluster.ts';
import type { Fault, Scene } from '../fault.ts';
import type { Proxy, Road } from '../proxy.ts';

const BEHIND: ServiceName[] = ['preprocess', 'inference', 'aggregator'];
const CUT_EVERY_MS = 400;
// Load comes by chance: at a few requests a second a replica may be left out for seconds.
const FOUND_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 200;

// Any replica that calls go to, by chance.
function anyBehind({ either, random }: Scene): Replica & { proxy: Proxy } {
  const replica = either(BEHIND[random.integer(BEHIND.length)] ?? 'inference');
  if (!replica.proxy) throw new Error('Expected a proxy before it');
  return { ...replica, proxy: replica.proxy };
}

const slow = (name: string, what: string, road: Road): Fault => ({
  name,
  what: `${what} between one process and its callers`,
  holds: 'answers are late, none is lost, and nothing is done twice',
  topology: 'proxied',
  async run(scene) {
    const { name, place, proxy } = anyBehind(scene);
    scene.inject(`${what}: ${name} ${String(place)}`);
    proxy.slow(road);
    await scene.wait(scene.pace.holdMs);
    proxy.heal();
  },
});

/** What a network does. */
export const networks: Fault[] = [
  slow('slow-latency', '200 ms each way', { delayMs: 200 }),
  slow('slow-bandwidth', '64 KiB a second', { bytesPerSecond: 64 * 1024 }),
  {
    name: 'cut',
    what: 'every connection to one process is cut, by a reset or in the middle of a message, again and again',
    holds: 'calls are made again; all are answered',
    topology: 'proxied',
    async run(scene) {
      const { name, place, proxy } = anyBehind(scene);
      scene.inject(`cuts every ${String(CUT_EVERY_MS)} ms: ${name} ${String(place)}`);
      for (let left = scene.pace.holdMs; left > 0; left -= CUT_EVERY_MS) {
        proxy.cut(scene.random.integer(2) === 0 ? 'reset' : 'end');
        await scene.wait(CUT_EVERY_MS);
      }
    },
  },
  {
    name: 'half-open',
    what: 'the host of one process is gone without a word: what is sent to it is never answered, connections stay open',
    holds:
      'new calls go to the other one; those that it had are made again once it is taken for lost; all are answered',
    topology: 'proxied',
    async run(scene) {
      const { name, place, proxy } = anyBehind(scene);
      scene.inject(`silence: ${name} ${String(place)}`);
      proxy.silence();
      await scene.wait(scene.pace.silenceMs + scene.pace.holdMs);
      proxy.heal();
      // What was cut off must be found again; what it still answers of old calls is over by then.
      await scene.wait(scene.pace.silenceMs);
      const before = await served(scene, name, place);
      for (let waited = 0; (await served(scene, name, place)) === before; waited += LOOK_EVERY_MS) {
        if (waited >= FOUND_WITHIN_MS) {
          scene.violated(`${name} ${String(place)} is not asked again in ${String(FOUND_WITHIN_MS)} ms`);
          break;
        }
        await scene.wait(LOOK_EVERY_MS);
      }
    },
  },
];

// Calls of a replica that were answered.
async function served({ cluster }: Scene, name: ServiceName, place: number): Promise<number> {
  return (await cluster.of(name)[place]?.process.metric('vgg_rpc_requests_total', 'code="OK"')) ?? 0;
}
