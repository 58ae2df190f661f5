// Answers as they are kept: bounds in bytes and time under any order of use, keys that tell all questions apart,
// and the words of Cache-Status. Knows no service.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AnswerJson, Model } from '../../sdk/index.ts';
import { cacheStatus, refusesKept, type Outcome } from '../../services/gateway/answers/cache-status.ts';
import { Catalogue } from '../../services/gateway/answers/catalogue.ts';
import { answerKey, photoDigest, type ModelIdentity, type Wish } from '../../services/gateway/answers/key.ts';
import { AnswerStore } from '../../services/gateway/answers/store.ts';
import { VggError } from '../../vgg/errors.ts';

// An answer whose JSON has about that many bytes more than the least.
function answerOf(bytes: number): AnswerJson {
  return {
    ...{
      photo: '',
      model: 'm',
      network: 'D',
      protocol: 'MULTI_CROP',
      scales: [72],
      views: 50,
      engine: 'onnx',
    },
    predictions: [{ label: 'é'.repeat(Math.ceil(bytes / 2)), classIndex: 0, score: 1 }],
    timing: { prepareMs: 1, queueMs: 1, computeMs: 1, totalMs: 3 },
  };
}

const still = () => 0;

describe('the store', () => {
  test('gives what was kept last under a key, and never holds more than its bound', () => {
    const step = fc.record({ key: fc.integer({ min: 0, max: 9 }), bytes: fc.integer({ min: 0, max: 5000 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 20_000 }), (steps, bound) => {
        let evicted = 0;
        const store = new AnswerStore({ bytes: bound, ttlMs: 1, now: still, onEviction: () => evicted++ });
        const last = new Map<string, AnswerJson>();
        let kept = 0;
        for (const { key, bytes } of steps) {
          const name = String(key);
          const answer = answerOf(bytes);
          const had = store.find(name) !== undefined;
          if (store.keep(name, answer)) {
            if (!had) kept++;
            last.set(name, answer);
            expect(store.find(name)).toEqual(answer);
          } else {
            if (had) kept--;
            last.delete(name);
            expect(Buffer.byteLength(JSON.stringify(answer))).toBeGreaterThan(bound - 1000);
          }
          expect(store.bytes).toBeLessThanOrEqual(bound);
          // What is there is what was kept; the rest was evicted, and counted.
          expect(store.size).toBe(kept - evicted);
          for (const [each, wanted] of last) {
            const found = store.find(each);
            if (found) expect(found).toEqual(wanted);
          }
        }
      }),
    );
  });

  test('lets go of what was used least recently', () => {
    const size = JSON.stringify(answerOf(100)).length + 400;
    const store = new AnswerStore({ bytes: 3 * size, ttlMs: 1, now: still });
    for (const key of ['a', 'b', 'c']) expect(store.keep(key, answerOf(100))).toBe(true);
    store.find('a');
    store.keep('d', answerOf(900));
    expect(['a', 'b', 'c', 'd'].map((key) => store.find(key) !== undefined)).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  test('gives nothing whose time is over, and counts that as no eviction', () => {
    let now = 1000;
    let evicted = 0;
    const store = new AnswerStore({ bytes: 10_000, ttlMs: 50, now: () => now, onEviction: () => evicted++ });
    store.keep('a', answerOf(1));
    now = 1050;
    expect(store.find('a')).toBeDefined();
    now = 1051;
    expect(store.find('a')).toBeUndefined();
    expect({ evicted, bytes: store.bytes }).toEqual({ evicted: 0, bytes: 0 });
  });

  test('a copy is given: whoever changes it changes nobody else’s', () => {
    const store = new AnswerStore({ bytes: 10_000, ttlMs: 50, now: still });
    store.keep('a', answerOf(1));
    const first = store.find('a');
    first?.predictions.pop();
    expect(store.find('a')).toEqual(answerOf(1));
  });
});

describe('a key', () => {
  const wishes: fc.Arbitrary<Wish> = fc.record(
    {
      models: fc.constant(['m']),
      top: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
      posterior: fc.boolean(),
      viewScores: fc.boolean(),
      scoreMaps: fc.boolean(),
      protocol: fc.constantFrom('DENSE', 'MULTI_CROP'),
      scales: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 }),
      grid: fc.integer({ min: 1, max: 3 }),
      align: fc.integer({ min: 1, max: 3 }),
      kernel: fc.constantFrom('linear', 'cubic'),
      share: fc.constantFrom('AUTO', 'OFF'),
      stop: fc.constantFrom('NONE', 'EXACT'),
    },
    { requiredKeys: ['models', 'top', 'posterior', 'viewScores', 'scoreMaps'] },
  );
  const questions = fc.record({
    space: fc.constantFrom('', 'a', 'b', 'ab'),
    models: fc.array(
      fc.record({
        name: fc.constantFrom('m', 'n', 'm","1'),
        sha256: fc.constantFrom('0', '1'),
        engine: fc.constantFrom('onnx', 'tensorflow'),
      }),
      { maxLength: 2 },
    ),
    wish: wishes,
    photo: fc.constantFrom('x', 'y').map((text) => Buffer.from(text)),
  });
  type Asked = { space: string; models: ModelIdentity[]; wish: Wish; photo: Buffer };
  const keyOf = async ({ space, models, wish, photo }: Asked) =>
    answerKey(space, models, wish, await photoDigest(photo));
  const sorted = (wish: Wish) => Object.entries(JSON.parse(JSON.stringify(wish)) as object).sort();

  test('is equal exactly where photo, weights, options and credential are', async () => {
    await fc.assert(
      fc.asyncProperty(questions, questions, async (one, other) => {
        const same =
          JSON.stringify([one.space, one.models, sorted(one.wish), one.photo]) ===
          JSON.stringify([other.space, other.models, sorted(other.wish), other.photo]);
        expect((await keyOf(one)) === (await keyOf(other))).toBe(same);
      }),
      { numRuns: 300 },
    );
  });

  test('changes with any one of them, and not with the order in which options are written', async () => {
    await fc.assert(
      fc.asyncProperty(questions, async (asked) => {
        const key = await keyOf(asked);
        expect(key).toMatch(/^[0-9a-f]{64}$/);
        const backwards = Object.fromEntries(Object.entries(asked.wish).reverse()) as unknown as Wish;
        expect(await keyOf({ ...asked, wish: backwards })).toBe(key);
        const others: Asked[] = [
          { ...asked, space: `${asked.space}'` },
          { ...asked, photo: Buffer.concat([asked.photo, Buffer.from([0])]) },
          { ...asked, models: [...asked.models, { name: 'm', sha256: '2', engine: 'onnx' }] },
          { ...asked, wish: { ...asked.wish, posterior: !asked.wish.posterior } },
          { ...asked, wish: { ...asked.wish, top: (asked.wish.top ?? 9) + 1 } },
          { ...asked, wish: { ...asked.wish, scales: [...(asked.wish.scales ?? []), 4] } },
        ];
        for (const other of others) expect(await keyOf(other)).not.toBe(key);
      }),
    );
  });
});

describe('the catalogue', () => {
  const model = (name: string, sha256: string, isDefault = false) =>
    ({ name, sha256, isDefault, engine: 'onnx' }) as Model;

  test('asks once for many, and again when it has become old', async () => {
    let now = 0;
    let asked = 0;
    const list = async () => {
      asked++;
      await Promise.resolve();
      return [model('a', String(asked), true), model('b', 'x')];
    };
    const catalogue = new Catalogue(list, () => now);
    const all = await Promise.all([1, 2, 3].map(() => catalogue.identify([])));
    expect(all.map((each) => each?.[0]?.sha256)).toEqual(['1', '1', '1']);
    now = 1e6;
    expect((await catalogue.identify(['b', 'a']))?.map(({ sha256 }) => sha256)).toEqual(['x', '2']);
    expect(await catalogue.identify(['a', 'nobody'])).toBeUndefined();
    expect(asked).toBe(2);
  });

  test('knows nothing while nobody can be asked, and asks the next time', async () => {
    let fails = true;
    const list = async () => {
      await Promise.resolve();
      if (fails) throw new VggError('UNAVAILABLE', 'gone');
      return [model('a', '1', true)];
    };
    const catalogue = new Catalogue(list, still);
    expect(await catalogue.identify([])).toBeUndefined();
    fails = false;
    expect(await catalogue.identify([])).toHaveLength(1);
  });
});

describe('headers', () => {
  const outcome = (source: Outcome['source'], stored = false): Outcome => ({ source, stored });

  test.each<[Outcome[], string]>([
    [[outcome('hit')], 'vgg-serve; hit'],
    [[outcome('miss', true)], 'vgg-serve; fwd=miss; stored'],
    [[outcome('miss')], 'vgg-serve; fwd=miss'],
    [[outcome('coalesced')], 'vgg-serve; fwd=miss; collapsed'],
    [[outcome('bypass')], 'vgg-serve; fwd=bypass'],
    [[outcome('hit'), outcome('hit')], 'vgg-serve; hit'],
    [[outcome('hit'), outcome('miss', true)], 'vgg-serve; fwd=partial; stored'],
    [[outcome('miss', true), outcome('coalesced')], 'vgg-serve; fwd=miss'],
  ])('%o is %s', (outcomes, header) => {
    expect(cacheStatus(outcomes)).toBe(header);
  });

  test.each([
    ['no-cache', true],
    ['No-Store', true],
    ['max-age=0', true],
    ['max-stale=5,no-cache', true],
    ['max-age=60', false],
    ['no-cached', false],
    ['', false],
    [undefined, false],
  ])('Cache-Control: %s refuses what is kept: %s', (header, refuses) => {
    expect(refusesKept(header)).toBe(refuses);
  });
});
