// Minimal filtering against the sums it stands for.

import { expect, test } from 'vitest';
import { tileTransforms, transformedFilters, winograd } from '../../../vgg/sharing/winograd.ts';

const cases = [
  [4, 3],
  [2, 3],
  [6, 3],
  [2, 5],
  [4, 5],
] as const;

const noise = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.fround(Math.sin((i + 1) * (12.9898 + seed)) * 2));

test('F(2, 3) has the matrices that Lavin and Gray print', () => {
  const { input, output } = winograd(2, 3);
  // But for signs, which are in the filter's matrix.
  expect([...input].map((value) => value + 0)).toEqual([
    ...[1, 0, -1, 0].map((value) => -value + 0),
    ...[0, 1, 1, 0],
    ...[0, -1, 1, 0],
    ...[0, 1, 0, -1].map((value) => -value + 0),
  ]);
  expect([...output]).toEqual([...[1, 1, 1, 0], ...[0, 1, -1, 1]]);
});

test('F(4, 3) in float32 is nearly as exact as the sums are', () => {
  const channels = 128;
  const form = winograd(4, 3);
  const { toInputs, toOutputs } = tileTransforms(form, false);
  const weights = noise(channels * 9, 3);
  const filters = transformedFilters(form, weights, channels, 1);
  const tile = noise(channels * 36, 4).map((value) => Math.max(0, value));
  // In float32, as libraries do it: [36, channels], then [36], then [16].
  const rounded = (terms: number[]) => terms.reduce((sum, term) => Math.fround(sum + Math.fround(term)), 0);
  const of36 = Array.from({ length: 36 }, (_, k) => k);
  const products = of36.map((place) =>
    rounded(
      Array.from({ length: channels }, (_, channel) => {
        const terms = of36.map((k) => (toInputs[place * 36 + k] ?? NaN) * (tile[channel * 36 + k] ?? NaN));
        return rounded(terms) * (filters[place * channels + channel] ?? NaN);
      }),
    ),
  );
  let [errors, direct] = [0, 0];
  for (let output = 0; output < 16; output++) {
    const came = rounded(of36.map((k) => (toOutputs[output * 36 + k] ?? NaN) * (products[k] ?? NaN)));
    const terms: number[] = [];
    for (let channel = 0; channel < channels; channel++)
      for (let tap = 0; tap < 9; tap++) {
        const row = Math.floor(output / 4) + Math.floor(tap / 3);
        const at = channel * 36 + row * 6 + (output % 4) + (tap % 3);
        terms.push((tile[at] ?? NaN) * (weights[channel * 9 + tap] ?? NaN));
      }
    const wanted = terms.reduce((sum, term) => sum + term, 0);
    errors += (came - wanted) ** 2;
    direct += (rounded(terms) - wanted) ** 2;
  }
  // 4 times the error of the sums; with points 0, ±1 and ±2 it is 16 times.
  expect(Math.sqrt(errors / direct)).toBeLessThan(6);
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
