// A run that is interrupted goes on as if it had not been; what is no checkpoint is not taken for one.

import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkSameRecipe, openCheckpoint, writeCheckpoint } from '../../services/trainer/checkpoint.ts';
import { smallNetwork, smallRecipe, tensorsOf, train } from './small-network.ts';
import { describeComputing } from './tensorflow.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vgg-checkpoint-'));
});
afterAll(() => rm(folder, { recursive: true }));

const facts = { recipe: smallRecipe(), position: { epoch: 2, batch: 7 }, classes: ['naïve café', '猫'] };

describeComputing('a checkpoint', (tf) => {
  test('goes on to the bits of a run that was not interrupted', async () => {
    const whole = await smallNetwork(tf, { network: 'B' });
    const first = await smallNetwork(tf, { network: 'B' });
    const path = join(folder, 'resumed.safetensors');
    train(whole, 3);
    train(first, 3);
    first.keepBest();
    whole.keepBest();
    await writeCheckpoint(path, first, facts);
    // Half a batch is lost with the process, and is not missed.
    first.accumulate({ pixels: new Float32Array(64 * 64 * 3).fill(9), classes: Int32Array.of(1) });
    first.dispose();

    const second = await smallNetwork(tf, { network: 'B', seed: 1 });
    second.variables.write('conv1_1.weight', new Float32Array(3 * 3 * 3 * 2).fill(7));
    const opened = await openCheckpoint<typeof facts>(path);
    await opened?.restore(second);
    expect(opened?.facts).toEqual(facts);
    expect(second.progress).toEqual({ updates: 3, uncalibrated: [] });
    expect(tensorsOf(second)).toEqual(tensorsOf(whole));
    expect(train(second, 3)).toEqual(train(whole, 3));
    expect(tensorsOf(second)).toEqual(tensorsOf(whole));
    expect(second.variables.read('best/fc8.bias')).not.toEqual(second.variables.read('fc8.bias'));
    for (const network of [second, whole]) network.dispose();
    expect((await readdir(folder)).filter((name) => name.endsWith('.partial'))).toEqual([]);
  });

  test('cut anywhere is refused', async () => {
    const network = await smallNetwork(tf);
    const path = join(folder, 'whole.safetensors');
    await writeCheckpoint(path, network, facts);
    const bytes = await readFile(path);
    for (const length of [0, 7, 8, 100, bytes.length >> 1, bytes.length - 1]) {
      const cut = join(folder, 'cut.safetensors');
      await writeFile(cut, bytes.subarray(0, length));
      await expect(openCheckpoint(cut), String(length)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    network.dispose();
  });

  test('a write that was interrupted leaves the one before', async () => {
    const network = await smallNetwork(tf);
    const path = join(folder, 'kept.safetensors');
    await writeCheckpoint(path, network, facts);
    await writeFile(`${path}.partial`, 'half of the next one');
    expect((await openCheckpoint<typeof facts>(path))?.facts.position).toEqual(facts.position);
    const next = { ...facts, position: { epoch: 3, batch: 0 } };
    await writeCheckpoint(path, network, next);
    expect((await openCheckpoint<typeof facts>(path))?.facts.position.epoch).toBe(3);
    network.dispose();
  });

  test('of another network is refused, by what differs', async () => {
    const network = await smallNetwork(tf);
    const path = join(folder, 'other.safetensors');
    await writeCheckpoint(path, network, facts);
    const opened = await openCheckpoint(path);
    for (const [changes, message] of [
      [{ network: 'B' }, 'a checkpoint of network B but received A'],
      [{ hidden: 13 }, 'a checkpoint of hidden 13 but received 12'],
      [{ batchNorm: false }, 'a checkpoint of batchNorm false but received true'],
    ] as const) {
      const other = await smallNetwork(tf, changes);
      await expect(opened?.restore(other)).rejects.toThrow(message);
      other.dispose();
    }
    network.dispose();
  });

  test('is missing, or is other safetensors', async () => {
    expect(await openCheckpoint(join(folder, 'none'))).toBeUndefined();
    const header = Buffer.from('{}      ');
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const path = join(folder, 'weights.safetensors');
    await writeFile(path, Buffer.concat([length, header]));
    await expect(openCheckpoint(path)).rejects.toThrow('Expected a training checkpoint');
  });
});

test('a recipe that differs from the run’s is named', () => {
  const recipe = smallRecipe();
  expect(() => {
    checkSameRecipe(recipe, { ...recipe });
    checkSameRecipe(recipe, { ...recipe, epochs: 99 }, ['epochs']);
  }).not.toThrow();
  expect(() => {
    checkSameRecipe(recipe, { ...recipe, scales: [64, 80] });
  }).toThrow('Expected scales [73,146], as the run began but received [64,80] (scales)');
  expect(() => {
    checkSameRecipe(recipe, { ...recipe, from: { model: 'a', layers: 'all' } });
  }).toThrow('Expected from none, as the run began');
});
