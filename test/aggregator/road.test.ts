// The road with upstreams that fail when the test says so: what is tried again, what is shared, what is counted.

import { describe, expect, test } from 'vitest';
import { RETRY_BUDGET } from '../../sdk/retry.ts';
import { VggError } from '../../vgg/errors.ts';
import { FakeUpstream, facts, limits, lost, travel } from './fake-upstream.ts';

test('every view is scored once and weighs what it should', async () => {
  const upstream = new FakeUpstream(facts('d'));
  const { road, retries } = await travel(upstream);
  expect(road.tally).toMatchObject({ done: 20, total: 20 });
  expect(upstream.scored[0]?.views).toEqual(Array.from({ length: 20 }, (_, i) => i));
  expect(road.tally.posterior()[0]).toBeCloseTo(0.095, 6); // mean of 0 … 0.19
  expect(road.tally.times()).toEqual({ queueMs: 2, computeMs: 40 });
  expect(retries).toEqual([]);
});

test.each([
  [{}, 'AUTO'],
  [{ share: 'OFF' }, 'OFF'],
] as const)(
  'asked with %j, every call to inference says share %s, one that is begun again too',
  async (asked, share) => {
    const upstream = new FakeUpstream(facts('d'), facts('e'));
    upstream.onScore = (call, count) => {
      if (call === 1 && count === 3) throw lost();
    };
    await travel(upstream, { models: ['d', 'e'], evaluation: { protocol: 'TEN_CROP', ...asked } });
    expect(upstream.scored.map((each) => each.share)).toEqual([share, share, share]);
  },
);

describe('a lost call', () => {
  test('to inference is begun again with just the views that are missing', async () => {
    const upstream = new FakeUpstream(facts('d'));
    upstream.onScore = (call, count) => {
      if (call === 1 && count === 13) throw lost();
    };
    const { road, retries } = await travel(upstream);
    expect(retries).toEqual(['score: connection lost']);
    expect(upstream.scored.map(({ views }) => views.length)).toEqual([13, 7]);
    expect(road.tally.posterior()[0]).toBeCloseTo(0.095, 6);
  });

  test('to preprocess is begun again; planes that came are not taken twice', async () => {
    const upstream = new FakeUpstream(facts('d'));
    upstream.onPlane = (call, plane) => {
      if (call === 1 && plane === 1) throw lost();
    };
    const { road, retries } = await travel(upstream);
    expect(retries).toEqual(['prepare: connection lost']);
    expect(upstream.scored[0]?.views).toHaveLength(20);
    expect(road.planes.get('d')?.map(({ index }) => index)).toEqual([0, 1]);
  });

  test('is given up after so many attempts', async () => {
    const upstream = new FakeUpstream(facts('d'));
    upstream.onScore = () => {
      throw lost();
    };
    await expect(travel(upstream)).rejects.toThrow('connection lost');
    expect(upstream.scored).toHaveLength(3);
  });

  test('is not begun again once all photos together have used the budget up', async () => {
    const upstream = new FakeUpstream(facts('d'));
    upstream.onScore = () => {
      throw lost();
    };
    const retriers = limits().retriers;
    let begun = 0;
    for (let photo = 0; photo < 200; photo++) {
      await expect(travel(upstream, {}, undefined, retriers)).rejects.toThrow('connection lost');
      begun = upstream.scored.length;
    }
    expect(begun).toBe(200 + RETRY_BUDGET.burst);
  });

  test('that ends without all scores counts as lost', async () => {
    const upstream = new FakeUpstream(facts('d'));
    upstream.score = async function* () {
      yield await Promise.resolve({
        view: 0,
        posterior: new Float32Array([1, 0]),
        queueMs: 0,
        computeMs: 0,
        batchViews: 1,
      });
    };
    await expect(travel(upstream)).rejects.toThrow(
      /scores of views that were sent|Expected 20 scores but received/,
    );
  });
});

test('what cannot be mended is not tried again', async () => {
  const upstream = new FakeUpstream(facts('d'));
  upstream.onScore = () => {
    throw new VggError('RESOURCE_EXHAUSTED', 'queue full');
  };
  await expect(travel(upstream)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  expect(upstream.scored).toHaveLength(1);
});

test('a failure of one stage ends the others', async () => {
  const upstream = new FakeUpstream(facts('a'), facts('b'));
  upstream.onPlane = (_, plane) => {
    if (plane === 1) throw new VggError('INVALID_ARGUMENT', 'truncated');
  };
  await expect(travel(upstream, { models: ['a', 'b'] })).rejects.toThrow('truncated');
});

test('an abort ends the road with its own reason', async () => {
  const controller = new AbortController();
  const upstream = new FakeUpstream(facts('d'));
  upstream.onScore = (_, count) => {
    if (count === 5) controller.abort(new VggError('CANCELLED', 'The client went away'));
  };
  await expect(travel(upstream, {}, controller.signal)).rejects.toThrow('The client went away');
  expect(upstream.scored).toHaveLength(1);
});

describe('several models', () => {
  test('share the planes if they agree on them, and their posteriors are averaged', async () => {
    const upstream = new FakeUpstream(facts('d'), facts('sure', { network: 'E' }));
    const { road } = await travel(upstream, { models: ['d', 'sure'] });
    expect(upstream.prepared).toHaveLength(1);
    expect(road.tally.done).toBe(40);
    expect(road.tally.posterior()[0]).toBeCloseTo((0.095 + 1) / 2, 6);
  });

  test('have planes of their own if they do not', async () => {
    const upstream = new FakeUpstream(facts('d'), facts('other', { scales: [48] }));
    const { road } = await travel(upstream, { models: ['d', 'other'] });
    expect(upstream.prepared.map(({ evaluation }) => evaluation.scales)).toEqual([[32, 40], [48]]);
    expect(road.tally.done).toBe(30);
  });

  test.each([
    [['d', 'd'], 'Expected each model once but received d (models[1])'],
    [['d', 'none'], 'no none'],
    [['d', 'birds'], 'Expected models with the classes of d but received birds (models[1])'],
    [['d', 'd', 'd', 'd', 'd'], 'Expected at most 4 models but received 5 (models)'],
  ])('%j is refused', async (models, message) => {
    const upstream = new FakeUpstream(facts('d'), facts('birds', { labels: ['crow', 'owl'] }));
    await expect(travel(upstream, { models })).rejects.toThrow(message);
    expect(upstream.prepared).toEqual([]);
  });
});

test('options are checked against the model before anything is sent', async () => {
  const upstream = new FakeUpstream(facts('d'));
  await expect(travel(upstream, { evaluation: { scales: [31] } })).rejects.toThrow(
    'Expected scales ≥ 32 but received 31 (scales[0])',
  );
  await expect(travel(upstream, { evaluation: { protocol: 'MULTI_CROP', grid: 16 } })).rejects.toThrow(
    'Expected at most 512 views but received 1024 (evaluation)',
  );
  expect(upstream.prepared).toEqual([]);
});
