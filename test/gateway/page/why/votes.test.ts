// Votes, counted and said, for answers that the method's own code makes.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AnswerJson, ViewScoreJson } from '../../../../sdk/answer-json.ts';
import { PosteriorMean, softmax } from '../../../../vgg/scores.ts';
import { resolveEvaluation, type Evaluation } from '../../../../vgg/views/evaluation.ts';
import { evaluationViews } from '../../../../vgg/views/views.ts';
import { gridsOf, neighbour } from '../../../../services/gateway/page/why/grids.ts';
import { modelViews } from '../../../../services/gateway/page/why/slots.ts';
import { classMap, tallyOf, topClasses, votesOf } from '../../../../services/gateway/page/why/votes.ts';
import {
  countSentence,
  percent,
  viewName,
  weightName,
  whereabouts,
} from '../../../../services/gateway/page/why/words.ts';

const PHOTO = { width: 320, height: 256 };

// An answer with every view's rectangle from the method, and posteriors over three classes.
function answerOf(
  options: Partial<Evaluation>,
  posterior: (index: number) => number[] = (index) => [...softmax([index % 7, index % 3, 1])],
): AnswerJson {
  const evaluation = resolveEvaluation({ scales: [72, 92], ...options }, { inputSize: 64, scales: [72, 92] });
  const { planes, views } = evaluationViews(PHOTO, evaluation, 64);
  const viewScores = views.map((view): ViewScoreJson => {
    const { scale = 0, square } = planes[view.plane] ?? {};
    return { model: 'm', ...view, scale, posterior: posterior(view.index), ...(square && { square }) };
  });
  return {
    ...{ photo: '', model: 'm', network: 'A', protocol: evaluation.protocol, scales: [...evaluation.scales] },
    ...{ views: views.length, engine: 'onnx', predictions: [], viewScores },
    timing: { prepareMs: 0, queueMs: 0, computeMs: 0, totalMs: 0 },
  };
}

describe('votes', () => {
  test('their weighted mean is the score of the answer', () => {
    const posterior = fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(posterior, { minLength: 104, maxLength: 104 }), (scores) => {
        const answer = answerOf({ protocol: 'DENSE_AND_MULTI_CROP' }, (i) => [...softmax(scores[i] ?? [])]);
        const views = answer.viewScores ?? [];
        const mean = new PosteriorMean(3);
        for (const view of views) mean.add(view.index, view.posterior, view.weight);
        for (const classIndex of [0, 1, 2]) {
          const tally = tallyOf(votesOf(views, classIndex), classIndex);
          expect(tally.mean).toBeCloseTo(mean.mean()[classIndex] ?? NaN, 12);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('every view puts one class first', () => {
    const views = answerOf({}).viewScores ?? [];
    const firsts = [0, 1, 2].map((classIndex) => tallyOf(votesOf(views, classIndex), classIndex).first);
    expect(firsts.reduce((sum, first) => sum + first, 0)).toBe(views.length);
    expect(Math.min(...firsts)).toBeGreaterThan(0);
  });

  test('strongest and weakest are the first of the largest and the smallest', () => {
    const answer = answerOf({ protocol: 'CENTER_CROP' }, (i) => (i === 1 ? [0.9, 0.1, 0] : [0.2, 0.5, 0.3]));
    const { strongest, weakest } = tallyOf(votesOf(answer.viewScores ?? [], 0), 0);
    expect([strongest?.view.index, strongest?.vote, weakest?.view.index, weakest?.vote]).toEqual([
      1, 0.9, 0, 0.2,
    ]);
  });

  test('the top classes, ties by index', () => {
    expect(topClasses([0.1, 0.4, 0.1, 0.4], 3).map(({ classIndex }) => classIndex)).toEqual([1, 3, 0]);
  });

  test('one class of a score map, raw and after a softmax over the classes at each location', () => {
    const scoreMap = { shape: [1, 2, 2] as [number, number, number], values: [0, Math.log(3), 5, 5] };
    expect(classMap(scoreMap, 1, 'score')).toEqual([Math.log(3), 5]);
    const [first, second] = classMap(scoreMap, 1, 'probability');
    expect(first).toBeCloseTo(0.75, 12);
    expect(second).toBeCloseTo(0.5, 12);
  });
});

describe('slots', () => {
  test.each([
    ['MULTI_CROP', {}],
    ['MULTI_CROP', { align: 1, grid: 3 }],
    ['DENSE_AND_MULTI_CROP', { grid: 4 }],
    ['TEN_CROP', {}],
    ['CENTER_CROP', {}],
    ['GOOGLENET_144', {}],
    ['DENSE', {}],
  ] as const)('%s %j: every view is in its place', (protocol, options) => {
    const answer = answerOf({ protocol, ...options });
    if (protocol === 'DENSE') {
      for (const view of answer.viewScores ?? []) {
        const rows = Math.floor(view.height / 32) - 1;
        view.scoreMap = { shape: [rows, Math.floor(view.width / 32) - 1, 3], values: [] };
      }
    }
    const { slots, inputSize, unplaced } = modelViews(answer, 'm', PHOTO);
    expect(slots.map(({ view }) => view)).toEqual(answer.viewScores);
    expect([inputSize, unplaced]).toEqual([64, 0]);
    const dense = slots.filter((slot) => slot.dense);
    expect(dense).toHaveLength(protocol.startsWith('DENSE') ? 4 : 0);
    for (const { place } of dense) expect(place).toEqual({ x: 0, y: 0, width: 1, height: 1 });
  });

  test('views that were never computed have places too, whatever the grid and its alignment', () => {
    const options = fc.record({ grid: fc.integer({ min: 2, max: 6 }), align: fc.constantFrom(1, 4, 8) });
    fc.assert(
      fc.property(options, fc.integer({ min: 0, max: 9 }), (chosen, rest) => {
        const whole = answerOf(chosen);
        const all = whole.viewScores ?? [];
        const viewScores = all.filter(({ index }) => index % 10 !== rest);
        const answer = { ...whole, viewScores, views: viewScores.length, viewsTotal: all.length };
        const { slots, unplaced } = modelViews(answer, 'm', PHOTO);
        expect([slots.length, unplaced]).toEqual([all.length, 0]);
        for (const slot of slots) expect(slot.view === undefined).toBe(slot.index % 10 === rest);
      }),
      { numRuns: 30 },
    );
  });

  test('an answer that no evaluation of this photo gives keeps the views that it has', () => {
    const answer = answerOf({ protocol: 'TEN_CROP' });
    const [first] = answer.viewScores ?? [];
    if (first) first.x += 3;
    expect(modelViews({ ...answer, viewsTotal: 25 }, 'm', PHOTO)).toMatchObject({ unplaced: 5 });
  });
});

describe('grids', () => {
  const multi = gridsOf(modelViews(answerOf({}), 'm', PHOTO).slots, 'MULTI_CROP');

  test('a table of 5 × 5 for each scale and flip, row by row', () => {
    expect(multi.map(({ scale, mirrored, rows, columns }) => [scale, mirrored, rows, columns])).toEqual([
      [72, false, 5, 5],
      [72, true, 5, 5],
      [92, false, 5, 5],
      [92, true, 5, 5],
    ]);
    expect(multi[1]?.cells[7]).toMatchObject({ row: 1, column: 2, slot: { index: 32 } });
  });

  test('arrows walk inside a table and into the next one', () => {
    const from = (index: number) =>
      (['left', 'right', 'up', 'down'] as const).map((step) => neighbour(multi, index, step)?.index);
    expect(from(12)).toEqual([11, 13, 7, 17]);
    expect(from(0)).toEqual([undefined, 1, undefined, 5]);
    expect(from(4)).toEqual([3, 25, undefined, 9]);
    expect(from(45)).toEqual([24, 46, 40, 75]);
  });

  test.each(['TEN_CROP', 'GOOGLENET_144', 'CENTER_CROP', 'MULTI_CROP'] as const)(
    '%s: arrows reach every crop, and each has a cell of its own',
    (protocol) => {
      const { slots } = modelViews(answerOf({ protocol }), 'm', PHOTO);
      const grids = gridsOf(slots, protocol);
      const reached = new Set([0]);
      for (const index of reached) {
        for (const step of ['left', 'right', 'up', 'down'] as const) {
          const next = neighbour(grids, index, step);
          if (next) reached.add(next.index);
        }
      }
      expect(reached.size).toBe(slots.length);
      for (const { cells } of grids) {
        expect(new Set(cells.map(({ row, column }) => `${String(row)} ${String(column)}`)).size).toBe(
          cells.length,
        );
      }
    },
  );
});

describe('words', () => {
  test('counts', () => {
    const of = (first: number, count: number) => ({ first, count, mean: 0 });
    expect(countSentence(of(31, 50), 'elephant', { scale: 256 })).toBe(
      '31 of 50 crops at 256 put elephant first.',
    );
    expect(countSentence(of(25, 25), 'ant', { mirrored: true })).toBe('All 25 mirrored crops put ant first.');
    expect(countSentence(of(0, 25), 'ant', { mirrored: false })).toBe(
      'None of 25 plain crops puts ant first.',
    );
    expect(countSentence(of(1, 3), 'ant', {})).toBe('1 of 3 crops puts ant first.');
    expect(countSentence(of(1, 1), 'ant', {})).toBe('The one crop puts ant first.');
    expect(countSentence(of(0, 0), 'ant', { scale: 72 })).toBe('No crop at 72 was computed.');
  });

  test('numbers', () => {
    expect([0, 0.0004, 0.5, 0.99951, 1].map(percent)).toEqual([
      '0 %',
      '< 0.1 %',
      '50.0 %',
      '> 99.9 %',
      '100 %',
    ]);
    expect([1 / 150, 1 / 3, 0.4].map(weightName)).toEqual(['1/150', '1/3', '0.400']);
  });

  test('places', () => {
    const at = (x: number, y: number, side = 0.6) => whereabouts({ x, y, width: side, height: side });
    expect([at(0, 0), at(0.2, 0.2), at(0.4, 0.2), at(0.2, 0.4)]).toEqual([
      'top left',
      'centre',
      'right',
      'bottom',
    ]);
    expect(at(0, 0, 1)).toBe('centre');
    const slot = modelViews(answerOf({}), 'm', PHOTO).slots[25];
    expect(slot && viewName(slot)).toBe('72, top left, mirrored');
  });
});
