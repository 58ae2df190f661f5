// What views cost together is never more than what they cost one by one, and is what plans do.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { macs, NETWORK_NAMES, type ConvLayer, type NetworkSpec } from '../../../vgg/networks.ts';
import { sharedPlan, type SharedStep } from '../../../vgg/sharing/plan.ts';
import { sharingSavings, type StepCounts } from '../../../vgg/sharing/savings.ts';
import { pixelAxes, sharedCost, sharedStages, type TileOutputs } from '../../../vgg/sharing/stages.ts';
import type { View } from '../../../vgg/views.ts';
import { tinyNetwork } from './tiny-networks.ts';
import { anyViews, protocolViews } from './view-lists.ts';

const D: NetworkSpec = { network: 'D', width: 1, hidden: 4096, classes: 1000, inputSize: 224 };
const PLANES = [
  [341, 256],
  [512, 384],
  [683, 512],
] as const;
const tileOutputs: TileOutputs = ({ kernel }: ConvLayer) => (kernel === 1 ? 0 : kernel === 3 ? 4 : 2);

const productsOf = (spec: NetworkSpec, views: readonly View[]) =>
  sharedCost(sharedStages(spec, pixelAxes(views), tileOutputs)).products;

// Of products alone: activations and tiles are whole numbers of things, and so are these, exactly.
const COUNTS = ['activations', 'tiles', 'products'] as const satisfies (keyof StepCounts)[];

function expectNoMore(spec: NetworkSpec, views: readonly View[], tiles: TileOutputs): void {
  for (const { layers, together, alone, direct } of sharingSavings(spec, views, tiles)) {
    for (const count of COUNTS)
      expect(together[count], `${count} of ${layers.join()}`).toBeLessThanOrEqual(alone[count]);
    // Without tiles each sum is as it is written.
    if (alone.tiles === 0 && tiles === untiled) expect(alone.products).toBe(direct);
  }
}

const untiled: TileOutputs = () => 0;

describe('together is never more than one by one', () => {
  test('any views, at every step, in tiles of any size', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...NETWORK_NAMES),
        anyViews(64, 150),
        fc.constantFrom(0, 2, 4, 6),
        (network, { views }, outputs) => {
          const spec = { ...tinyNetwork(network), inputSize: 64 };
          expectNoMore(spec, views, outputs === 0 ? untiled : ({ kernel }) => (kernel > 1 ? outputs : 0));
        },
      ),
      { numRuns: 200 },
    );
  });

  test.each(['TEN_CROP', 'DENSE_AND_MULTI_CROP', 'GOOGLENET_144'] as const)(
    '%s, which is no grid',
    (protocol) => {
      for (const [width, height] of PLANES)
        for (const align of [1, 8])
          expectNoMore(D, protocolViews({ width, height }, 224, { protocol, align }), tileOutputs);
    },
  );

  test('one view costs what it costs by itself, twice the same nothing more', () => {
    const [view] = protocolViews({ width: 341, height: 256 }, 224, { protocol: 'CENTER_CROP' });
    if (!view) throw new Error('no view');
    for (const { together, alone } of sharingSavings(D, [view], tileOutputs)) expect(together).toEqual(alone);
    expect(productsOf(D, [view, view])).toBe(productsOf(D, [view]));
  });
});

test('crops and whole planes together cost less than apart', () => {
  for (const [width, height] of PLANES) {
    const plane = { width, height };
    for (const align of [1, 8]) {
      const crops = protocolViews(plane, 224, { protocol: 'MULTI_CROP', align });
      const whole = protocolViews(plane, 224, { protocol: 'DENSE' });
      const both = protocolViews(plane, 224, { protocol: 'DENSE_AND_MULTI_CROP', align });
      expect(both.length).toBe(crops.length + whole.length);
      expect(productsOf(D, both)).toBeLessThan(productsOf(D, crops) + productsOf(D, whole));
    }
  }
});

test('without tiles, what views cost one by one is what the network costs', () => {
  const views = protocolViews({ width: 341, height: 256 }, 224, { protocol: 'DENSE_AND_MULTI_CROP' });
  const steps = sharingSavings(D, views, untiled);
  const whole = views.reduce((sum, { width, height }) => sum + macs(D, height, width), 0);
  const total = (of: (step: (typeof steps)[number]) => number) =>
    steps.reduce((sum, step) => sum + of(step), 0);
  expect(total(({ direct }) => direct)).toBe(whole);
  expect(total(({ alone }) => alone.products)).toBe(whole);
});

test('counts are those of the lists', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...NETWORK_NAMES),
      anyViews(32, 90),
      fc.constantFrom(2, 4),
      (network, { plane, views }, outputs) => {
        const tiles: TileOutputs = ({ name, kernel }) => (name !== 'conv1_1' && kernel > 1 ? outputs : 0);
        const spec = tinyNetwork(network);
        const options = { tileOutputs: tiles, stripSize: () => Infinity };
        const { steps } = sharedPlan(spec, plane, views, options);
        const counted = sharingSavings(spec, views, tiles);
        // One strip of each, in which the first is nobody's.
        for (const [i, step] of steps.entries()) {
          const { together } = counted[i] ?? {};
          if (step.kind === 'tiles') expect(step.strips.size - 1).toBe(together?.tiles);
          if (step.kind === 'gathered') expect(step.strips.size - 1).toBe(together?.activations);
        }
        const { read, products } = sharedCost(sharedStages(spec, pixelAxes(views), tiles));
        expect(read).toBe(numbersRead(steps));
        expect(products).toBe(productsOfSteps(steps));
        expect(counted.reduce((sum, { together }) => sum + together.products, 0)).toBe(
          productsOfSteps(steps),
        );
      },
    ),
    { numRuns: 50 },
  );
});

function productsOfSteps(steps: readonly SharedStep[]): number {
  let positions = 0;
  return steps.reduce((sum, step) => {
    const { layer } = step;
    const channels = layer.kind === 'conv' ? layer.inChannels * layer.outChannels : 0;
    if (step.kind === 'tiles') {
      const tiles = step.strips.size - 1;
      positions = tiles * step.outputs ** 2;
      return sum + tiles * step.inputs ** 2 * channels;
    }
    if (step.kind === 'gathered') positions = step.strips.size - 1;
    return sum + positions * (layer.kind === 'conv' ? layer.kernel ** 2 : 0) * channels;
  }, 0);
}

// What all lists fetch: a position each time, with the channels of the layer below.
function numbersRead(steps: readonly SharedStep[]): number {
  let [positions, channels] = [0, 3];
  return steps.reduce((sum, step) => {
    const { layer } = step;
    const below = channels;
    if (layer.kind === 'conv') channels = layer.outChannels;
    if (step.kind === 'pointwise') return sum + positions * below;
    const { size, reads } = step.strips;
    const count = size - 1;
    positions = count * (step.kind === 'tiles' ? step.outputs ** 2 : 1);
    return sum + (reads.length / size) * count * below;
  }, 0);
}
