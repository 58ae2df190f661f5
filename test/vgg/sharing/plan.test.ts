// Plans executed on tiny networks, position by position, against every view computed by itself.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NETWORK_NAMES, networkLayers, type ConvLayer, type NetworkSpec } from '../../../vgg/networks.ts';
import { sharedPlan, type SharedPlan } from '../../../vgg/sharing/plan.ts';
import { evaluationViews, PROTOCOLS, resolveEvaluation, type View } from '../../../vgg/views.ts';

/** [positions, channels] */
type Matrix = number[][];

// The first layer as one product, the others in tiles, as engines do.
const OPTIONS = {
  tileOutputs: ({ name, kernel }: ConvLayer) => (name === 'conv1_1' ? 0 : kernel === 3 ? 4 : 2),
  stripSize: () => 7,
};

// A weight that is the same wherever it is asked for.
function weight(layer: string, ...at: number[]): number {
  let hash = 2166136261;
  for (const code of [...Buffer.from(layer), ...at]) hash = Math.imul(hash ^ (code + 1), 16777619);
  return (((hash >>> 8) % 2001) - 1000) / 1000;
}

function pixel(x: number, y: number, channel: number): number {
  return 10 * weight('pixel', x % 251, y % 251, channel);
}

// Sum over what is read, in the order of places; rows that are undefined are zero.
function convolved(layer: ConvLayer, sources: readonly (readonly number[] | undefined)[]): number[] {
  const { name, outChannels, inChannels, kernel, relu } = layer;
  return Array.from({ length: outChannels }, (_, out) => {
    let sum = weight(name, 1000, out);
    for (const [place, source] of sources.entries()) {
      if (!source) continue;
      for (let c = 0; c < inChannels; c++) sum += (source[c] ?? NaN) * weight(name, out, c, place);
    }
    // Kept in range, so that sums stay comparable after many layers.
    const scaled = sum / (inChannels * kernel * kernel) ** 0.5;
    return relu ? Math.max(0, scaled) : scaled;
  });
}

function largest(sources: readonly (readonly number[])[]): number[] {
  return (sources[0] ?? []).map((_, c) => Math.max(...sources.map((source) => source[c] ?? NaN)));
}

function normalised(source: readonly number[]): number[] {
  return source.map((value, c) => {
    const near = source.slice(Math.max(0, c - 2), c + 3);
    return value / (2 + 1e-4 * near.reduce((sum, each) => sum + each * each, 0)) ** 0.75;
  });
}

/** A view by itself: its pixels, then every layer, as the paper has them. [height · width, classes] */
function alone(spec: NetworkSpec, view: View): Matrix {
  let [height, width] = [view.height, view.width];
  let state: Matrix = [];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const x = view.x + (view.mirrored ? width - 1 - column : column);
      state.push([0, 1, 2].map((c) => pixel(x, view.y + row, c)));
    }
  }
  for (const layer of networkLayers(spec)) {
    if (layer.kind === 'lrn') {
      state = state.map(normalised);
      continue;
    }
    const { kernel, pad, stride } =
      layer.kind === 'pool' ? { kernel: 2, pad: 0, stride: 2 } : { ...layer, stride: 1 };
    const at = (row: number, column: number) =>
      row >= 0 && row < height && column >= 0 && column < width ? state[row * width + column] : undefined;
    const next: Matrix = [];
    const [rows, columns] = [height, width].map(
      (side) => Math.floor((side + 2 * pad - kernel) / stride) + 1,
    ) as [number, number];
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const sources = Array.from({ length: kernel * kernel }, (_, place) =>
          at(row * stride - pad + Math.floor(place / kernel), column * stride - pad + (place % kernel)),
        );
        next.push(
          layer.kind === 'pool' ? largest(sources.map((each) => each ?? [])) : convolved(layer, sources),
        );
      }
    }
    [height, width, state] = [rows, columns, next];
  }
  return state;
}

/** The plan's last state. Positions that no list may read hold NaN. */
function executed(plan: SharedPlan, plane: { width: number; height: number }): Matrix {
  let state: Matrix = [[0, 0, 0]];
  for (let y = 0; y < plane.height; y++)
    for (let x = 0; x < plane.width; x++) state.push([0, 1, 2].map((c) => pixel(x, y, c)));
  for (const step of plan.steps) {
    const source = (position: number | undefined) =>
      position === undefined ? [NaN] : position === 0 ? undefined : state[position];
    let next: Matrix = [];
    if (step.kind === 'pointwise') {
      const { layer } = step;
      next = state.map((row) => (layer.kind === 'lrn' ? normalised(row) : convolved(layer, [row])));
    } else if (step.kind === 'gathered') {
      const { layer, strips } = step;
      const each = strips.reads.length / (strips.count * strips.size);
      for (let i = 0; i < strips.count * strips.size; i++) {
        const sources = Array.from({ length: each }, (_, place) => source(strips.reads[i * each + place]));
        next.push(
          layer.kind === 'pool' ? largest(sources.map((each) => each ?? [0])) : convolved(layer, sources),
        );
      }
    } else {
      const { layer, pooled, inputs, outputs, strips } = step;
      const { kernel } = layer;
      for (let strip = 0; strip < strips.count; strip++) {
        const first = strip * strips.size * outputs * outputs;
        for (let tile = 0; tile < strips.size; tile++) {
          const at = (i: number, j: number) =>
            convolved(
              layer,
              Array.from({ length: kernel * kernel }, (_, tap) => {
                const place = (i + Math.floor(tap / kernel)) * inputs + j + (tap % kernel);
                return source(strips.reads[(strip * inputs * inputs + place) * strips.size + tile]);
              }),
            );
          for (let i = 0; i < outputs; i++) {
            for (let j = 0; j < outputs; j++) {
              // The first tile is nobody's.
              next[first + (i * outputs + j) * strips.size + tile] =
                tile === 0
                  ? [NaN]
                  : pooled
                    ? largest([
                        at(2 * i, 2 * j),
                        at(2 * i, 2 * j + 1),
                        at(2 * i + 1, 2 * j),
                        at(2 * i + 1, 2 * j + 1),
                      ])
                    : at(i, j);
            }
          }
        }
      }
    }
    state = next;
  }
  return state;
}

function expectSame(
  spec: NetworkSpec,
  plane: { width: number; height: number },
  views: readonly View[],
): void {
  const plan = sharedPlan(spec, plane, views, OPTIONS);
  const last = executed(plan, plane);
  for (const [index, view] of views.entries()) {
    const { height, width, positions } = plan.views[index] ?? { height: 0, width: 0, positions: [] };
    const scores = alone(spec, view);
    expect(height * width).toBe(scores.length);
    // The same sums in the same order: not a bit differs.
    expect(Array.from(positions, (position) => last[position])).toEqual(scores);
  }
}

const tiny = (network: NetworkSpec['network']): NetworkSpec => ({
  ...{ network, width: 1 / 64, hidden: 2, classes: 2, inputSize: 32 },
});

describe('a plan gives every view the scores that it has alone', () => {
  test.each(NETWORK_NAMES)('network %s', (network) => {
    const evaluation = resolveEvaluation(
      { protocol: 'DENSE_AND_MULTI_CROP', scales: [38], grid: 3, align: 1 },
      { inputSize: 32, scales: [38] },
    );
    const { planes, views } = evaluationViews({ width: 43, height: 38 }, evaluation, 32);
    const [plane = { width: 0, height: 0 }] = planes;
    expectSame(tiny(network), plane, views);
  });

  test.each(PROTOCOLS)('protocol %s', (protocol) => {
    const evaluation = resolveEvaluation(
      { protocol, scales: [37], grid: 2, align: 4 },
      { inputSize: 32, scales: [37] },
    );
    const { planes, views } = evaluationViews({ width: 37, height: 44 }, evaluation, 32);
    for (const plane of planes) {
      expectSame(
        tiny('A'),
        plane,
        views.filter((view) => view.plane === plane.index),
      );
    }
  });

  test('any views of any plane', () => {
    const view = fc
      .record({ width: fc.integer({ min: 32, max: 52 }), height: fc.integer({ min: 32, max: 40 }) })
      .chain(({ width, height }) =>
        fc.record({
          ...{ plane: fc.constant(0), index: fc.constant(0), weight: fc.constant(1) },
          ...{ width: fc.constant(width), height: fc.constant(height), mirrored: fc.boolean() },
          ...{ x: fc.integer({ min: 0, max: 52 - width }), y: fc.integer({ min: 0, max: 40 - height }) },
        }),
      );
    fc.assert(
      fc.property(fc.array(view, { minLength: 1, maxLength: 4 }), (views) => {
        expectSame(tiny('A'), { width: 52, height: 40 }, views);
      }),
      { numRuns: 8 },
    );
  });
});

describe('what a plan costs', () => {
  const spec: NetworkSpec = { network: 'D', width: 1, hidden: 4096, classes: 1000, inputSize: 224 };
  const tilesOf = (views: readonly View[], width: number, height: number) =>
    sharedPlan(spec, { width, height }, views, { ...OPTIONS, stripSize: () => Infinity }).steps.map((step) =>
      step.kind === 'tiles' ? step.strips.count * (step.strips.size - 1) : 0,
    );

  test('never more tiles than the views by themselves', () => {
    const evaluation = resolveEvaluation({ protocol: 'MULTI_CROP', scales: [256] }, { inputSize: 224 });
    const { views } = evaluationViews({ width: 320, height: 256 }, evaluation, 224);
    const together = tilesOf(views, 320, 256);
    const apart = views.map((view) => tilesOf([view], 320, 256));
    for (const [layer, tiles] of together.entries())
      expect(tiles).toBeLessThanOrEqual(apart.reduce((sum, each) => sum + (each[layer] ?? 0), 0));
  });

  test('a view that is there twice costs nothing', () => {
    const view = {
      ...{ plane: 0, index: 0, x: 0, y: 0, weight: 1 },
      width: 224,
      height: 224,
      mirrored: false,
    };
    expect(tilesOf([view, { ...view, index: 1 }], 224, 224)).toEqual(tilesOf([view], 224, 224));
  });
});
