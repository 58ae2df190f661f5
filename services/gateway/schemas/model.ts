// What a model is, as JSON. The compiler holds its names to those of the SDK's Model.

import type { Model, Rgb } from '../../../sdk/index.ts';
import { KERNELS } from '../../../vgg/views.ts';
import { exactly, the, type JsonSchema } from './json-schema.ts';

const count = (description: string): JsonSchema => ({ type: 'integer', minimum: 1, description });
const text = (description: string): JsonSchema => ({ type: 'string', description });
const level = { type: 'number', minimum: 0, maximum: 255 };

const model: Record<keyof Model, JsonSchema> = {
  name: text('Name, for the parameter model.'),
  network: text('Row of the paper’s Table 1: A, A-LRN, B, C, D, E or B-5x5.'),
  width: { type: 'number', exclusiveMinimum: 0, description: "Multiplier of every convolution's width." },
  hidden: count('Width of the first two fully connected layers.'),
  classes: count('Number of classes.'),
  inputSize: count('Side of a crop, in pixels.'),
  mean: exactly<keyof Rgb>(
    { red: level, green: level, blue: level },
    { description: 'Mean colour, subtracted from every pixel.' },
  ),
  scales: { type: 'array', items: count('Pixels.'), description: 'Default scales, in pixels.' },
  kernel: { type: 'string', enum: [...KERNELS], description: 'How pixels were interpolated in training.' },
  labels: { type: 'array', items: { type: 'string' }, description: 'Class names in order of their index.' },
  parameters: count('Weights and biases.'),
  macs: count('Multiply-accumulates of one crop.'),
  sha256: { type: 'string', pattern: '^[0-9a-f]{64}$', description: 'Of the weights file.' },
  provenance: text('Where the weights come from.'),
  licence: text('Licence of the weights.'),
  isDefault: { type: 'boolean', description: 'Whether it answers requests that name no model.' },
  engine: text('Engine that runs it: onnx or tensorflow.'),
};

/** The schemas by the names that the document gives them. */
export const modelSchemas: Readonly<Record<string, JsonSchema>> = {
  Model: exactly(model, { description: 'A model that can be asked.' }),
  Models: exactly({
    models: { type: 'array', items: the('Model'), description: 'The default one first, then by name.' },
  }),
};
