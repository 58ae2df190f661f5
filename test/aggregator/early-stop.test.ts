// A road that ends when the answer is known: what is sent, in which order, what is cancelled, and what is answered.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answerOf } from '../../services/aggregator/answer.ts';
import { VggError } from '../../vgg/errors.ts';
import { topK } from '../../vgg/scores.ts';
import { PROTOCOLS, type Evaluation } from '../../vgg/views.ts';
import { FakeUpstream, facts, lost, travel } from './fake-upstream.ts';

const TEN: Partial<Evaluation> = { protocol: 'TEN_CROP', stop: 'EXACT' };
const DENSE: Partial<Evaluation> = { protocol: 'DENSE', scales: [32, 40, 48], stop: 'EXACT' };
const ALL = { top: 2, posterior: true, viewScores: true };

const sure = (...names: string[]) => {
  const upstream = new FakeUpstream(...names.map((name) => facts(name)));
  upstream.cat = () => 1;
  return upstream;
};
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe('views are sent', () => {
  test('until the rest cannot change the first class: one more than half if all agree', async () => {
    const upstream = sure('d');
    const { road } = await travel(upstream, { evaluation: TEN });
    expect(upstream.scored).toMatchObject([{ views: range(0, 11), left: false }]);
    expect(answerOf(road, ALL, 0)).toMatchObject({ views: 11, viewsTotal: 20 });
  });

  test('from small planes to large ones, whatever the order of the scales', async () => {
    const upstream = sure('d');
    const { road } = await travel(upstream, { evaluation: { ...TEN, scales: [48, 32, 40] } });
    expect(upstream.scored[0]?.views).toEqual(range(10, 26));
    expect(answerOf(road, ALL, 0)).toMatchObject({ scales: [48, 32, 40], views: 16, viewsTotal: 30 });
    expect(upstream.prepared[0]?.evaluation.scales).toEqual([48, 32, 40]);
  });

  test('all, where nothing is ever certain', async () => {
    const upstream = new FakeUpstream(facts('d'));
    upstream.cat = () => 0.5;
    const { road } = await travel(upstream, { evaluation: TEN });
    expect(upstream.scored[0]?.views).toHaveLength(20);
    expect(answerOf(road, ALL, 0)).toMatchObject({ views: 20, viewsTotal: 20 });
  });

  test('all, unless that is asked for', async () => {
    const upstream = sure('d');
    const { road } = await travel(upstream, { evaluation: { ...TEN, stop: 'NONE' } });
    expect(upstream.scored[0]?.views).toEqual(range(0, 20));
    expect(answerOf(road, ALL, 0)).toMatchObject({ views: 20 });
    expect(answerOf(road, ALL, 0)).not.toHaveProperty('viewsTotal');
  });

  test('never more than a decision needs, but for a last part of a fifteenth', async () => {
    const upstream = sure('d');
    const { road } = await travel(upstream, {
      evaluation: { protocol: 'MULTI_CROP', scales: [40, 48, 56], stop: 'EXACT' },
    });
    // 75 are half; of the ten sent next the first decides, and the others are cancelled.
    expect(upstream.scored).toMatchObject([{ views: range(0, 76), left: true }]);
    expect(road.tally.done).toBe(76);
  });
});

test('the answer is the mean of the views taken, and names them', async () => {
  const upstream = new FakeUpstream(facts('d'));
  upstream.cat = (_, view) => (view < 10 ? 1 : 0.75);
  const { road } = await travel(upstream, { evaluation: TEN });
  const { predictions = [], posterior, viewScores, views } = answerOf(road, ALL, 0);
  // After n more of weight 1/20 the lead is 10 + n/2, the rest 10 − n.
  expect(views).toBe(11);
  expect(viewScores?.map(({ view }) => view?.index)).toEqual(range(0, 11));
  const cat = (10 + 0.75) / 11;
  expect(predictions[0]?.score).toBeCloseTo(cat, 6);
  expect(new Float64Array((posterior as Buffer).buffer)[1]).toBeCloseTo(1 - cat, 6);
  expect(road.tally.times()).toEqual({ queueMs: 2, computeMs: 22 });
});

describe('several models', () => {
  test('stop together, by the bound on their mean', async () => {
    const upstream = new FakeUpstream(facts('a'), facts('b'));
    upstream.cat = (model) => (model === 'a' ? 1 : 0.2);
    const { road } = await travel(upstream, { models: ['a', 'b'], evaluation: TEN });
    // Equal models take turns by plane. After a and b at 32 cats lead by 0.25 + 0.05 − 0.2, and half is to come; then
    // of a's views eight are a draw, nine a decision.
    expect(road.tally.models.map(({ done }) => done)).toEqual([19, 10]);
    const { predictions } = answerOf(road, ALL, 0);
    expect(predictions?.[0]).toMatchObject({ label: 'cat', score: expect.closeTo(21 / 29, 6) as number });
  });

  test('that contradict each other are never decided', async () => {
    const upstream = new FakeUpstream(facts('a'), facts('b'));
    upstream.cat = (model) => Number(model === 'a');
    const { road } = await travel(upstream, { models: ['a', 'b'], evaluation: TEN });
    expect(road.tally.done).toBe(40);
  });

  test('go by their cost: of the dear one is asked what is missing to more than half', async () => {
    const upstream = new FakeUpstream(facts('dear', { macs: 9e6 }), facts('cheap'));
    upstream.cat = () => 1;
    const { road } = await travel(upstream, { models: ['dear', 'cheap'], evaluation: TEN });
    const [dear = NaN, cheap = NaN] = road.tally.models.map(({ done }) => done);
    expect(dear + cheap).toBe(21);
    // Two views are sent at least.
    expect([1, 2]).toContain(dear);
    expect(upstream.scored.map(({ model }) => model)).toEqual(['cheap', 'dear']);
    // What it says weighs what it weighs, not as much as all of the other's.
    expect(road.tally.posterior()[0]).toBeCloseTo(1, 12);
  });

  test('of which one is not needed: it is not called', async () => {
    const upstream = new FakeUpstream(facts('a'), facts('b'), facts('large', { macs: 9e6 }));
    upstream.cat = () => 1;
    const { road } = await travel(upstream, { models: ['a', 'b', 'large'], evaluation: TEN });
    expect(road.tally).toMatchObject({ done: 31, total: 60 });
    expect(upstream.scored.map(({ model }) => model)).toEqual(['a', 'b']);
    expect(answerOf(road, ALL, 0)).toMatchObject({ models: ['a', 'b', 'large'], views: 31, viewsTotal: 60 });
  });

  test('while models are unevenly done, each has the weight of what it scored', async () => {
    const upstream = new FakeUpstream(facts('large', { macs: 9e6 }), facts('small'));
    upstream.cat = (model) => (model === 'small' ? 0.9 : 0);
    const { road } = await travel(upstream, { models: ['large', 'small'], evaluation: TEN });
    const [large = NaN, small = NaN] = road.tally.models.map(({ done }) => done);
    expect(small).toBe(20);
    expect(large).toBeLessThan(20);
    expect(road.tally.posterior()[0]).toBeCloseTo((0.9 * small) / (large + small), 6);
    expect(answerOf(road, ALL, 0).predictions?.[0]).toMatchObject({ label: 'dog' });
  });
});

test.each([
  ['ends as it is told', (signal: AbortSignal): unknown => signal.reason],
  ['fails', () => new VggError('INTERNAL', 'broken')],
])('a plane that nobody needs any more is not waited for, and %s', async (_name, reason) => {
  const upstream = sure('d');
  upstream.holdPlane = async (plane, signal) => {
    if (plane < 2) return;
    await new Promise((resolve) => {
      signal.addEventListener('abort', resolve);
    });
    throw reason(signal);
  };
  const { road } = await travel(upstream, { evaluation: DENSE });
  expect(road.tally).toMatchObject({ done: 4, total: 6 });
});

describe('a lost call', () => {
  test('is begun again with what is missing, and no more than is needed', async () => {
    const upstream = sure('d');
    upstream.onScore = (call, count) => {
      if (call === 1 && count === 7) throw lost();
    };
    const { road, retries } = await travel(upstream, { evaluation: TEN });
    expect(retries).toEqual(['score: connection lost']);
    expect(upstream.scored.map(({ views }) => views)).toEqual([range(0, 7), range(7, 11)]);
    expect(road.tally.done).toBe(11);
  });

  test('of one model leaves the others alone', async () => {
    const upstream = sure('a', 'b');
    upstream.onScore = (call, count) => {
      if (call === 2 && count === 2) throw lost();
    };
    const { road, retries } = await travel(upstream, { models: ['a', 'b'], evaluation: TEN });
    expect(retries).toHaveLength(1);
    expect(road.tally.done).toBe(21);
    expect(upstream.scored.reduce((sum, { views }) => sum + views.length, 0)).toBe(21);
  });

  test('is given up after so many attempts, before the answer is known', async () => {
    const upstream = sure('d');
    upstream.onScore = (_, count) => {
      if (count === 3) throw lost();
    };
    await expect(travel(upstream, { evaluation: TEN })).rejects.toThrow('connection lost');
  });
});

test.each([0, 5, 9])('an abort after %d views ends the road with its own reason', async (count) => {
  const controller = new AbortController();
  const upstream = sure('d');
  upstream.onScore = (_, done) => {
    if (done === count) controller.abort(new VggError('CANCELLED', 'The client went away'));
  };
  await expect(travel(upstream, { evaluation: TEN }, controller.signal)).rejects.toThrow(
    'The client went away',
  );
});

test('a failure while the road waits for scores ends it', async () => {
  const upstream = sure('a', 'b');
  upstream.onScore = (call) => {
    if (call === 2) throw new VggError('RESOURCE_EXHAUSTED', 'queue full');
  };
  await expect(travel(upstream, { models: ['a', 'b'], evaluation: TEN })).rejects.toThrow('queue full');
});

test('whatever the views say, the first class is the whole answer’s', async () => {
  const asked = fc.record({
    protocol: fc.constantFrom(...PROTOCOLS),
    scales: fc.shuffledSubarray([32, 40, 48, 64], { minLength: 1 }),
    models: fc.integer({ min: 1, max: 3 }),
    macs: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 3, maxLength: 3 }),
    // How sure the views are, and how much they differ.
    level: fc.double({ min: 0, max: 1, noNaN: true }),
    spread: fc.double({ min: 0, max: 1, noNaN: true }),
    seed: fc.nat(),
    lostAt: fc.option(fc.nat(60)),
  });
  await fc.assert(
    fc.asyncProperty(asked, async ({ protocol, scales, models, macs, level, spread, seed, lostAt }) => {
      const names = ['a', 'b', 'c'].slice(0, models);
      const tell = (stop: 'NONE' | 'EXACT') => {
        const upstream = new FakeUpstream(...names.map((name, i) => facts(name, { macs: macs[i] ?? 1 })));
        upstream.cat = (model, view) => {
          const chance = Math.abs(Math.sin(seed + 31 * view + 7 * names.indexOf(model)));
          return Math.min(1, Math.max(0, level + spread * (chance - 0.5)));
        };
        upstream.onScore = (call, count) => {
          if (call === 1 && count === lostAt) throw lost();
        };
        return travel(upstream, { models: names, evaluation: { protocol, scales, stop } });
      };
      const [whole, early] = [(await tell('NONE')).road.tally, (await tell('EXACT')).road.tally];
      expect(early.done).toBeLessThanOrEqual(whole.done);
      if (early.done < early.total) {
        const [first] = topK(early.posterior(), 1);
        expect(first?.classIndex).toBe(topK(whole.posterior(), 1)[0]?.classIndex);
      } else expect([...early.posterior()]).toEqual([...whole.posterior()]);
    }),
    { numRuns: 100 },
  );
});
