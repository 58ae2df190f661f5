// The networks once more, as plain loops in float64: slow, short, and sharing nothing with any engine.

import type { OpenModel } from '../../../models/store.ts';
import { readFileSync } from 'node:fs';
import { networkLayers, toFloat32, type ConvLayer, type LrnLayer, type View } from '../../../vgg/index.ts';
import type { PlanePixels } from '../../../services/inference/engine.ts';

/** [channels, height, width] */
interface Maps {
  channels: number;
  height: number;
  width: number;
  values: Float64Array;
}

/** Class scores of a view: [height, width, classes]. */
export function referenceScoreMap(
  model: OpenModel,
  plane: PlanePixels,
  view: View,
): { height: number; width: number; classes: number; values: Float64Array } {
  let maps = cut(plane, view, model.json.mean);
  const weights = weightsOf(model);
  for (const layer of networkLayers(model.spec)) {
    if (layer.kind === 'pool') maps = maxPool(maps);
    else if (layer.kind === 'lrn') maps = normalise(maps, layer);
    else maps = convolve(maps, layer, weights(`${layer.name}.weight`), weights(`${layer.name}.bias`));
  }
  const { channels: classes, height, width, values } = maps;
  const positions = height * width;
  const last = Float64Array.from(values, (_, i) =>
    at(values, (i % classes) * positions + Math.floor(i / classes)),
  );
  return { height, width, classes, values: last };
}

function weightsOf(model: OpenModel): (name: string) => Float32Array {
  const file = readFileSync(model.weightsPath);
  return (name) => {
    const entry = model.tensors.find((tensor) => tensor.name === name);
    if (!entry) throw new Error(`No tensor ${name}`);
    return toFloat32(file.subarray(entry.offset, entry.offset + entry.bytes), entry.dtype);
  };
}

function cut(plane: PlanePixels, view: View, mean: readonly number[]): Maps {
  const { height, width } = view;
  const maps = empty(3, height, width);
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const column = view.x + (view.mirrored ? width - 1 - x : x);
        const pixel = at(plane.rgb8, ((view.y + y) * plane.width + column) * 3 + c);
        maps.values[(c * height + y) * width + x] = pixel - at(mean, c);
      }
    }
  }
  return maps;
}

function convolve(input: Maps, layer: ConvLayer, weight: Float32Array, bias: Float32Array): Maps {
  const { kernel, pad, outChannels, relu } = layer;
  const output = empty(outChannels, input.height + 2 * pad - kernel + 1, input.width + 2 * pad - kernel + 1);
  let i = 0;
  for (let out = 0; out < outChannels; out++) {
    for (let y = 0; y < output.height; y++) {
      for (let x = 0; x < output.width; x++) {
        let sum = at(bias, out);
        for (let c = 0; c < input.channels; c++) {
          for (let ky = 0; ky < kernel; ky++) {
            for (let kx = 0; kx < kernel; kx++) {
              const row = y + ky - pad;
              const column = x + kx - pad;
              if (row < 0 || row >= input.height || column < 0 || column >= input.width) continue;
              const w = at(weight, ((out * input.channels + c) * kernel + ky) * kernel + kx);
              sum += w * at(input.values, (c * input.height + row) * input.width + column);
            }
          }
        }
        output.values[i++] = relu ? Math.max(0, sum) : sum;
      }
    }
  }
  return output;
}

function maxPool(input: Maps): Maps {
  const output = empty(input.channels, Math.floor(input.height / 2), Math.floor(input.width / 2));
  let i = 0;
  for (let c = 0; c < output.channels; c++) {
    for (let y = 0; y < output.height; y++) {
      for (let x = 0; x < output.width; x++) {
        const first = (c * input.height + 2 * y) * input.width + 2 * x;
        const window = [first, first + 1, first + input.width, first + input.width + 1];
        output.values[i++] = Math.max(...window.map((index) => at(input.values, index)));
      }
    }
  }
  return output;
}

function normalise(input: Maps, { size, alpha, beta, k }: LrnLayer): Maps {
  const output = empty(input.channels, input.height, input.width);
  const positions = input.height * input.width;
  const reach = (size - 1) / 2;
  for (let c = 0; c < input.channels; c++) {
    for (let position = 0; position < positions; position++) {
      let squares = 0;
      for (let near = Math.max(0, c - reach); near <= Math.min(input.channels - 1, c + reach); near++) {
        squares += at(input.values, near * positions + position) ** 2;
      }
      const value = at(input.values, c * positions + position);
      output.values[c * positions + position] = value / (k + alpha * squares) ** beta;
    }
  }
  return output;
}

function empty(channels: number, height: number, width: number): Maps {
  return { channels, height, width, values: new Float64Array(channels * height * width) };
}

function at(values: ArrayLike<number>, index: number): number {
  const value = values[index];
  if (value === undefined) throw new RangeError(`Index ${String(index)} of ${String(values.length)}`);
  return value;
}
