// Checkpoints in every publisher's layout, imported and asked over the whole road: the posterior of the centre
// crop is the one that the publishing library gives with its own preprocessing.

import { existsSync, mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startStack, type Stack } from '../../../cli/stack.ts';
import { importWeights, type Imported } from '../../../models/import.ts';
import { openModel, sha256OfFile } from '../../../models/store.ts';
import { packageRoot } from '../../../proto/package-root.ts';
import { createClient, type VggClient } from '../../../sdk/index.ts';
import { parameterCount, type NetworkName } from '../../../vgg/index.ts';
import { largestDifference } from '../../inference/engine-conformance/fixtures.ts';

interface Expected {
  network: NetworkName;
  batchNorm: boolean;
  center_crop: number[];
}

const GOLDEN = join(packageRoot, 'test/golden');
const TOLERANCE = 1e-4;

const cases = readdirSync(join(GOLDEN, 'checkpoints')).flatMap((publisher) => {
  const folder = join(GOLDEN, 'checkpoints', publisher);
  if (!existsSync(join(folder, 'expected.json'))) return [];
  const expectations = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Record<
    string,
    Expected
  >;
  return Object.entries(expectations).map(([file, expected]) => ({
    file: `${publisher}/${file}`,
    path: join(folder, file),
    name: `${publisher}-${file}`.toLowerCase(),
    expected,
  }));
});

let stack: Stack;
let client: VggClient;
const models = mkdtempSync(join(tmpdir(), 'vgg-parity-'));
const imported = new Map<string, Imported>();

// Many models, each of which is measured.
beforeAll(async () => {
  for (const { path, name } of cases) imported.set(name, await importWeights(path, { name, to: models }));
  stack = await startStack({ models, logLevel: 'silent' });
  client = createClient({ aggregator: stack.aggregator.address });
}, 240_000);

afterAll(async () => {
  client.close();
  await stack.close();
  await rm(models, { recursive: true });
});

describe.each(cases)('$file', ({ path, name, expected: { network, batchNorm, center_crop: posterior } }) => {
  test('answers as its publisher does', async () => {
    const answer = await client.classify(join(GOLDEN, 'photo.png'), {
      models: [name],
      protocol: 'CENTER_CROP',
      scales: [256],
      posterior: true,
    });
    expect(answer.networks).toEqual([network]);
    expect(largestDifference(answer.posterior ?? [], posterior)).toBeLessThan(TOLERANCE);
  });

  test('says where it comes from, and no number is lost', async () => {
    const { folder, spec, read, changes } = imported.get(name) ?? expect.unreachable();
    const { json, tensors } = await openModel(folder, { verify: true });
    expect(json.source).toMatchObject({ file: path.split('/').at(-1), sha256: await sha256OfFile(path) });
    expect(tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)).toBe(
      parameterCount(spec),
    );
    expect(changes.some((change) => change.startsWith('batch normalisation'))).toBe(batchNorm);
    // Besides weights and biases, batch normalisation has four numbers a channel; one of six may lack biases.
    const body = tensors.filter((each) => /^conv.*bias$/.test(each.name));
    const channels = body.reduce((sum, { shape: [outputs = 0] }) => sum + outputs, 0);
    const whole = parameterCount(spec) + (batchNorm ? 4 * channels : 0);
    expect([whole, whole - channels]).toContain(read.elements);
  });
});
