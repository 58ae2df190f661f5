// The query of POST /v1/classify → options. Knows names and forms; ranges are checked by whoever uses them.

import { expected } from '../../vgg/errors.ts';
import {
  KERNELS,
  PROTOCOLS,
  SCORE_ORDERS,
  SHARES,
  STOPS,
  type Evaluation,
  type Protocol,
} from '../../vgg/views.ts';

/** What a query may say. */
export interface ClassifyQuery {
  models: string[];
  evaluation: Partial<Evaluation>;
  top: number | undefined;
  posterior: boolean;
  viewScores: boolean;
  scoreMaps: boolean;
}

const NAMES = [
  'model',
  'protocol',
  'scales',
  'grid',
  'align',
  'kernel',
  'scoreOrder',
  'share',
  'stop',
  'top',
  'posterior',
  'views',
  'scoreMaps',
];

const NUMBER = /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i;

/**
 * Reads a query; `model` may be given several times. Protocols are written MULTI_CROP or multi-crop.
 *
 * @throws VggError INVALID_ARGUMENT naming the parameter
 */
export function readQuery(query: Record<string, unknown>): ClassifyQuery {
  for (const name of Object.keys(query)) {
    if (!NAMES.includes(name)) throw expected(`parameters ${NAMES.join(', ')}`, name, 'query');
  }
  const texts = (name: string) => [query[name] ?? []].flat().map(String);
  const text = (name: string) => {
    const values = texts(name);
    if (values.length > 1) throw expected(`${name} once`, `it ${String(values.length)} times`, name);
    return values[0] === '' ? undefined : values[0];
  };
  const scales = text('scales')
    ?.split(',')
    .map((scale, i) => number(scale, `scales[${String(i)}]`));
  const [protocol, kernel, scoreOrder, share, stop] = [
    'protocol',
    'kernel',
    'scoreOrder',
    'share',
    'stop',
  ].map(text);
  const [grid, align, top] = ['grid', 'align', 'top'].map((name) => {
    const value = text(name);
    return value === undefined ? undefined : number(value, name);
  });
  return {
    models: texts('model')
      .flatMap((name) => name.split(','))
      .filter((name) => name !== ''),
    evaluation: {
      ...(protocol !== undefined && { protocol: readProtocol(protocol) }),
      ...(kernel !== undefined && { kernel: oneOf(KERNELS, kernel.toLowerCase(), 'kernel') }),
      ...(scoreOrder !== undefined && {
        scoreOrder: oneOf(SCORE_ORDERS, constantCase(scoreOrder), 'scoreOrder'),
      }),
      ...(share !== undefined && { share: oneOf(SHARES, share.toUpperCase(), 'share') }),
      ...(stop !== undefined && { stop: oneOf(STOPS, stop.toUpperCase(), 'stop') }),
      ...(scales && { scales }),
      ...(grid !== undefined && { grid }),
      ...(align !== undefined && { align }),
    },
    top,
    posterior: flag(text('posterior'), 'posterior'),
    viewScores: flag(text('views'), 'views'),
    scoreMaps: flag(text('scoreMaps'), 'scoreMaps'),
  };
}

/** A protocol by its name, MULTI_CROP or multi-crop. @throws VggError INVALID_ARGUMENT */
function readProtocol(name: string): Protocol {
  return oneOf(PROTOCOLS, constantCase(name), 'protocol');
}

function constantCase(name: string): string {
  return name.toUpperCase().replaceAll('-', '_');
}

function number(text: string, field: string): number {
  const value = NUMBER.test(text) ? Number(text) : NaN;
  if (Number.isNaN(value)) throw expected('a number', text, field);
  return value;
}

function flag(text: string | undefined, name: string): boolean {
  if (text === undefined || text === 'false' || text === '0') return false;
  if (text === 'true' || text === '1') return true;
  throw expected(`${name} to be true or false`, text, name);
}

function oneOf<const Name extends string>(names: readonly Name[], came: string, field: string): Name {
  const name = names.find((each) => each === came);
  if (!name) throw expected(`${field} to be one of ${names.join(', ')}`, came, field);
  return name;
}
