// The inference service as a process whose models come from an object store: what it says meanwhile, how it ends.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { packageRoot } from '../../proto/package-root.ts';
import { createClient } from '../../sdk/index.ts';
import { expectModels, objectsOf, PREFIX, SOURCE, threeModels } from '../models/fetch/models.ts';
import { ObjectStore } from '../models/fetch/object-store.ts';

interface Line {
  level: string;
  msg: string;
  address?: string;
  metricsAddress?: string;
}

/** A process, and what it has logged. */
interface Running {
  child: ChildProcess;
  lines: Line[];
  /** The first line with this message. */
  said: (msg: string) => Promise<Line>;
  ended: Promise<[number | null, NodeJS.Signals | null]>;
}

let from: string;
let names: string[];
let store: ObjectStore;
let to: string;
const running: ChildProcess[] = [];

beforeAll(async () => {
  ({ folder: from, names } = await threeModels());
});

afterAll(async () => {
  await rm(from, { recursive: true });
});

beforeEach(async () => {
  store = await ObjectStore.start();
  for (const [name, bytes] of await objectsOf(from, names)) store.objects.set(name, bytes);
  to = await mkdtemp(join(tmpdir(), 'vgg-start-'));
});

afterEach(async () => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
  await store.close();
  await rm(to, { recursive: true });
});

function start(): Running {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(VGG|AWS)_/.test(name));
  const child = spawn(process.execPath, [join(packageRoot, 'dist/services/inference/main.js')], {
    env: {
      ...Object.fromEntries(inherited),
      ...store.env,
      ...{ VGG_INFERENCE_PORT: '0', VGG_INFERENCE_METRICS_PORT: '0', VGG_INFERENCE_THREADS: '1' },
      ...{ VGG_MODELS: to, VGG_MODELS_SOURCE: SOURCE, VGG_INFERENCE_LOAD: names.join(',') },
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  running.push(child);
  const ended = once(child, 'exit') as Running['ended'];
  const lines: Line[] = [];
  const waiting = new Map<string, (line: Line) => void>();
  createInterface(child.stderr).on('line', (text) => {
    if (!text.startsWith('{')) return;
    const line = JSON.parse(text) as Line;
    lines.push(line);
    waiting.get(line.msg)?.(line);
  });
  const said = (msg: string) =>
    Promise.race([
      new Promise<Line>((resolve) => {
        const found = lines.find((line) => line.msg === msg);
        if (found) resolve(found);
        else waiting.set(msg, resolve);
      }),
      ended.then(() => Promise.reject(new Error(`it ended without ${msg}: ${JSON.stringify(lines.at(-1))}`))),
    ]);
  return { child, lines, said, ended };
}

const weightsOf = (name: string | undefined) => `${PREFIX}/${name ?? ''}/weights.safetensors`;
const partial = (name: string | undefined) => join(to, name ?? '', 'weights.safetensors.partial');
const half = (name: string | undefined) => Math.floor((store.objects.get(weightsOf(name))?.length ?? 0) / 2);

// Until half of the weights have come, and no more come.
async function halfway(name: string | undefined): Promise<void> {
  while ((await stat(partial(name)).catch(() => undefined))?.size !== half(name)) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function statusOf(metricsAddress: string | undefined, path: string): Promise<number> {
  return (await fetch(`http://${metricsAddress ?? ''}${path}`)).status;
}

test('killed halfway, it goes on from there; meanwhile it is alive and not ready', async () => {
  const [first] = names;
  store.stalls.set(weightsOf(first), half(first));
  const killed = start();
  await killed.said('listening');
  await halfway(first);
  killed.child.kill('SIGKILL');
  await killed.ended;
  store.asked.length = 0;

  const again = start();
  const { address = '', metricsAddress } = await again.said('listening');
  const client = createClient({ inference: address, retry: false });
  try {
    // The store still holds back the second half.
    expect(await statusOf(metricsAddress, '/healthz')).toBe(200);
    expect(await statusOf(metricsAddress, '/readyz')).toBe(503);
    expect(await client.ready()).toBe(false);
    await expect(client.models()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: 'The models are being loaded',
    });
    again.child.kill('SIGKILL');
    await again.ended;
  } finally {
    client.close();
  }

  store.stalls.clear();
  const third = start();
  await third.said('ready');
  const ranges = store.asked.filter(({ path }) => path === `/${weightsOf(first)}`).map(({ range }) => range);
  expect(ranges.at(-1)).toBe(`bytes=${String(half(first))}-`);
  await expectModels(to, names);
  const where = (await third.said('listening')).metricsAddress ?? '';
  const metrics = await (await fetch(`http://${where}/metrics`)).text();
  for (const phase of ['fetch', 'verify', 'load', 'warm_up', 'measure']) {
    for (const name of names) {
      expect(metrics).toContain(`vgg_inference_start_seconds{phase="${phase}",model="${name}"}`);
    }
  }
  expect(metrics).toMatch(/vgg_inference_start_seconds\{phase="ready",model=""\} [\d.]+/);
  const fetched = Number(/^vgg_inference_fetched_bytes_total (\d+)/m.exec(metrics)?.[1]);
  expect(fetched).toBeGreaterThanOrEqual(half(first));
  third.child.kill('SIGTERM');
  expect(await third.ended).toEqual([0, null]);
});

test('SIGTERM while models come ends it at once, and keeps what came', async () => {
  const [first] = names;
  store.stalls.set(weightsOf(first), half(first));
  const { child, ended, said } = start();
  await said('listening');
  await halfway(first);
  child.kill('SIGTERM');
  expect(await ended).toEqual([143, null]);
  expect((await stat(partial(first))).size).toBe(half(first));
});

test.each([
  [
    'bits that flipped',
    (name: string) => {
      const spoilt = new Uint8Array(store.objects.get(name) ?? []);
      spoilt[100] = (spoilt[100] ?? 0) ^ 1;
      store.objects.set(name, spoilt);
    },
    /^Expected a file with SHA-256 /,
  ],
  [
    'an object that is not there',
    (name: string) => store.objects.delete(name),
    /answered 404 \(NoSuchKey\)$/,
  ],
])('%s: one line, and status 1', async (_, spoil, message) => {
  spoil(weightsOf(names[1]));
  const { lines, ended } = start();
  expect(await ended).toEqual([1, null]);
  const fatal = lines.filter(({ level }) => level === 'fatal');
  expect(fatal).toHaveLength(1);
  expect(fatal[0]?.msg).toMatch(message);
});
