// The batcher with a fake clock and a fake engine: what is batched with what, in which order, and what is dropped.

import { describe, expect, test } from 'vitest';
import { Batcher, type BatchTarget, type BatcherEvents, type Job } from '../../services/inference/batcher.ts';
import { VggError } from '../../vgg/errors.ts';

interface Unit {
  id: string;
  shapeKey: string;
  cost: number;
  views: { length: number };
}

// An engine whose batches end when the test says so.
class ManualTarget implements BatchTarget<Unit, string> {
  readonly batches: { ids: string[]; finish: () => void; fail: (error: Error) => void }[] = [];
  readonly limit: number;

  constructor(limit = 4) {
    this.limit = limit;
  }

  batchLimit(): number {
    return this.limit;
  }

  score(batch: readonly Unit[]): Promise<string[]> {
    return new Promise((resolve, reject) => {
      this.batches.push({
        ids: batch.map(({ id }) => id),
        finish: () => {
          resolve(batch.map(({ id }) => `scores of ${id}`));
        },
        fail: reject,
      });
    });
  }

  get computed(): string[] {
    return this.batches.flatMap(({ ids }) => ids);
  }
}

function setUp(options: { queueViews?: number; limit?: number; concurrency?: number } & BatcherEvents = {}) {
  let clock = 0;
  const soon: (() => void)[] = [];
  const target = new ManualTarget(options.limit);
  const batcher = new Batcher<Unit, string>({
    queueViews: 1000,
    ...options,
    now: () => clock,
    schedule: (run) => soon.push(run),
  });
  return {
    target,
    batcher,
    tick: () => {
      for (const run of soon.splice(0)) run();
    },
    advance: (ms: number) => (clock += ms),
    open: (
      more: {
        rank?: 0 | 1;
        deadline?: number;
        signal?: AbortSignal;
        reserve?: number;
        on?: ManualTarget;
      } = {},
    ) =>
      batcher.open({
        target: more.on ?? target,
        rank: more.rank ?? 0,
        deadline: more.deadline ?? 1e9,
        signal: more.signal ?? new AbortController().signal,
        reserve: more.reserve ?? 0,
      }),
  };
}

const units = (prefix: string, count: number, shapeKey = 'crop', cost = 1): Unit[] =>
  Array.from({ length: count }, (_, i) => ({
    id: `${prefix}${String(i)}`,
    shapeKey,
    cost,
    views: { length: 1 },
  }));

// Lets promises settle; no time passes.
const settle = async () => {
  for (let i = 0; i < 10; i++) await Promise.resolve();
};

async function collect(job: Job<Unit, string>): Promise<string[]> {
  const ids: string[] = [];
  for await (const { unit, scores } of job) {
    expect(scores).toBe(`scores of ${unit.id}`);
    ids.push(unit.id);
  }
  return ids;
}

describe('forming batches', () => {
  test('an idle engine gets what arrived in the same turn, without waiting for a full batch', () => {
    const { target, tick, open } = setUp();
    open().add(units('a', 1));
    open().add(units('b', 1));
    tick();
    expect(target.batches.map(({ ids }) => ids)).toEqual([['a0', 'b0']]);
  });

  test('while the engine is busy units queue, then fill batches up to the limit', async () => {
    const { target, tick, open } = setUp({ limit: 4 });
    open().add(units('a', 1));
    tick();
    open().add(units('b', 6));
    tick();
    expect(target.batches).toHaveLength(1);
    target.batches[0]?.finish();
    await settle();
    tick();
    expect(target.batches[1]?.ids).toEqual(['b0', 'b1', 'b2', 'b3']);
  });

  test('the engine has its next batch before anybody hears of the last one', async () => {
    let heard = 0;
    const { target, tick, open } = setUp({ limit: 1, onBatch: () => (heard = target.batches.length) });
    open().add(units('a', 2));
    tick();
    target.batches[0]?.finish();
    await settle();
    expect(heard).toBe(2);
  });

  test('units of different keys or targets never share a batch', async () => {
    const { target, tick, open } = setUp({ limit: 8 });
    const other = new ManualTarget(8);
    const first = open();
    first.add([...units('a', 2, 'crop'), ...units('d', 1, 'dense')]);
    open({ on: other }).add(units('o', 1, 'crop'));
    for (let i = 0; i < 3; i++) {
      tick();
      for (const { finish } of [...target.batches, ...other.batches]) finish();
      await settle();
    }
    expect(target.batches.map(({ ids }) => ids)).toEqual([['a0', 'a1'], ['d0']]);
    expect(other.batches.map(({ ids }) => ids)).toEqual([['o0']]);
  });

  test('several batches run at once where the engine allows it', () => {
    const { target, tick, open } = setUp({ limit: 1, concurrency: 2 });
    open().add(units('a', 3));
    tick();
    expect(target.batches).toHaveLength(2);
  });
});

describe('fairness', () => {
  test('a job of one view that arrives after one of 150 is in the next batch', async () => {
    const { target, tick, open } = setUp({ limit: 4 });
    open().add(units('big', 150));
    tick();
    open().add(units('small', 1));
    target.batches[0]?.finish();
    await settle();
    tick();
    expect(target.batches[1]?.ids).toContain('small0');
  });

  test('also when both arrive while the engine is busy', async () => {
    const { target, tick, open } = setUp({ limit: 8 });
    open().add(units('busy', 8));
    tick();
    open().add(units('big', 150));
    open().add(units('small', 1));
    target.batches[0]?.finish();
    await settle();
    expect(target.batches[1]?.ids).toEqual(['small0', ...units('big', 7).map(({ id }) => id)]);
  });

  test('equal jobs take turns by batches, so that they end one after the other', async () => {
    const { target, tick, open } = setUp({ limit: 4 });
    open().add(units('a', 8));
    open().add(units('b', 8));
    tick();
    for (let i = 0; i < 4; i++) {
      target.batches.at(-1)?.finish();
      await settle();
    }
    expect(target.batches.map(({ ids }) => [...new Set(ids.map((id) => id[0]))].join(''))).toEqual([
      'a',
      'b',
      'a',
      'b',
    ]);
  });

  test('two large jobs share by cost, not by count', async () => {
    const { target, tick, open } = setUp({ limit: 1 });
    open().add(units('dear', 10, 'crop', 3));
    open().add(units('cheap', 10, 'crop', 1));
    for (let i = 0; i < 8; i++) {
      tick();
      target.batches.at(-1)?.finish();
      await settle();
    }
    const served = target.computed.slice(0, 8);
    expect(served.filter((id) => id.startsWith('cheap'))).toHaveLength(6);
    expect(served.filter((id) => id.startsWith('dear'))).toHaveLength(2);
  });

  test('a job that arrives late does not get the turns that it was not there for', async () => {
    const { target, tick, open } = setUp({ limit: 1 });
    open().add(units('old', 20));
    for (let i = 0; i < 8; i++) {
      tick();
      target.batches.at(-1)?.finish();
      await settle();
    }
    open().add(units('new', 20));
    for (let i = 0; i < 6; i++) {
      tick();
      target.batches.at(-1)?.finish();
      await settle();
    }
    const later = target.computed.slice(8);
    expect(later.filter((id) => id.startsWith('old')).length).toBeGreaterThanOrEqual(2);
  });

  test('batch work waits for interactive work, and fills its batches', async () => {
    const { target, tick, open } = setUp({ limit: 3 });
    open({ rank: 1 }).add(units('bulk', 5));
    open({ rank: 0 }).add(units('user', 2));
    tick();
    expect(target.batches[0]?.ids).toEqual(['user0', 'user1', 'bulk0']);
    target.batches[0]?.finish();
    await settle();
    tick();
    expect(target.batches[1]?.ids).toEqual(['bulk1', 'bulk2', 'bulk3']);
  });
});

describe('answers', () => {
  test('every unit is answered once, with its times', async () => {
    const seen: unknown[] = [];
    const { target, tick, open, advance } = setUp({ limit: 2, onBatch: (batch) => seen.push(batch) });
    const job = open();
    job.add(units('a', 2));
    job.end();
    const answers: object[] = [];
    const reading = (async () => {
      for await (const { unit, ...times } of job) answers.push({ id: unit.id, ...times });
    })();
    advance(5);
    tick();
    advance(20);
    target.batches[0]?.finish();
    await reading;
    expect(answers).toEqual([
      { id: 'a0', scores: 'scores of a0', queueMs: 5, computeMs: 20, batchViews: 2 },
      { id: 'a1', scores: 'scores of a1', queueMs: 5, computeMs: 20, batchViews: 2 },
    ]);
    expect(seen).toEqual([{ units: 2, views: 2, jobs: 1, computeMs: 20 }]);
  });

  test('a job without units ends at once', async () => {
    const job = setUp().open();
    job.end();
    expect(await collect(job)).toEqual([]);
  });

  test('a batch that fails fails its jobs, and nobody else', async () => {
    const { target, tick, open } = setUp({ limit: 2 });
    const bad = open();
    bad.add(units('bad', 2));
    bad.end();
    const good = open();
    tick();
    good.add(units('good', 1));
    good.end();
    const failing = expect(collect(bad)).rejects.toThrow('worker died');
    target.batches[0]?.fail(new VggError('UNAVAILABLE', 'worker died'));
    await failing;
    tick();
    target.batches[1]?.finish();
    expect(await collect(good)).toEqual(['good0']);
  });

  test('an engine that answers too few scores is an error, not a mix-up', async () => {
    const { tick, batcher } = setUp();
    const job = batcher.open({
      target: { batchLimit: () => 4, score: () => Promise.resolve(['only one']) },
      rank: 0,
      deadline: 1e9,
      signal: new AbortController().signal,
      reserve: 0,
    });
    job.add(units('a', 2));
    job.end();
    tick();
    await expect(collect(job)).rejects.toThrow('Expected 2 scores but received 1');
  });
});

describe('what is dropped before it is computed', () => {
  test('units of an aborted job, at once', async () => {
    const dropped: [number, string][] = [];
    const { target, tick, open, batcher } = setUp({
      limit: 2,
      onDropped: (views, code) => dropped.push([views, code]),
    });
    const controller = new AbortController();
    const job = open({ signal: controller.signal });
    job.add(units('a', 6));
    job.end();
    tick();
    expect(batcher.queuedViews).toBe(4);
    controller.abort(new VggError('CANCELLED', 'Client went away'));
    expect(batcher.queuedViews).toBe(0);
    expect(dropped).toEqual([[4, 'CANCELLED']]);
    target.batches[0]?.finish();
    await settle();
    tick();
    expect(target.computed).toEqual(['a0', 'a1']);
    await expect(collect(job)).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  test('units whose deadline has passed, when their turn comes', async () => {
    const { target, tick, open, advance } = setUp();
    const late = open({ deadline: 100 });
    late.add(units('late', 3));
    late.end();
    const inTime = open({ deadline: 1000 });
    inTime.add(units('ok', 1));
    inTime.end();
    advance(100);
    tick();
    expect(target.computed).toEqual(['ok0']);
    await expect(collect(late)).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    target.batches[0]?.finish();
    expect(await collect(inTime)).toEqual(['ok0']);
  });

  test('units of a reader who leaves early', async () => {
    const { target, tick, open, batcher } = setUp({ limit: 1 });
    const job = open();
    job.add(units('a', 5));
    tick();
    target.batches[0]?.finish();
    for await (const { unit } of job) {
      expect(unit.id).toBe('a0');
      break;
    }
    tick();
    expect(batcher.queuedViews).toBe(0);
    expect(target.computed.length).toBeLessThanOrEqual(2);
  });
});

describe('the queue is bounded in views', () => {
  test('more views than places are refused, with a time after which to try again', async () => {
    const { target, tick, open, advance, batcher } = setUp({ queueViews: 10, limit: 2 });
    const job = open();
    job.add(units('a', 4));
    tick();
    advance(1000);
    target.batches[0]?.finish();
    await settle();
    tick();
    job.add(units('b', 10));
    expect(batcher.queuedViews).toBe(10);
    expect(() => {
      job.add(units('c', 1));
    }).toThrow('Expected room for 1 views but 10 of 10 places in the queue are taken');
    try {
      open({ reserve: 1 });
      expect.unreachable();
    } catch (error) {
      // 10 units at 2 a second: half of them are done after 2.5 s.
      expect(error).toMatchObject({ code: 'RESOURCE_EXHAUSTED', retryAfterMs: 2500 });
    }
  });

  test('reserved room is kept, used up by what comes, and given back at the end', () => {
    const { open, batcher } = setUp({ queueViews: 10 });
    const job = open({ reserve: 6 });
    expect(batcher.queuedViews).toBe(6);
    job.add(units('a', 4));
    expect(batcher.queuedViews).toBe(6);
    expect(() => open({ reserve: 5 })).toThrow(VggError);
    job.end();
    expect(batcher.queuedViews).toBe(4);
    open({ reserve: 6 });
    expect(batcher.queuedViews).toBe(10);
  });
});
