// Fetching models, over sockets, from an object store that checks signatures.

import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fetchModels, type FetchedModel } from '../../../models/fetch.ts';
import { isSource, openSource } from '../../../models/fetch/source.ts';
import { TestClock } from '../file-host.ts';
import { expectModels, objectsOf, PREFIX, SOURCE, threeModels } from './models.ts';
import { ObjectStore } from './object-store.ts';

let from: string;
let names: string[];
let store: ObjectStore;
let to: string;
const before = { ...process.env };

beforeAll(async () => {
  ({ folder: from, names } = await threeModels());
});

afterAll(async () => {
  await rm(from, { recursive: true });
});

beforeEach(async () => {
  store = await ObjectStore.start();
  Object.assign(process.env, store.env);
  for (const [name, bytes] of await objectsOf(from, names)) store.objects.set(name, bytes);
  to = await mkdtemp(join(tmpdir(), 'vgg-fetch-to-'));
});

afterEach(async () => {
  process.env = { ...before };
  await store.close();
  await rm(to, { recursive: true });
});

async function fetchAll(wanted: readonly string[], options: { atOnce?: number; source?: string } = {}) {
  const { source = SOURCE, ...rest } = options;
  const fetched = fetchModels(wanted, {
    ...{ source: await openSource(source), directory: to, clock: new TestClock() },
    ...rest,
  });
  const settled = await Promise.allSettled(fetched.values());
  const failures = settled.flatMap((each) => (each.status === 'rejected' ? [each.reason as Error] : []));
  if (failures[0]) throw failures[0];
  return settled.map((each) => (each as PromiseFulfilledResult<FetchedModel>).value);
}

const weightsOf = (name = names[0] ?? '') => `${PREFIX}/${name}/weights.safetensors`;

describe('a store that has them', () => {
  test.each([1, 2])('several models, %i at a time', async (atOnce) => {
    const fetched = await fetchAll(names, { atOnce });
    await expectModels(to, names);
    expect(store.most).toBe(atOnce);
    for (const [place, name] of names.entries()) {
      expect(fetched[place]?.transferred).toBe(store.objects.get(weightsOf(name))?.length);
    }
  });

  test('weights that are there and right do not come again; those that are wrong do', async () => {
    await fetchAll(names);
    const [first = ''] = names;
    await writeFile(join(to, first, 'weights.safetensors'), 'something else');
    store.asked.length = 0;
    const again = await fetchAll(names);
    expect(again.map(({ transferred }) => transferred > 0)).toEqual([true, false, false]);
    expect(store.asked.filter(({ path }) => path.endsWith('.safetensors'))).toHaveLength(1);
    await expectModels(to, names);
  });

  test('a model that changed replaces the one that is there', async () => {
    const [first = '', second = ''] = names;
    await fetchAll([first]);
    // The same name, other weights.
    const json = JSON.parse(await readFile(join(from, second, 'model.json'), 'utf8')) as object;
    store.objects.set(`${PREFIX}/${first}/model.json`, Buffer.from(JSON.stringify({ ...json, name: first })));
    store.objects.set(weightsOf(first), await readFile(join(from, second, 'weights.safetensors')));
    await fetchAll([first]);
    await expectModels(to, [first]);
    expect(await readFile(join(to, first, 'weights.safetensors'))).toEqual(
      await readFile(join(from, second, 'weights.safetensors')),
    );
  });

  test('a web server needs no signature', async () => {
    store.signed = false;
    await fetchAll(names, { source: `${store.endpoint}/${PREFIX}/` });
    await expectModels(to, names);
  });

  test('two who fetch into one folder: one waits, and both have it', async () => {
    const both = await Promise.all([fetchAll(names), fetchAll(names)]);
    await expectModels(to, names);
    expect(store.asked.filter(({ path }) => path.endsWith('.safetensors'))).toHaveLength(names.length);
    expect(both.flat()).toHaveLength(2 * names.length);
  });
});

describe('what is wrong is one error', () => {
  const failing = (wanted = names) => fetchAll(wanted).catch((error: unknown) => error);

  test('bits that flipped: nothing of the file stays, and the others end', async () => {
    const [first = ''] = names;
    const spoilt = new Uint8Array(store.objects.get(weightsOf(first)) ?? []);
    spoilt[spoilt.length - 1] = (spoilt.at(-1) ?? 0) ^ 1;
    store.objects.set(weightsOf(first), spoilt);
    expect(await failing([first])).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(
        /^Expected a file with SHA-256 \w{64} but received .*it is removed$/,
      ) as string,
    });
    expect(await readdir(join(to, first))).not.toContain('model.json');
    expect(await readdir(join(to, first))).not.toContain('weights.safetensors.partial');
  });

  test('more bytes than the network has numbers', async () => {
    store.objects.set(weightsOf(), new Uint8Array(20e6));
    expect(await failing()).toMatchObject({ code: 'TOO_LARGE' });
  });

  test.each([
    ['a model.json that is none', 'model.json', '{', /model\.json|JSON/],
    ['labels of another number', 'labels.txt', 'one\ntwo\n', /labels/],
  ])('%s', async (_, file, text, message) => {
    store.objects.set(`${PREFIX}/${names[0] ?? ''}/${file}`, Buffer.from(text));
    expect(await failing()).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(message) as string,
    });
  });

  test('the model.json of another model', async () => {
    const [first = '', second = ''] = names;
    const other = store.objects.get(`${PREFIX}/${second}/model.json`);
    if (other) store.objects.set(`${PREFIX}/${first}/model.json`, other);
    expect(await failing([first])).toMatchObject({
      message: expect.stringContaining(`but received ${second} (name)`) as string,
    });
  });

  test.each([
    ['no such object', {}, 'NOT_FOUND', '404 (NoSuchKey)'],
    [
      'another secret',
      { AWS_SECRET_ACCESS_KEY: 'wrong' },
      'PERMISSION_DENIED',
      '403 (SignatureDoesNotMatch)',
    ],
    ['another key', { AWS_ACCESS_KEY_ID: 'AKIAOTHER' }, 'PERMISSION_DENIED', '403 (InvalidAccessKeyId)'],
  ])('%s: what the store says', async (_, env, code, said) => {
    Object.assign(process.env, env);
    store.objects.clear();
    expect(await failing()).toMatchObject({ code, message: expect.stringContaining(said) as string });
    expect(store.asked.length).toBeLessThanOrEqual(names.length);
  });

  test('no credentials', async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'])
      Reflect.deleteProperty(process.env, name);
    // Neither the user's files nor a machine's profile are asked.
    Object.assign(process.env, {
      ...{ AWS_EC2_METADATA_DISABLED: 'true' },
      ...{ AWS_CONFIG_FILE: '/nowhere', AWS_SHARED_CREDENTIALS_FILE: '/nowhere' },
    });
    expect(await failing()).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(store.asked).toEqual([]);
  });

  const root = process.getuid?.() === 0;
  test.skipIf(!root)(
    `a disk that is full${root ? '' : ' (needs root, for a small file system)'}`,
    async () => {
      expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', to]).status).toBe(0);
      try {
        expect(await failing()).toMatchObject({
          code: 'RESOURCE_EXHAUSTED',
          message: expect.stringContaining('but it is full (ENOSPC)') as string,
        });
      } finally {
        spawnSync('umount', [to]);
      }
      expect((await stat(to)).isDirectory()).toBe(true);
    },
  );

  test('a name that is none reaches no store', async () => {
    expect(await failing(['../elsewhere'])).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(store.asked).toEqual([]);
  });
});

test.each([
  ['s3://bucket', true],
  ['s3://bucket/a/b/', true],
  ['https://host:8443/models', true],
  ['s3://', false],
  ['s3:///prefix', false],
  ['file:///models', false],
  ['https://user:secret@host/models', false],
  ['https://host/models?token=x', false],
  ['bucket/prefix', false],
])('%s: a source is %s', async (text, is) => {
  expect(isSource(text)).toBe(is);
  if (!is) await expect(openSource(text)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});
