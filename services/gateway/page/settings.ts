// What a visitor chose: read from and written to the address, and turned into a query of POST /v1/classify.
// Knows names and forms; ranges are those of the method.

import { VggError } from '../../../vgg/errors.ts';
import {
  PROTOCOLS,
  resolveEvaluation,
  type Evaluation,
  type Protocol,
} from '../../../vgg/views/evaluation.ts';
import { viewCount } from '../../../vgg/views/views.ts';

/** Choices; what is left out is the model's or the method's. */
export interface Settings {
  /** One, or two side by side. */
  protocols: readonly [Protocol] | readonly [Protocol, Protocol];
  /** Smallest sides in pixels as they were typed: `72, 92`; empty: the model's. */
  scales: string;
  grid: number | undefined;
  align: number | undefined;
  /** Stop as soon as the first class is certain. */
  exact: boolean;
  /** Names; none: the default model. Several are averaged. */
  models: readonly string[];
  top: number;
}

export const DEFAULTS: Settings = {
  protocols: ['MULTI_CROP'],
  scales: '',
  grid: undefined,
  align: undefined,
  exact: false,
  models: [],
  top: 5,
};

/** Most predictions that the page shows. */
export const MAX_TOP = 20;

/** A protocol as it is written in a query: `multi-crop`. */
export function kebab(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** Whether a protocol lays a grid, which `grid` and `align` are about. */
export function hasGrid(protocol: Protocol): boolean {
  return protocol === 'MULTI_CROP' || protocol === 'DENSE_AND_MULTI_CROP';
}

/** The query for one protocol, as short as it can be: defaults are left out. */
export function queryOf(settings: Settings, protocol: Protocol): URLSearchParams {
  const query = new URLSearchParams();
  for (const model of settings.models) query.append('model', model);
  query.set('protocol', kebab(protocol));
  const scales = settings.scales.replace(/\s+/g, '');
  if (scales !== '') query.set('scales', scales);
  if (hasGrid(protocol) && settings.grid !== undefined) query.set('grid', String(settings.grid));
  if (settings.align !== undefined) query.set('align', String(settings.align));
  if (settings.exact) query.set('stop', 'exact');
  if (settings.top !== DEFAULTS.top) query.set('top', String(settings.top));
  return query;
}

/** A query as text, with commas as commas. */
export function queryText(query: URLSearchParams): string {
  return query.toString().replaceAll('%2C', ',');
}

/** The settings as the part of an address after `#/?`; empty for the defaults. */
export function hashOf(settings: Settings): string {
  const [first, second] = settings.protocols;
  const query = queryOf({ ...settings }, first);
  if (settings.grid !== undefined) query.set('grid', String(settings.grid));
  if (first === DEFAULTS.protocols[0]) query.delete('protocol');
  if (second) query.set('compare', kebab(second));
  return queryText(query);
}

/** Settings from the part of an address after `#/?`. What cannot be read is left at its default. */
export function settingsOf(hash: string): Settings {
  const query = new URLSearchParams(hash);
  const first = protocolOf(query.get('protocol')) ?? DEFAULTS.protocols[0];
  const second = protocolOf(query.get('compare'));
  return {
    protocols: second ? [first, second] : [first],
    scales: query.get('scales') ?? '',
    grid: wholeOf(query.get('grid')),
    align: wholeOf(query.get('align')),
    exact: query.get('stop') === 'exact',
    models: query.getAll('model').filter((name) => name !== ''),
    top: Math.min(MAX_TOP, Math.max(1, wholeOf(query.get('top')) ?? DEFAULTS.top)),
  };
}

/** What the method makes of the settings: how many views, over which scales. */
export interface Outlook {
  evaluation: Evaluation;
  views: number;
}

/** The outlook, or what is wrong in the words of the server. */
export function outlookOf(
  settings: Settings,
  protocol: Protocol,
  model: { inputSize: number; scales: readonly number[] },
): Outlook | VggError {
  const typed = settings.scales.trim();
  try {
    const evaluation = resolveEvaluation(
      {
        protocol,
        ...(typed !== '' && { scales: typed.split(',').map((each) => Number(each.trim() || NaN)) }),
        ...(settings.grid !== undefined && { grid: settings.grid }),
        ...(settings.align !== undefined && { align: settings.align }),
      },
      model,
    );
    return { evaluation, views: viewCount(evaluation) };
  } catch (error) {
    if (error instanceof VggError) return error;
    throw error;
  }
}

function protocolOf(text: string | null): Protocol | undefined {
  const name = text?.toUpperCase().replaceAll('-', '_');
  return PROTOCOLS.find((each) => each === name);
}

function wholeOf(text: string | null): number | undefined {
  return text !== null && /^\d{1,4}$/.test(text) ? Number(text) : undefined;
}
