// What an engine does when its worker dies: really, by ending its thread while it has work.

import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { randomModel } from '../../../bench/random-model.ts';
import { openModel, type OpenModel } from '../../../models/store.ts';
import type { Engine, EngineHealth, EngineModel } from '../../../services/inference/engine.ts';
import type { EngineOptions } from '../../../services/inference/worker/engine.ts';
import type { Envelope } from '../../../services/inference/worker/messages.ts';
import { noisePlane, PLAIN, scoreViews, viewOf } from './fixtures.ts';
import { copyModel } from './weights-files.ts';

const SPEC = { network: 'A', width: 1 / 32, hidden: 8, classes: 5, inputSize: 32 } as const;

/** What both engines' options have in common. */
type Options = EngineOptions & { spawn?: (settings: object) => Worker };

/**
 * Registers the tests for an engine.
 *
 * @param start starts the engine
 * @param entry its worker's file
 */
export function engineDeaths(start: (options: Options) => Promise<Engine>, entry: URL): void {
  let folder: string;
  let model: OpenModel;
  const plane = noisePlane(40, 36);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vgg-onnx-'));
    model = await openModel(await randomModel(SPEC, folder));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** Starts workers, and ends one as soon as it has been given one of the next `deaths` score requests. */
  function killer() {
    const state = { deaths: 0, spawned: 0 };
    const spawn = (settings: object) => {
      state.spawned++;
      const worker = new Worker(entry, { workerData: settings });
      const post = worker.postMessage.bind(worker);
      worker.postMessage = (envelope: Envelope) => {
        // The batch goes down with the worker: a worker that dies after it was told might still answer.
        if (envelope.kind === 'score' && state.deaths > 0) {
          state.deaths--;
          void worker.terminate();
        } else {
          post(envelope);
        }
      };
      return worker;
    };
    return { state, spawn };
  }

  async function posterior(loaded: EngineModel): Promise<Float32Array | undefined> {
    return (await scoreViews(loaded, plane, [viewOf(plane)]))[0]?.posterior;
  }

  async function withEngine(options: Options, body: (engine: Engine) => Promise<void>): Promise<void> {
    const engine = await start({ threads: 1, ...options });
    try {
      await body(engine);
    } finally {
      await engine.close();
    }
  }

  test('one death: the batch is answered by the replacement, which has all models', async () => {
    const { state, spawn } = killer();
    const seen: EngineHealth[] = [];
    const reasons: string[] = [];
    let engine: Engine | undefined;
    const onFailure = (reason: Error) => {
      reasons.push(reason.message);
      if (engine) seen.push(engine.health());
    };
    await withEngine({ spawn, onFailure }, async (started) => {
      engine = started;
      const [a, b] = [await started.load(model), await started.load({ ...model, name: 'another' })];
      const expected = await posterior(a);
      state.deaths = 1;
      expect(await posterior(a)).toEqual(expected);
      expect(await posterior(b)).toEqual(expected);
      expect(state.spawned).toBe(2);
      expect(seen).toEqual([{ ready: false, reason: 'The engine died and is being replaced' }]);
      expect(reasons).toEqual([expect.stringContaining('ended with status')]);
      expect(started.health()).toEqual({ ready: true });
    });
    expect(reasons).toHaveLength(1);
  });

  test('a batch that sees two deaths fails cleanly; the next one is answered', async () => {
    const { state, spawn } = killer();
    await withEngine({ spawn }, async (engine) => {
      const loaded = await engine.load(model);
      state.deaths = 2;
      await expect(posterior(loaded)).rejects.toMatchObject({
        name: 'VggError',
        code: 'UNAVAILABLE',
        message: 'The engine died twice while it computed this batch',
      });
      expect(await posterior(loaded)).toHaveLength(5);
      expect(state.spawned).toBe(3);
      expect(engine.health()).toEqual({ ready: true });
    });
  });

  test('all batches under way are tried again, each is answered once', async () => {
    const { state, spawn } = killer();
    await withEngine({ spawn }, async (engine) => {
      const loaded = await engine.load(model);
      const units = [0, 1, 2, 3].map((x) =>
        loaded.plan(plane, [viewOf(plane, { index: x, x, width: 32, height: 32 })], PLAIN),
      );
      const calm = await Promise.all(units.map((batch) => loaded.score(batch)));
      state.deaths = 1;
      expect(await Promise.all(units.map((batch) => loaded.score(batch)))).toEqual(calm);
      expect(state.spawned).toBe(2);
    });
  });

  test('a replacement that cannot load its models is not ready, says why, and is tried again later', async () => {
    const { state, spawn } = killer();
    const later: { run: () => void; ms: number }[] = [];
    const schedule = (run: () => void, ms: number) => {
      later.push({ run, ms });
      return () => undefined;
    };
    await withEngine({ spawn, schedule }, async (engine) => {
      const copy = await copyModel(model, join(folder, 'moving'));
      const loaded = await engine.load(copy);
      const expected = await posterior(loaded);
      await rename(copy.weightsPath, `${copy.weightsPath}.away`);
      state.deaths = 1;
      await expect(posterior(loaded)).rejects.toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: 1000 });
      expect(engine.health()).toMatchObject({
        ready: false,
        reason: expect.stringContaining('cannot read') as string,
      });
      later[0]?.run();
      await expect(posterior(loaded)).rejects.toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: 2000 });
      await rename(`${copy.weightsPath}.away`, copy.weightsPath);
      later[1]?.run();
      expect(await posterior(loaded)).toEqual(expected);
      expect(engine.health()).toEqual({ ready: true });
      expect(later.map(({ ms }) => ms)).toEqual([1000, 2000]);
    });
  });

  test('a worker that dies while it has nothing to do is replaced before anybody asks', async () => {
    const workers: Worker[] = [];
    const spawn = (settings: object) => {
      const worker = new Worker(entry, { workerData: settings });
      workers.push(worker);
      return worker;
    };
    let onFailure: ((reason: Error) => void) | undefined;
    const death = new Promise<Error>((resolve) => {
      onFailure = resolve;
    });
    await withEngine({ spawn, ...(onFailure && { onFailure }) }, async (engine) => {
      const loaded = await engine.load(model);
      const expected = await posterior(loaded);
      await workers[0]?.terminate();
      expect((await death).message).toContain('ended with status');
      expect(workers).toHaveLength(2);
      expect(await posterior(loaded)).toEqual(expected);
    });
  });

  test('an engine whose worker does not start fails once, and leaves nothing scheduled', async () => {
    let calledOff = 0;
    const spawn = () => new Worker('throw new Error("no library")', { eval: true, stderr: true });
    const schedule = () => () => {
      calledOff++;
    };
    await expect(start({ spawn, schedule })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(calledOff).toBe(1);
  });

  test('closing answers what is under way, then nothing; closing again does no harm', async () => {
    const engine = await start({ threads: 1 });
    const loaded = await engine.load(model);
    const underWay = posterior(loaded);
    const closing = engine.close();
    expect(engine.health()).toEqual({ ready: false, reason: 'The engine is closed' });
    await expect(posterior(loaded)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: 'The engine is closed',
    });
    expect(await underWay).toHaveLength(5);
    await Promise.all([closing, engine.close()]);
    await expect(engine.load(model)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
}
