// Caffe networks for tests, layer by layer, in both forms, with protobufjs's encoder.

import { message, type Value } from './protobuf-bytes.ts';

type Fields = readonly [number, Value | readonly Value[]][];

/** A layer as tests write it; `bottom` is the layer before, `top` its own name, unless told. */
export interface TestLayer {
  name: string;
  type: string;
  bottom?: readonly string[];
  top?: readonly string[];
  blobs?: readonly Uint8Array[];
  parameter?: Fields;
}

const NEW_PARAMETERS: Record<string, number> = {
  Convolution: 106,
  InnerProduct: 117,
  LRN: 118,
  Pooling: 121,
  ReLU: 123,
  BatchNorm: 139,
  Scale: 142,
};
const V1: Record<string, { type: number; parameter?: number }> = {
  Concat: { type: 3 },
  Convolution: { type: 4, parameter: 10 },
  Dropout: { type: 6 },
  InnerProduct: { type: 14, parameter: 17 },
  LRN: { type: 15, parameter: 18 },
  Pooling: { type: 17, parameter: 19 },
  ReLU: { type: 18, parameter: 30 },
  Softmax: { type: 20 },
  Eltwise: { type: 25 },
};

/** Values of the blob of these sides: eighths, from `first` on. */
export function ramp(shape: readonly number[], first = 0): number[] {
  return Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (first + i) / 8);
}

/** A BlobProto with a BlobShape, or with four sides. */
export function blob(shape: readonly number[], first = 0, legacy = false): Uint8Array {
  const sides: Fields = legacy
    ? [...Array<number>(4 - shape.length).fill(1), ...shape].map((side, i) => [i + 1, side])
    : [[7, message([1, { packedInts: shape }])]];
  return message(...sides, [5, { packed: ramp(shape, first) }]);
}

/** A NetParameter. */
export function caffeNet(layers: readonly TestLayer[], form: 'V1' | 'new' = 'new'): Uint8Array {
  let before = 'data';
  const encoded = layers.map(
    ({ name, type, bottom = [before], top = [name], blobs = [], parameter = [] }) => {
      before = top[0] ?? before;
      const own = form === 'new' ? NEW_PARAMETERS[type] : V1[type]?.parameter;
      const tail: Fields = own !== undefined && parameter.length > 0 ? [[own, message(...parameter)]] : [];
      return form === 'new'
        ? message([1, name], [2, type], [3, bottom], [4, top], [7, blobs], ...tail)
        : message([2, bottom], [3, top], [4, name], [5, V1[type]?.type ?? 99], [6, blobs], ...tail);
    },
  );
  return message([1, 'test'], [form === 'new' ? 100 : 2, encoded]);
}

/** A convolution from `inputs` to `outputs` channels. */
export function convolution(
  name: string,
  inputs: number,
  outputs: number,
  kernel = 3,
  extra: Fields = [],
): TestLayer {
  const shape = [outputs, inputs, kernel, kernel];
  return {
    name,
    type: 'Convolution',
    blobs: [blob(shape), blob([outputs], 1000)],
    parameter: [[1, outputs], [3, (kernel - 1) / 2], [4, kernel], ...extra],
  };
}

/** A fully connected layer. */
export function connected(name: string, inputs: number, outputs: number): TestLayer {
  return {
    name,
    type: 'InnerProduct',
    blobs: [blob([outputs, inputs]), blob([outputs], 1000)],
    parameter: [[1, outputs]],
  };
}

/** Max-pooling 2×2, stride 2. */
export const pool = (name: string, extra: Fields = []): TestLayer => ({
  name,
  type: 'Pooling',
  parameter: [[2, 2], [3, 2], ...extra],
});

/** ReLU. */
export const relu = (name: string): TestLayer => ({ name, type: 'ReLU' });

/** The layers of a VGG network of two channels, inputSize 32, hidden 3, four classes. */
export function vggLayers(blocks: readonly number[]): TestLayer[] {
  const layers: TestLayer[] = [];
  for (const [block, count] of blocks.entries()) {
    for (let position = 1; position <= count; position++) {
      const end = `${String(block + 1)}_${String(position)}`;
      layers.push(convolution(`conv${end}`, block === 0 && position === 1 ? 3 : 2, 2), relu(`relu${end}`));
    }
    layers.push(pool(`pool${String(block + 1)}`));
  }
  layers.push(connected('fc6', 2, 3), relu('relu6'), { name: 'drop6', type: 'Dropout' });
  layers.push(connected('fc7', 3, 3), relu('relu7'), connected('fc8', 3, 4), {
    name: 'prob',
    type: 'Softmax',
  });
  return layers;
}
