// Minimal filtering against the sums it stands for.

import { expect, test } from 'vitest';
import { transformedFilters, winograd } from '../../../vgg/sharing/winograd.ts';

const cases = [
  [4, 3],
  [2, 3],
  [6, 3],
  [2, 5],
  [4, 5],
] as const;

const noise = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.fround(Math.sin((i + 1) * (12.9898 + seed)) * 2));

test('F(4, 3) has the matrices that Lavin and Gray print', () => {
  const { input, output } = winograd(4, 3);
  expect([...input].map((value) => value + 0)).toEqual([
    ...[4, 0, -5, 0, 1, 0],
    ...[0, 4, 4, -1, -1, 0].map((value) => -value + 0),
    ...[0, 4, -4, -1, 1, 0],
    ...[0, -2, -1, 2, 1, 0],
    ...[0, 2, -1, -2, 1, 0],
    ...[0, 4, 0, -5, 0, 1],
  ]);
  expect([...output]).toEqual([
    ...[1, 1, 1, 1, 1, 0],
    ...[0, 1, -1, 2, -2, 0],
    ...[0, 1, 1, 4, 4, 0],
    ...[0, 1, -1, 8, -8, 1],
  ]);
});

test.each(cases)('F(%i, %i) of two dimensions is the convolution', (outputs, taps) => {
  const [inChannels, outChannels] = [2, 3];
  const form = winograd(outputs, taps);
  const { inputs, input, output } = form;
  const weights = noise(outChannels * inChannels * taps * taps, 1);
  const tile = noise(inChannels * inputs * inputs, 2);
  const filters = transformedFilters(form, weights, inChannels, outChannels);
  const product = (
    a: ArrayLike<number>,
    b: ArrayLike<number>,
    rows: number,
    inner: number,
    columns: number,
  ) =>
    Array.from({ length: rows * columns }, (_, at) => {
      let sum = 0;
      for (let k = 0; k < inner; k++)
        sum += (a[Math.floor(at / columns) * inner + k] ?? NaN) * (b[k * columns + (at % columns)] ?? NaN);
      return sum;
    });
  const transposed = (a: ArrayLike<number>, rows: number, columns: number) =>
    Array.from(
      { length: rows * columns },
      (_, at) => a[(at % rows) * columns + Math.floor(at / rows)] ?? NaN,
    );
  for (let out = 0; out < outChannels; out++) {
    const sums = new Array<number>(inputs * inputs).fill(0);
    for (let channel = 0; channel < inChannels; channel++) {
      const plane = tile.subarray(channel * inputs * inputs, (channel + 1) * inputs * inputs);
      const half = product(input, plane, inputs, inputs, inputs);
      const whole = product(half, transposed(input, inputs, inputs), inputs, inputs, inputs);
      for (const [at, value] of whole.entries())
        sums[at] =
          (sums[at] ?? 0) + value * (filters[(at * inChannels + channel) * outChannels + out] ?? NaN);
    }
    const half = product(output, sums, outputs, inputs, inputs);
    const came = product(half, transposed(output, outputs, inputs), outputs, inputs, outputs);
    for (let row = 0; row < outputs; row++) {
      for (let column = 0; column < outputs; column++) {
        let wanted = 0;
        for (let channel = 0; channel < inChannels; channel++)
          for (let i = 0; i < taps; i++)
            for (let j = 0; j < taps; j++)
              wanted +=
                (tile[(channel * inputs + row + i) * inputs + column + j] ?? NaN) *
                (weights[((out * inChannels + channel) * taps + i) * taps + j] ?? NaN);
        // Filters are rounded to float32, and cancel.
        expect(came[row * outputs + column]).toBeCloseTo(wanted, 3);
      }
    }
  }
});

test('more points than there are is refused', () => {
  expect(() => winograd(8, 3)).toThrow('F(8, 3)');
});
