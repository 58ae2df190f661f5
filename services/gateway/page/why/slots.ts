// From an answer to its views' places: which crop stands where in its grid, and which views were never computed.
// An answer names neither its grid nor its alignment, so they are found by what reproduces the views that it has.

import type { AnswerJson, ViewScoreJson } from '../../../../sdk/answer-json.ts';
import type { Protocol, Evaluation } from '../../../../vgg/views/evaluation.ts';
import type { Rectangle, Size } from '../../../../vgg/views/planes.ts';
import { evaluationViews, type View } from '../../../../vgg/views/views.ts';
import { inputSizeOf, onPhoto } from './place.ts';

/** A view of an evaluation, scored or not. */
export interface Slot {
  /** Place in the model's evaluation. */
  index: number;
  scale: number;
  mirrored: boolean;
  /** Whether it is a whole plane. */
  dense: boolean;
  /** In pixels of its plane. */
  rectangle: Rectangle;
  /** In fractions of the photo's sides. */
  place: Rectangle;
  /** Nothing: never computed. */
  view?: ViewScoreJson;
}

/** One model's views. */
export interface ModelViews {
  model: string;
  inputSize: number;
  slots: Slot[];
  /** Views that were never computed and whose places are not known either. */
  unplaced: number;
}

/** The models of an answer that has its views, in its order. */
export function modelsOf({ viewScores = [] }: AnswerJson): string[] {
  return [...new Set(viewScores.map(({ model }) => model))];
}

/** One model's views in the order of its evaluation. */
export function modelViews(answer: AnswerJson, model: string, photo: Size): ModelViews {
  const scored = (answer.viewScores ?? []).filter((view) => view.model === model);
  const inputSize = inputSizeFrom(scored, answer.protocol);
  const total = Math.max(
    Math.round((answer.viewsTotal ?? answer.views) / Math.max(modelsOf(answer).length, 1)),
    ...scored.map(({ index }) => index + 1),
  );
  const whole = wholeEvaluation(answer, { scored, total, inputSize }, photo);
  const slots = whole
    ? whole.map(({ view, scale, square }) => {
        const found = scored.find(({ index }) => index === view.index);
        return slotOf(
          { ...view, scale, ...(square && { square }) },
          isDense(view, answer, whole),
          photo,
          found,
        );
      })
    : scored.map((view) => slotOf(view, coversPlane(view, answer, photo), photo, view));
  return { model, inputSize, slots, unplaced: total - slots.length };
}

type PlacedView = Pick<ViewScoreJson, 'index' | 'scale' | 'mirrored' | 'square'> & Rectangle;

function slotOf(placed: PlacedView, dense: boolean, photo: Size, view: ViewScoreJson | undefined): Slot {
  const { index, scale, mirrored, x, y, width, height } = placed;
  const place = onPhoto(placed, photo);
  return { index, scale, mirrored, dense, rectangle: { x, y, width, height }, place, ...(view && { view }) };
}

interface WholeView {
  view: View;
  scale: number;
  square: Rectangle | undefined;
}

// The evaluation that has the answer's views among its own, if there is one.
function wholeEvaluation(
  { protocol, scales }: AnswerJson,
  { scored, total, inputSize }: { scored: readonly ViewScoreJson[]; total: number; inputSize: number },
  photo: Size,
): WholeView[] | undefined {
  const own = scored[0] === undefined ? scales : scalesOf(scored, scales);
  const crops = total / own.length / 2 - (protocol === 'DENSE_AND_MULTI_CROP' ? 1 : 0);
  const grid = Math.max(1, Math.round(Math.sqrt(crops)));
  for (const align of [8, ...Array.from({ length: 64 }, (_, i) => i + 1)]) {
    const { planes, views } = evaluationViews(
      photo,
      { ...REST, protocol: protocol as Protocol, scales: own, grid, align },
      inputSize,
    );
    const fits = (scored: ViewScoreJson) => {
      const view = views[scored.index];
      const sides = ['x', 'y', 'width', 'height', 'mirrored', 'plane'] as const;
      return view !== undefined && sides.every((side) => view[side] === scored[side]);
    };
    if (views.length === total && scored.every(fits)) {
      return views.map((view) => {
        const plane = planes[view.plane];
        return { view, scale: plane?.scale ?? 0, square: plane?.square };
      });
    }
  }
  return undefined;
}

// What does not move a view.
const REST: Pick<Evaluation, 'kernel' | 'scoreOrder' | 'share' | 'stop'> = {
  kernel: 'linear',
  scoreOrder: 'MEAN_THEN_SOFTMAX',
  share: 'AUTO',
  stop: 'NONE',
};

// An answer's scales are those of its first model; another's are in its views.
function scalesOf(scored: readonly ViewScoreJson[], scales: readonly number[]): number[] {
  const seen = [...new Set(scored.map(({ scale }) => scale))];
  return seen.every((scale) => scales.includes(scale)) ? [...scales] : seen;
}

function inputSizeFrom(scored: readonly ViewScoreJson[], protocol: string): number {
  const map = scored.find(({ scoreMap }) => scoreMap !== undefined && protocol.startsWith('DENSE'));
  if (map?.scoreMap) return inputSizeOf(map.height, map.scoreMap.shape[0]);
  return Math.min(...scored.map(({ width, height }) => Math.min(width, height)));
}

// The first view of each flip of a plane is the plane itself.
function isDense(view: View, { protocol }: AnswerJson, whole: readonly WholeView[]): boolean {
  if (protocol !== 'DENSE_AND_MULTI_CROP') return protocol === 'DENSE';
  const before = whole[view.index - 1]?.view;
  return before?.plane !== view.plane || before.mirrored !== view.mirrored;
}

function coversPlane(view: ViewScoreJson, { protocol }: AnswerJson, photo: Size): boolean {
  const { width, height } = onPhoto(view, photo);
  return protocol.startsWith('DENSE') && width > 0.99 && height > 0.99;
}
