// The query parameters of POST /v1/classify: the one table that requests are read by and that the OpenAPI document
// shows. Knows names, forms and ranges; what they mean for an answer, vgg/ knows.

import { LONGEST_SIDE, MAX_MODELS, MAX_TOP } from '../../../sdk/index.ts';
import { expected } from '../../../vgg/errors.ts';
import {
  KERNELS,
  MAX_ALIGN,
  MAX_GRID,
  MAX_SCALES,
  PROTOCOLS,
  SCORE_ORDERS,
  SHARES,
  STOPS,
} from '../../../vgg/views.ts';
import type { JsonSchema } from './json-schema.ts';

/** A parameter: how it is read, and what is said of it. */
export interface Parameter<Value> {
  readonly schema: JsonSchema;
  /**
   * The value of what was given, as texts; undefined for nothing.
   *
   * @throws VggError INVALID_ARGUMENT naming the parameter
   */
  read(given: readonly string[], name: string): Value;
}

interface About {
  description: string;
  examples?: readonly unknown[];
}

const NUMBER = /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i;

/** Every parameter by its name, in the order in which they are listed. */
export const PARAMETERS = {
  model: names({
    description:
      'Name of a model, as GET /v1/models lists them; several, repeated or between commas, are averaged. Default: the default model.',
    examples: [['caltech-101-d']],
  }),
  protocol: word(PROTOCOLS, constantCase, {
    description:
      'Which views of the photo are scored. Case does not matter, and - is _. Default: MULTI_CROP.',
    examples: ['DENSE'],
  }),
  scales: numbers({
    description:
      'Smallest side of the rescaled photo in pixels, between commas: each at least the side of a crop and at most twice the largest default. Default: the scales of the model.',
    examples: [[72, 112]],
  }),
  grid: number(1, MAX_GRID, { description: 'Crops along each side, for MULTI_CROP. Default: 5.' }),
  align: number(1, MAX_ALIGN, {
    description:
      "Crop offsets are multiples of this many pixels; 1 is the paper's regular grid. Default: 8 for MULTI_CROP and DENSE_AND_MULTI_CROP, 1 for others.",
  }),
  kernel: word(KERNELS, (text) => text.toLowerCase(), {
    description: 'How pixels are interpolated. Default: as the model was trained.',
  }),
  scoreOrder: word(SCORE_ORDERS, constantCase, {
    description: 'Order of the spatial mean and softmax. Default: MEAN_THEN_SOFTMAX.',
  }),
  share: word(SHARES, upperCase, {
    description:
      'Whether what views have in common is computed once where that is quicker, or never. Default: AUTO.',
  }),
  stop: word(STOPS, upperCase, {
    description:
      'EXACT: the answer comes as soon as no view that is still to come could change the most probable class; its other scores then differ. Default: NONE.',
  }),
  top: number(1, MAX_TOP, {
    description: 'Predictions in the answer; at most as many as there are classes. Default: 5.',
    examples: [3],
  }),
  posterior: flag({ description: 'Whether the probabilities of all classes are in the answer.' }),
  views: flag({ description: "Whether each view's rectangle, weight and posterior are in the answer." }),
  scoreMaps: flag({ description: "Whether each dense view's class scores by location are in the answer." }),
} as const;

/** The schema of the query as a whole. */
export const querySchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: Object.fromEntries(Object.entries(PARAMETERS).map(([name, { schema }]) => [name, schema])),
};

function names(about: About): Parameter<string[]> {
  const schema = { type: 'array', items: { type: 'string' }, maxItems: MAX_MODELS, ...about };
  return {
    schema,
    read: (given) => given.flatMap((each) => each.split(',')).filter((each) => each !== ''),
  };
}

function word<const Word extends string>(
  of: readonly Word[],
  spelled: (text: string) => string,
  about: About,
): Parameter<Word | undefined> {
  return {
    schema: { type: 'string', enum: [...of], ...about },
    read: (given, name) => {
      const text = once(given, name);
      if (text === undefined) return undefined;
      const came = spelled(text);
      const found = of.find((each) => each === came);
      if (!found) throw expected(`${name} to be one of ${of.join(', ')}`, came, name);
      return found;
    },
  };
}

function number(minimum: number, maximum: number, about: About): Parameter<number | undefined> {
  return {
    schema: { type: 'integer', minimum, maximum, ...about },
    read: (given, name) => {
      const text = once(given, name);
      return text === undefined ? undefined : readNumber(text, name);
    },
  };
}

function numbers(about: About): Parameter<number[] | undefined> {
  return {
    schema: {
      type: 'array',
      items: { type: 'integer', minimum: 1, maximum: LONGEST_SIDE },
      minItems: 1,
      maxItems: MAX_SCALES,
      ...about,
    },
    read: (given, name) =>
      once(given, name)
        ?.split(',')
        .map((each, i) => readNumber(each, `${name}[${String(i)}]`)),
  };
}

function flag(about: About): Parameter<boolean> {
  return {
    schema: { type: 'boolean', default: false, ...about },
    read: (given, name) => {
      const text = once(given, name);
      if (text === undefined || text === 'false' || text === '0') return false;
      if (text === 'true' || text === '1') return true;
      throw expected(`${name} to be true or false`, text, name);
    },
  };
}

// An option without a value is one that is not given.
function once(given: readonly string[], name: string): string | undefined {
  if (given.length > 1) throw expected(`${name} once`, `it ${String(given.length)} times`, name);
  return given[0] === '' ? undefined : given[0];
}

function readNumber(text: string, field: string): number {
  const value = NUMBER.test(text) ? Number(text) : NaN;
  if (Number.isNaN(value)) throw expected('a number', text, field);
  return value;
}

function constantCase(name: string): string {
  return name.toUpperCase().replaceAll('-', '_');
}

function upperCase(name: string): string {
  return name.toUpperCase();
}
