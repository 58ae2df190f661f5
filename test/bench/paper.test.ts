// The paper's experiments before hours are spent on them: every claim has its rows, every trial its place, and
// differences are those of hand-made answers.

import { describe, expect, test } from 'vitest';
import { CLAIMS } from '../../bench/paper/claims.ts';
import { compare } from '../../bench/paper/comparison.ts';
import { SITTINGS, TRIALS, trialRecipe, trialTestScales } from '../../bench/paper/trials.ts';
import { checkRecipe } from '../../services/trainer/recipe.ts';

function trialOf(name: string) {
  const trial = TRIALS.find((each) => each.name === name);
  if (!trial) throw new Error(`no trial ${name}`);
  return trial;
}

describe('trials', () => {
  test('have recipes that train', () => {
    for (const trial of TRIALS) {
      expect(() => {
        checkRecipe(trialRecipe(trial, { epochs: 24, seed: 1 }, '/models'));
      }, trial.name).not.toThrow();
    }
  });

  test('begin with what is trained before them', () => {
    for (const [place, { name, from }] of TRIALS.entries()) {
      if (from !== undefined)
        expect(
          TRIALS.slice(0, place).map((each) => each.name),
          name,
        ).toContain(from);
    }
  });

  test('are evaluated once each, at scales that all of a sitting share', () => {
    expect(SITTINGS.flatMap(({ trials }) => trials).sort()).toEqual(TRIALS.map(({ name }) => name).sort());
    for (const { trials } of SITTINGS) {
      const scales = trials.map((name) => trialTestScales(trialOf(name)));
      for (const each of scales) expect(each).toEqual(scales[0]);
    }
  });

  test('are tested at the scales of the paper, in units of the input', () => {
    expect(trialTestScales(trialOf('d'))).toEqual({ one: [73], three: [64, 73, 82] });
    expect(trialTestScales(trialOf('d-jitter'))).toEqual({ one: [110], three: [73, 110, 146] });
  });
});

test.each(CLAIMS.flatMap(({ text, row, than }) => [row, than].map((name) => ({ text, ...name }))))(
  'a sitting measures $trials $protocol for "$text"',
  ({ trials, protocol }) => {
    const kebab = protocol.toLowerCase().replaceAll('_', '-');
    const measures = SITTINGS.some(
      (sitting) =>
        trials.every((trial) => sitting.trials.includes(trial)) &&
        sitting.protocols.includes(kebab) &&
        (trials.length === 1 || (sitting.fuse && sitting.trials.length === trials.length)),
    );
    expect(measures).toBe(true);
  },
);

describe('compare', () => {
  const ranks = (answers: string) =>
    new Map(Array.from(answers, (answer, photo) => [String(photo), answer === '+' ? 1 : 3]));

  test('is the difference of errors, in points, of each seed and of all', () => {
    // 1 of 4 photos wrong against 3 of 4; then 2 against 1.
    const first = [ranks('+++-'), ranks('+---')] as const;
    const second = [ranks('++--'), ranks('+++-')] as const;
    const { difference, seeds } = compare([first, second]);
    expect(seeds).toEqual([50, -25]);
    expect(difference).toBeCloseTo(12.5);
  });

  test('has an interval as wide as the paired differences allow', () => {
    // 60 photos only the second has wrong, 40 only the first, 900 neither or both: a difference of 2 points whose
    // deviation is √(0.1 − 0.02²) / √1000 = 0.998 points.
    const first = ranks('+'.repeat(60) + '-'.repeat(40) + '+'.repeat(900));
    const second = ranks('-'.repeat(60) + '+'.repeat(40) + '+'.repeat(900));
    const { difference, interval } = compare([[first, second]]);
    expect(difference).toBe(2);
    expect(interval[0]).toBeCloseTo(2 - 1.96 * 0.998, 0);
    expect(interval[1]).toBeCloseTo(2 + 1.96 * 0.998, 0);
  });

  test('of rows that are equal is zero, surely', () => {
    const row = ranks('+-+-+-');
    expect(compare([[row, row]])).toEqual({ difference: 0, interval: [0, 0], seeds: [0], photos: 6 });
  });

  test('leaves out photos that one row lacks, and refuses rows of other photos', () => {
    expect(compare([[ranks('+-'), ranks('-')]])).toMatchObject({ difference: 100, photos: 1 });
    expect(() => compare([[ranks('++'), new Map([['other', 1]])]])).toThrow('none');
  });
});
