// model.json: what a model is, without its weights.

import { VggError, expected } from '../errors.ts';
import { checkSpec, type NetworkSpec } from '../networks.ts';
import { KERNELS, type Kernel, type Rgb } from '../views/evaluation.ts';

/** The facts of a model, as model.json has them. */
export interface ModelJson extends Omit<NetworkSpec, 'batchNorm'> {
  /** Lower-case letters, digits, dots, dashes, underscores; the same as the folder's name. */
  name: string;
  /** Mean red, green, blue of the training set, subtracted from every pixel. */
  mean: [number, number, number];
  /** Default scales in pixels, each ≥ inputSize. */
  scales: number[];
  /** Resize kernel of the training. */
  kernel: Kernel;
  /** Where the weights come from, in words. */
  provenance: string;
  /** Licence of the weights, an SPDX identifier where there is one. */
  licence: string;
  /** The file that the weights were imported from. */
  source?: WeightsSource;
  /** SHA-256 of weights.safetensors, lower-case hexadecimal. */
  sha256: string;
}

/** A weights file as its publisher has it. */
export interface WeightsSource {
  /** Its name, without folders. */
  file: string;
  /** Where it was downloaded from. */
  url?: string;
  /** What it was recognised as, in words. */
  layout: string;
  /** SHA-256 of the file, lower-case hexadecimal. */
  sha256: string;
}

const FIELDS = [
  'name',
  'network',
  'width',
  'hidden',
  'classes',
  'inputSize',
  'mean',
  'scales',
  'kernel',
  'provenance',
  'licence',
  'source',
  'sha256',
] as const satisfies readonly (keyof ModelJson)[];

/**
 * Reads and checks the text of a model.json. `kernel`, `provenance`, `licence` and `source` may be missing.
 *
 * @throws VggError INVALID_ARGUMENT naming the field at fault
 */
export function parseModelJson(text: string): ModelJson {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new VggError('INVALID_ARGUMENT', 'Expected model.json to be JSON but it does not parse', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw expected('model.json to be an object', value, 'model.json');
  }
  return checkModelJson({ kernel: 'linear', provenance: '', licence: '', ...value });
}

/** Checks every field of a model's facts and returns them in their order. */
export function checkModelJson(value: object): ModelJson {
  for (const key of Object.keys(value)) {
    if (!FIELDS.some((field) => field === key)) throw expected(`fields ${FIELDS.join(', ')}`, key, key);
  }
  const json = value as ModelJson;
  checkModelName(json.name);
  checkSpec(json);
  checkMean(json.mean);
  if (!Array.isArray(json.scales) || json.scales.length === 0) {
    throw expected('at least one scale', json.scales, 'scales');
  }
  for (const [i, scale] of json.scales.entries()) {
    if (!(Number.isInteger(scale) && scale >= json.inputSize && scale <= 4096)) {
      throw expected(`scales from ${String(json.inputSize)} to 4096`, scale, `scales[${String(i)}]`);
    }
  }
  if (!KERNELS.includes(json.kernel))
    throw expected(`kernel to be one of ${KERNELS.join(', ')}`, json.kernel, 'kernel');
  for (const field of ['provenance', 'licence'] as const) {
    if (typeof json[field] !== 'string') throw expected(`${field} to be a text`, json[field], field);
  }
  if (json.source !== undefined) checkSource(json.source);
  checkSha256(json.sha256, 'sha256');
  const given = FIELDS.filter((field) => json[field] !== undefined);
  return Object.fromEntries(given.map((field) => [field, json[field]])) as unknown as ModelJson;
}

/** The text of a model.json, one field a line. */
export function formatModelJson(json: ModelJson): string {
  const given = FIELDS.filter((field) => json[field] !== undefined);
  const fields = given.map((field) => `  ${JSON.stringify(field)}: ${JSON.stringify(json[field])}`);
  return `{\n${fields.join(',\n')}\n}\n`;
}

/** Throws INVALID_ARGUMENT unless the name can be a folder's and an URL's. */
export function checkModelName(name: unknown): asserts name is string {
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9._-]{0,63}$/.test(name)) {
    throw expected(
      'name of 1 to 64 of a-z, 0-9, dot, dash, underscore, a letter or digit first',
      name,
      'name',
    );
  }
}

/** The mean as a colour. */
export function meanColour([red, green, blue]: ModelJson['mean']): Rgb {
  return { red, green, blue };
}

/** The default scales of a model that names none: the paper's 256, 384, 512 in units of inputSize 224. */
export function defaultScales(inputSize: number): number[] {
  return [256, 384, 512].map((scale) => Math.round((scale * inputSize) / 224));
}

function checkSource(source: unknown): void {
  if (typeof source !== 'object' || source === null)
    throw expected('source to be an object', source, 'source');
  const facts = source as Record<string, unknown>;
  for (const field of ['file', 'layout'] as const) {
    if (typeof facts[field] !== 'string') throw expected('a text', facts[field], `source.${field}`);
  }
  if (facts['url'] !== undefined && typeof facts['url'] !== 'string')
    throw expected('a text', facts['url'], 'source.url');
  checkSha256(facts['sha256'], 'source.sha256');
}

function checkSha256(value: unknown, field: string): void {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value))
    throw expected(`${field} to be 64 lower-case hexadecimal digits`, value, field);
}

function checkMean(mean: unknown): void {
  if (!Array.isArray(mean) || mean.length !== 3) throw expected('mean of three levels', mean, 'mean');
  for (const [i, level] of mean.entries()) {
    if (!(typeof level === 'number' && level >= 0 && level <= 255)) {
      throw expected('mean levels from 0 to 255', level, `mean[${String(i)}]`);
    }
  }
}
