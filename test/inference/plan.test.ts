// Which views become a unit together, and when each is a unit by itself.

import { describe, expect, test } from 'vitest';
import type { Wanted } from '../../services/inference/engine.ts';
import { Planner, type Sharing } from '../../services/inference/worker/plan.ts';
import { Recent } from '../../services/inference/worker/recent.ts';
import { macs, type ConvLayer, type NetworkSpec } from '../../vgg/networks.ts';
import { evaluationViews, resolveEvaluation, type View } from '../../vgg/views.ts';
import { noisePlane, viewOf } from './engine-conformance/fixtures.ts';

const SPEC: NetworkSpec = { network: 'A', width: 1 / 4, hidden: 16, classes: 4, inputSize: 64 };
const AUTO: Wanted = { scoreOrder: 'MEAN_THEN_SOFTMAX', scoreMaps: false, share: 'auto' };
const plane = noisePlane(107, 80);
const tileOutputs = ({ inChannels }: ConvLayer) => (inChannels <= 3 ? 0 : 4);

function crops(): View[] {
  const evaluation = resolveEvaluation({ protocol: 'MULTI_CROP', scales: [80] }, { inputSize: 64 });
  return evaluationViews(plane, evaluation, 64).views;
}

function planner(sharing: Partial<Sharing>, mostPixels = 1e9): Planner {
  const whole = {
    tileOutputs,
    price: 1,
    fixedCost: 0,
    mostCost: Infinity,
    batchCost: 0,
    auto: true,
    ...sharing,
  };
  return new Planner({ spec: SPEC, mostPixels, sharing: whole });
}

// Of each unit, whether it is shared, and its views.
function unitsOf(made: Planner, views: readonly View[], wanted = AUTO): [boolean, number[]][] {
  return made
    .plan(plane, views, wanted)
    .map(({ shared, views }) => [shared, views.map(({ index }) => index).sort((a, b) => a - b)]);
}

const indices = (views: readonly View[]) => views.map(({ index }) => index);

describe('views of a plane', () => {
  test('are one unit where that is less work', () => {
    const views = crops();
    expect(unitsOf(planner({}), views)).toEqual([[true, indices(views)]]);
    const [unit] = planner({}).plan(plane, views, AUTO);
    expect(unit?.cost).toBeLessThan(views.length * macs(SPEC, 64, 64));
    expect(unit?.cost).toBeGreaterThan(macs(SPEC, 64, 64));
  });

  test('are units of their own where products are dear, where nobody knows that, and when asked for', () => {
    const views = crops();
    const apart = indices(views).map((index) => [false, [index]]);
    expect(unitsOf(planner({ price: 0.01 }), views)).toEqual(apart);
    expect(unitsOf(planner({ auto: false }), views)).toEqual(apart);
    expect(unitsOf(planner({}), views, { ...AUTO, share: 'off' })).toEqual(apart);
  });

  test('are not tried in halves where the whole does not pay', () => {
    let asked = 0;
    const counting = (layer: ConvLayer) => {
      asked++;
      return tileOutputs(layer);
    };
    unitsOf(planner({ tileOutputs: counting }), crops());
    const once = asked;
    unitsOf(planner({ tileOutputs: counting, price: 0.01 }), crops());
    expect(asked).toBe(2 * once);
  });

  test.each([{ price: 0.01 }, { auto: false }])(
    'are together when that is asked for, whatever %o',
    (dear) => {
      const views = crops();
      expect(unitsOf(planner(dear), views, { ...AUTO, share: 'on' })).toEqual([[true, indices(views)]]);
    },
  );

  test('are split where a unit would take too long: first mirrored from not, then upper from lower', () => {
    const views = crops();
    const [whole] = planner({}).plan(plane, views, AUTO);
    const cost = whole?.cost ?? 0;
    const flips = unitsOf(planner({ mostCost: 0.6 * cost }), views);
    expect(flips.map(([shared, some]) => [shared, some.length])).toEqual([
      [true, 25],
      [true, 25],
    ]);
    for (const [, some] of flips) expect(new Set(some.map((index) => views[index]?.mirrored)).size).toBe(1);
    const quarters = unitsOf(planner({ mostCost: 0.4 * cost }), views);
    expect(quarters.length).toBeGreaterThan(2);
    expect(quarters.flatMap(([, some]) => some).sort((a, b) => a - b)).toEqual(indices(views));
  });

  test('are split where states would not fit the memory', () => {
    const views = crops();
    const [whole] = planner({}).plan(plane, views, AUTO);
    const pixels = whole?.pixels ?? 0;
    const units = planner({}, Math.floor(0.7 * pixels)).plan(plane, views, AUTO);
    expect(units.length).toBeGreaterThan(1);
    for (const unit of units) expect(unit.pixels).toBeLessThanOrEqual(0.7 * pixels);
  });

  test('a single view may take longer than a unit should, but not more memory than there is', () => {
    const dense = viewOf(plane);
    expect(unitsOf(planner({ mostCost: 1 }), [dense], { ...AUTO, share: 'on' })).toEqual([[true, [0]]]);
    expect(() => planner({}, 5000).plan(plane, [dense], AUTO)).toThrow(
      'Expected at most 5000 pixels but received 8560 (views[0])',
    );
  });

  test('no views are no units', () => {
    expect(unitsOf(planner({}), [])).toEqual([]);
  });

  test('shape keys tell what may share a batch: equal geometry, and nothing else', () => {
    const views = crops();
    const keyOf = (some: readonly View[]) => planner({}).plan(plane, some, AUTO)[0]?.shapeKey;
    const shifted = views.map((view, i) => (i === 3 ? { ...view, x: view.x + 1 } : view));
    expect(keyOf(views)).toBe(keyOf(crops()));
    expect(keyOf(shifted)).not.toBe(keyOf(views));
  });
});

describe('Recent', () => {
  test('makes a value once, and again when others pushed it out', () => {
    const made: string[] = [];
    const recent = new Recent<string>(10, (value) => value.length);
    const get = (value: string) =>
      recent.get(value, () => {
        made.push(value);
        return value;
      });
    expect([get('aaaa'), get('bbbb'), get('aaaa')]).toEqual(['aaaa', 'bbbb', 'aaaa']);
    expect(made).toEqual(['aaaa', 'bbbb']);
    // 'bbbb' is the least recently used.
    get('cccc');
    get('aaaa');
    expect(made).toEqual(['aaaa', 'bbbb', 'cccc']);
    get('bbbb');
    expect(made).toEqual(['aaaa', 'bbbb', 'cccc', 'bbbb']);
  });

  test('keeps one that is larger than all there is, until the next', () => {
    let made = 0;
    const recent = new Recent<number>(10, (size) => size);
    const get = (key: string, size: number) => recent.get(key, () => (made++, size));
    get('vast', 100);
    get('vast', 100);
    expect(made).toBe(1);
    get('small', 1);
    get('vast', 100);
    expect(made).toBe(3);
  });
});
