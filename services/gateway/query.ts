// The query of POST /v1/classify → options, by the table of parameters. Ranges are checked by whoever uses them.

import { expected } from '../../vgg/errors.ts';
import type { Evaluation } from '../../vgg/views.ts';
import { PARAMETERS } from './schemas/parameters.ts';

/** What a query may say. */
export interface ClassifyQuery {
  models: string[];
  evaluation: Partial<Evaluation>;
  top: number | undefined;
  posterior: boolean;
  viewScores: boolean;
  scoreMaps: boolean;
}

type Name = keyof typeof PARAMETERS;

const NAMES = Object.keys(PARAMETERS);

/**
 * Reads a query; `model` may be given several times. Protocols are written MULTI_CROP or multi-crop.
 *
 * @throws VggError INVALID_ARGUMENT naming the parameter
 */
export function readQuery(query: Record<string, unknown>): ClassifyQuery {
  for (const name of Object.keys(query)) {
    if (!NAMES.includes(name)) throw expected(`parameters ${NAMES.join(', ')}`, name, 'query');
  }
  const read = <Each extends Name>(name: Each) =>
    PARAMETERS[name].read([query[name] ?? []].flat().map(String), name) as ReturnType<
      (typeof PARAMETERS)[Each]['read']
    >;
  const chosen = {
    protocol: read('protocol'),
    scales: read('scales'),
    grid: read('grid'),
    align: read('align'),
    kernel: read('kernel'),
    scoreOrder: read('scoreOrder'),
    share: read('share'),
    stop: read('stop'),
  };
  return {
    models: read('model'),
    // What was not said is the model's to choose.
    evaluation: Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined)),
    top: read('top'),
    posterior: read('posterior'),
    viewScores: read('views'),
    scoreMaps: read('scoreMaps'),
  };
}
