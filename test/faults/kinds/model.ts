// Weights that are not what they were when a replica starts again.

import { open, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fault, Scene } from '../fault.ts';
import { modelsOf } from '../topologies.ts';

const WEIGHTS = 'weights.safetensors';
const JSON_FILE = 'model.json';

// Spoils a model: which file, how, and what its replica must say when it refuses to start.
interface Spoiling {
  name: string;
  what: string;
  file: string;
  says: RegExp;
  spoil: (file: string, scene: Scene) => Promise<void>;
}

const SPOILINGS: Spoiling[] = [
  {
    name: 'model-flipped',
    what: 'one bit of the weights of a replica is not what it was',
    file: WEIGHTS,
    says: /Expected weights with SHA-256 [0-9a-f]{64} but received [0-9a-f]{64}/,
    async spoil(path, { random }) {
      const { size } = await stat(path);
      const file = await open(path, 'r+');
      // Among the values: the second half of the file.
      const at = size - 1 - random.integer(size >> 1);
      const byte = Buffer.alloc(1);
      await file.read(byte, 0, 1, at);
      byte[0] = (byte[0] ?? 0) ^ (1 << random.integer(8));
      await file.write(byte, 0, 1, at);
      await file.close();
    },
  },
  {
    name: 'model-truncated',
    what: 'the weights of a replica end too early',
    file: WEIGHTS,
    says: /Expected .*but received/,
    async spoil(path, { random }) {
      const { size } = await stat(path);
      await truncate(path, random.integer(size));
    },
  },
  {
    name: 'model-digest',
    what: 'model.json of a replica has another SHA-256 than its weights',
    file: JSON_FILE,
    says: /Expected weights with SHA-256 0{64} but received [0-9a-f]{64}/,
    async spoil(path) {
      const text = await readFile(path, 'utf8');
      await writeFile(path, text.replace(/"sha256": "[0-9a-f]{64}"/, `"sha256": "${'0'.repeat(64)}"`));
    },
  },
];

/** A replica of inference that dies and starts again with a model that was spoilt. */
export const models: Fault[] = SPOILINGS.map(({ name, what, file, says, spoil }) => ({
  name,
  what: `${what} when it starts again`,
  holds: 'it says what is wrong and does not start; the other one answers; with the right file it starts',
  topology: 'direct',
  async run(scene: Scene) {
    const { cluster, either, inject, wait, pace, tell, violated } = scene;
    const replica = either('inference');
    const path = join(modelsOf.get(cluster)?.(replica.place) ?? '', file);
    const whole = await readFile(path);
    inject(`inference ${String(replica.place)}`);
    await replica.process.kill();
    await spoil(path, scene);
    const said = await cluster.restart(replica).then(
      () => 'nothing, and started',
      (error: unknown) => String(error),
    );
    if (!says.test(said)) violated(`Expected it to refuse its model but it said ${said}`);
    else tell(says.exec(said)?.[0] ?? '');
    await wait(pace.holdMs);
    await writeFile(path, whole);
    if (!said.startsWith('nothing')) await cluster.restart(replica);
    tell('the right file is back');
  },
}));
