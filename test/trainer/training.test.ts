// Whole runs on a few photos: what they leave behind, and that an interruption changes nothing.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { openModel } from '../../models/store.ts';
import { packageRoot } from '../../proto/package-root.ts';
import type { Recipe } from '../../services/trainer/recipe.ts';
import { train, type TrainingOptions, type TrainingProgress } from '../../services/trainer/training.ts';
import { photoFolder, scratchFolder, smallRecipe } from './photos/folders.ts';
import { describeComputing } from './tensorflow.ts';

const SMALL: Partial<Recipe> = {
  ...{ width: 1 / 32, hidden: 8, batchNorm: true, epochs: 3, learningRate: 0.02, validation: 0.25 },
  ...{ dropout: 0.3, balance: 0.5, labelSmoothing: 0.1, schedule: 'cosine', warmUp: 1 },
};

async function optionsOf(
  more: Partial<TrainingOptions> = {},
  recipe: Partial<Recipe> = {},
): Promise<TrainingOptions> {
  const folder = scratchFolder();
  return {
    photos: more.photos ?? (await photoFolder([14, 9, 11])),
    run: join(folder, 'run'),
    recipe: smallRecipe({ ...SMALL, ...recipe }),
    resume: false,
    model: {
      name: 'small',
      to: join(folder, 'models'),
      dtype: 'F32',
      licence: 'CC0-1.0',
      provenance: 'noise',
    },
    threads: 1,
    cacheBytes: 2 ** 24,
    ...more,
  };
}

const weightsOf = (folder: string) => readFile(join(folder, 'weights.safetensors'));

describeComputing('a run', (tf) => {
  test('leaves a model, a log, curves and its recipe', async () => {
    const seen: TrainingProgress[] = [];
    const options = await optionsOf({ onProgress: (each) => seen.push(each) });
    const { folder, best, epochs } = await train(tf, options);
    expect(epochs).toBe(3);
    const model = await openModel(folder, { verify: true });
    expect(model.spec).toMatchObject({ network: 'A', width: 1 / 32, hidden: 8, classes: 3, inputSize: 32 });
    expect(model.json).toMatchObject({ scales: [36, 42, 48], licence: 'CC0-1.0', provenance: 'noise' });
    expect(model.labels).toHaveLength(3);
    const log = readFileSync(join(options.run, 'log.jsonl'), 'utf8').trim().split('\n');
    const lines = log.map((line) => JSON.parse(line) as { epoch: number; validation: { top1: number } });
    expect(lines.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    expect(best.top1).toBe(Math.min(...lines.map(({ validation }) => validation.top1)));
    expect(JSON.parse(readFileSync(join(options.run, 'recipe.json'), 'utf8'))).toEqual(options.recipe);
    expect(readFileSync(join(options.run, 'curves.svg'), 'utf8')).toMatch(/^<svg /);
    expect(readdirSync(join(options.run, 'tensorboard')).sort()).toEqual(['training', 'validation']);
    const heldOut = readFileSync(join(options.run, 'held-out.csv'), 'utf8').trim().split('\n');
    expect(heldOut).toHaveLength(1 + Math.round(14 / 4) + Math.round(9 / 4) + Math.round(11 / 4));
    for (const line of heldOut.slice(1)) {
      const [file = '', label] = line.split(',');
      expect(file.split('/')[0]).toBe(label);
      expect(existsSync(join(options.photos, file))).toBe(true);
    }
    expect(seen.filter(({ kind }) => kind === 'epoch')).toHaveLength(3);
    expect(readdirSync(options.run).filter((name) => name.includes('partial'))).toEqual([]);
  });

  test('ended by a signal in the middle of an epoch, it goes on to the same weights and the same log', async () => {
    const whole = await optionsOf();
    const uninterrupted = await train(tf, whole);
    for (const stopAt of [1, 4]) {
      const controller = new AbortController();
      let batches = 0;
      const broken = await optionsOf({
        photos: whole.photos,
        signal: controller.signal,
        onProgress: ({ kind }) => {
          if (kind === 'batch' && ++batches === stopAt) controller.abort(new Error('enough'));
        },
      });
      await expect(train(tf, broken)).rejects.toThrow('enough');
      expect(existsSync(broken.model.to)).toBe(false);
      const { photos, run, recipe, model, threads, cacheBytes } = broken;
      const resumed = await train(tf, { photos, run, recipe, model, threads, cacheBytes, resume: true });
      expect((await weightsOf(resumed.folder)).equals(await weightsOf(uninterrupted.folder))).toBe(true);
      expect(resumed.best).toEqual(uninterrupted.best);
      expect(lossesOf(broken.run)).toEqual(lossesOf(whole.run));
    }
  });

  test('a run that is there is not overwritten, nor gone on with by another recipe or other photos', async () => {
    const options = await optionsOf({}, { epochs: 1 });
    await train(tf, options);
    const model = { ...options.model, name: 'second' };
    await expect(train(tf, options)).rejects.toThrow('a name that is not taken');
    await expect(train(tf, { ...options, model })).rejects.toThrow(
      'a run folder without a checkpoint, or to resume it',
    );
    const other = { ...options.recipe, momentum: 0.8 };
    await expect(train(tf, { ...options, model, resume: true, recipe: other })).rejects.toThrow(
      'Expected momentum 0.9, as the run began but received 0.8 (momentum)',
    );
    const photos = await photoFolder([14, 9, 12]);
    await expect(train(tf, { ...options, model, resume: true, photos })).rejects.toThrow(
      'the photos that the run began with',
    );
    const longer = { ...options.recipe, epochs: 2 };
    expect((await train(tf, { ...options, model, resume: true, recipe: longer })).epochs).toBe(2);
  });

  test('a loss that is no number ends it with advice', async () => {
    const options = await optionsOf(
      {},
      { batchNorm: false, learningRate: 10, warmUp: 0, initialisation: 'kaiming' },
    );
    await expect(train(tf, options)).rejects.toThrow(
      /Expected a finite loss but received (NaN|Infinity) in epoch \d, batch \d+: lower the learning rate/,
    );
    expect(existsSync(options.model.to)).toBe(false);
  });

  test('fine-tuning begins with all of another model, pre-training with its first layers', async () => {
    const first = await train(tf, await optionsOf({}, { epochs: 1 }));
    const notes: string[] = [];
    const onProgress = (each: TrainingProgress) => {
      if (each.kind === 'note') notes.push(each.text);
    };
    const from = (layers: 'first-layers' | 'all') => ({ epochs: 1, from: { model: first.folder, layers } });
    await train(tf, await optionsOf({ onProgress }, from('all')));
    expect(notes).toContainEqual(
      expect.stringMatching(/^Begins with conv1_1, conv2_1, conv3_1, .*fc8 of another/),
    );
    notes.length = 0;
    await train(tf, await optionsOf({ onProgress }, { ...from('first-layers'), network: 'B' }));
    expect(notes).toContainEqual(
      'Begins with conv1_1, conv2_1, conv3_1, conv3_2, fc6, fc7, fc8 of another model',
    );
  });

  test('killed, the command goes on to the same result', { timeout: 120_000 }, async () => {
    const photos = await photoFolder([14, 9, 11]);
    const folder = scratchFolder();
    const recipe = join(folder, 'recipe.json');
    writeFileSync(recipe, JSON.stringify(smallRecipe({ ...SMALL, epochs: 20 })));
    const command = (run: string, ...more: string[]) =>
      spawn(
        process.execPath,
        [
          join(packageRoot, 'dist/cli/main.js'),
          'train',
          photos,
          '--recipe',
          recipe,
          '--run',
          run,
          '--to',
          run,
          ...more,
        ],
        { stdio: 'ignore' },
      );
    const whole = join(folder, 'whole');
    expect(await once(command(whole), 'exit')).toEqual([0, null]);
    const broken = join(folder, 'broken');
    const victim = command(broken);
    const log = join(broken, 'log.jsonl');
    const ended = once(victim, 'exit');
    await vi.waitUntil(() => existsSync(log) && readFileSync(log, 'utf8').split('\n').length > 3, {
      timeout: 60_000,
      interval: 5,
    });
    victim.kill('SIGKILL');
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(existsSync(join(broken, 'trained'))).toBe(false);
    expect(await once(command(broken, '--resume'), 'exit')).toEqual([0, null]);
    const [a, b] = await Promise.all([whole, broken].map((run) => weightsOf(join(run, 'trained'))));
    expect(a?.equals(b ?? Buffer.alloc(0))).toBe(true);
  });
});

function lossesOf(run: string): unknown[] {
  const lines = readFileSync(join(run, 'log.jsonl'), 'utf8').trim().split('\n');
  return lines.map((line) => {
    const { loss, error, validation } = JSON.parse(line) as Record<string, unknown>;
    return { loss, error, validation };
  });
}
