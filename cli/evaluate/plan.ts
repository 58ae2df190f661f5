// What is measured, and what is asked for it: rows (a model, a protocol, an alignment, scales), and requests whose
// views serve several rows at once, so that no view of a photo is scored twice. Knows geometry; neither photos nor
// answers.

import {
  evaluationViews,
  resolveEvaluation,
  viewCount,
  type Evaluation,
  type Protocol,
} from '../../vgg/views.ts';
import { VggError } from '../../vgg/errors.ts';
import type { ModelFacts } from './models.ts';

/** A row of the tables: one model, or several whose posteriors are averaged. */
export interface Row {
  /** Places in the list of models. */
  models: readonly number[];
  protocol: Protocol;
  /** Crop offsets are multiples of so many pixels; none where there are no crops. */
  align?: number;
  /** For each model, in pixels. */
  scales: readonly (readonly number[])[];
  /** Rows of single models that it is the mean of; its own place for a single model. */
  of: readonly number[];
}

/** A view of a request, and its weight in a row. */
export interface RowView {
  /** Place in the model's requests. */
  request: number;
  /** The view's index in that request. */
  view: number;
  weight: number;
}

/** What one model is asked, and how its rows follow. */
export interface ModelPlan {
  model: number;
  requests: Evaluation[];
  /** By row of this model alone: its views. */
  rows: { row: number; views: RowView[] }[];
}

/** Everything that is measured. */
export interface Plan {
  rows: Row[];
  models: ModelPlan[];
  /** Views that one photo costs. */
  views: number;
}

/** What is wanted, before the models fill in what was left out. */
export interface Wanted {
  protocols: readonly Protocol[];
  /** Sets of test scales; empty: the model's own. */
  scaleSets: readonly (readonly number[])[];
  /** Whether pairs of models, and all of them, are averaged too. */
  fuse: boolean;
  grid?: number;
  /** Each for a row of its own; none: the protocol's. */
  aligns?: readonly number[];
  kernel?: Evaluation['kernel'];
  scoreOrder?: Evaluation['scoreOrder'];
  share?: Evaluation['share'];
}

// The services' own limits, so that what they would refuse is not asked.
const MOST_VIEWS = 512;
const MOST_SCALES = 4;

/** @throws VggError INVALID_ARGUMENT naming what a model cannot do */
export function planOf(models: readonly ModelFacts[], wanted: Wanted): Plan {
  const { protocols, scaleSets, aligns = [], fuse, ...options } = wanted;
  const rows: Row[] = [];
  const plans = models.map((facts, model): ModelPlan => {
    const evaluations = (scaleSets.length > 0 ? scaleSets : [[]]).flatMap((scales) =>
      protocols.flatMap((protocol) =>
        (aligns.length > 0 && hasCrops(protocol) ? aligns : [undefined]).map((align) =>
          resolveEvaluation({ ...options, protocol, scales, ...(align !== undefined && { align }) }, facts),
        ),
      ),
    );
    const requests = requestsFor(evaluations);
    const places = placesOf(requests, facts.inputSize);
    return {
      model,
      requests,
      rows: evaluations.map((evaluation) => {
        const { protocol, align, scales } = evaluation;
        const row = rows.length;
        rows.push({
          ...{ models: [model], protocol, scales: [scales], of: [row] },
          ...(hasCrops(protocol) && { align }),
        });
        return { row, views: rowViews(evaluation, facts.inputSize, places) };
      }),
    };
  });
  if (fuse) rows.push(...fusedRows(models.length, rows));
  const views = plans.flatMap(({ requests }) => requests).reduce((sum, each) => sum + viewCount(each), 0);
  return { rows, models: plans, views };
}

function hasCrops(protocol: Protocol): boolean {
  return protocol !== 'DENSE';
}

/**
 * The fewest requests that have every view of the evaluations, none twice, and no two grids. All have one grid,
 * kernel, order and share.
 */
export function requestsFor(evaluations: readonly Evaluation[]): Evaluation[] {
  const byScale = new Map<number, Evaluation[]>();
  for (const evaluation of evaluations) {
    for (const scale of evaluation.scales) byScale.set(scale, [...(byScale.get(scale) ?? []), evaluation]);
  }
  const requests = new Map<string, Evaluation>();
  for (const [scale, some] of [...byScale].sort(([a], [b]) => a - b)) {
    for (const request of covering(some)) {
      const key = `${request.protocol} ${String(request.align)}`;
      requests.set(key, { ...request, scales: [...(requests.get(key)?.scales ?? []), scale] });
    }
  }
  return [...requests.values()].flatMap((request) => {
    const { scales } = request;
    const each = viewCount({ ...request, scales: scales.slice(0, 1) });
    const most = Math.max(1, Math.min(MOST_SCALES, Math.floor(MOST_VIEWS / each)));
    return Array.from({ length: Math.ceil(scales.length / most) }, (_, i) => {
      return { ...request, scales: scales.slice(i * most, (i + 1) * most) };
    });
  });
}

// Evaluations whose views at a scale are all those of the given ones. Dense passes do not depend on the alignment:
// they go with the grid if there is one. Of several grids none has them, so that the time of each is its own.
function covering(evaluations: readonly Evaluation[]): Evaluation[] {
  const crops = new Map<number, Map<Protocol, Evaluation>>();
  let dense: Evaluation | undefined;
  for (const evaluation of evaluations) {
    const { protocol, align } = evaluation;
    if (protocol === 'DENSE' || protocol === 'DENSE_AND_MULTI_CROP')
      dense ??= { ...evaluation, protocol: 'DENSE', align: 1 };
    if (!hasCrops(protocol)) continue;
    const own = protocol === 'DENSE_AND_MULTI_CROP' ? 'MULTI_CROP' : protocol;
    const others = crops.get(align) ?? new Map<Protocol, Evaluation>();
    crops.set(align, others.set(own, { ...evaluation, protocol: own }));
  }
  const left = [...crops.values()].flatMap(coveringCrops);
  const [grid, ...more] = left.filter(({ protocol }) => protocol === 'MULTI_CROP');
  if (!dense) return left;
  if (!grid || more.length > 0) return [dense, ...left];
  return left.map((each) => (each === grid ? { ...grid, protocol: 'DENSE_AND_MULTI_CROP' } : each));
}

// The same of crops with one alignment. An odd grid has the centre, and with more than one place along a side also
// the corners.
function coveringCrops(crops: ReadonlyMap<Protocol, Evaluation>): Evaluation[] {
  const left = new Map(crops);
  const grid = left.get('MULTI_CROP')?.grid ?? 0;
  if (left.has('TEN_CROP') || grid % 2 === 1) left.delete('CENTER_CROP');
  if (grid % 2 === 1 && grid > 1) left.delete('TEN_CROP');
  return [...left.values()];
}

// Which view of which request a view is, by what it shows.
function placesOf(requests: readonly Evaluation[], inputSize: number): Map<string, Omit<RowView, 'weight'>> {
  const places = new Map<string, Omit<RowView, 'weight'>>();
  for (const [request, evaluation] of requests.entries()) {
    for (const [view, { key }] of sampleViews(evaluation, inputSize).entries()) {
      if (!places.has(key)) places.set(key, { request, view });
    }
  }
  return places;
}

function rowViews(
  evaluation: Evaluation,
  inputSize: number,
  places: ReadonlyMap<string, Omit<RowView, 'weight'>>,
): RowView[] {
  return sampleViews(evaluation, inputSize).map(({ key, weight }) => {
    const place = places.get(key);
    if (!place) throw new VggError('INTERNAL', `Expected a request with the view ${key}`);
    return { ...place, weight };
  });
}

// The order of an evaluation's views does not depend on the photo. So a view's place can be found on any photo:
// on one so large that no two crops of a grid coincide.
function sampleViews(evaluation: Evaluation, inputSize: number): { key: string; weight: number }[] {
  const scales = evaluation.scales.map((scale) => scale * SAMPLE);
  const { planes, views } = evaluationViews({ width: 4, height: 3 }, { ...evaluation, scales }, inputSize);
  return views.map(({ plane, x, y, width, height, mirrored, weight }) => {
    const { scale, square } = planes[plane] ?? { scale: 0 };
    // GoogLeNet's squares lie side by side or one above the other: what they share with others is up to the photo.
    const kind = evaluation.protocol === 'GOOGLENET_144' ? 'squares' : '';
    // Where crops of two alignments coincide is up to the photo too.
    const align = hasCrops(evaluation.protocol) && width === inputSize ? evaluation.align : '';
    const shown = [kind, align, scale, square?.x ?? '', square?.y ?? '', x, y, width, height, mirrored];
    return { key: shown.join(' '), weight };
  });
}
const SAMPLE = 1024;

// For each protocol and place in the list of scale sets: every pair, and all, where that is more than a pair.
function fusedRows(models: number, singles: readonly Row[]): Row[] {
  const each = singles.length / models;
  const pairs = Array.from({ length: models }, (_, a) =>
    Array.from({ length: models - a - 1 }, (_, b) => [a, a + b + 1]),
  ).flat();
  const groups = models > 2 ? [...pairs, Array.from({ length: models }, (_, model) => model)] : pairs;
  return groups.flatMap((group) =>
    Array.from({ length: each }, (_, place): Row => {
      const of = group.map((model) => model * each + place);
      const members = of.flatMap((row) => singles[row] ?? []);
      return {
        models: group,
        protocol: members[0]?.protocol ?? 'MULTI_CROP',
        ...(members[0]?.align !== undefined && { align: members[0].align }),
        scales: members.map(({ scales }) => scales[0] ?? []),
        of,
      };
    }),
  );
}
