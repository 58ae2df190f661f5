// The plan of vgg evaluate: what is asked has every view of every row, once; and the paper's numbers stand where
// they belong.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ModelFacts } from '../../cli/evaluate/models.ts';
import { paperError } from '../../cli/evaluate/paper.ts';
import { planOf, requestsFor } from '../../cli/evaluate/plan.ts';
import { evaluationViews, PROTOCOLS, viewCount, type Evaluation, type Protocol } from '../../vgg/views.ts';

function model(name: string, inputSize = 224, scales = [256, 384, 512]): ModelFacts {
  return { name, network: 'D', labels: ['a', 'b'], inputSize, scales, identity: { sha256: name } };
}

function asked(protocols: Protocol[], scaleSets: number[][] = [[256]], grid = 5, aligns = [1]): string[] {
  const { models } = planOf([model('d')], { protocols, scaleSets, grid, aligns, fuse: false });
  return (models[0]?.requests ?? []).map(({ protocol, scales, align }) => {
    const aligned = align === 1 ? '' : `, aligned to ${String(align)}`;
    return `${protocol} ${scales.join()}${aligned}`;
  });
}

// What a view shows of a photo.
function shownBy(
  photo: { width: number; height: number },
  evaluation: Evaluation,
  inputSize: number,
): string[] {
  const { planes, views } = evaluationViews(photo, evaluation, inputSize);
  return views.map(({ plane, x, y, width, height, mirrored }) => {
    const { scale, square } = planes[plane] ?? {};
    return JSON.stringify({ scale, square, x, y, width, height, mirrored });
  });
}

describe('requests', () => {
  test('serve the rows whose views they contain', () => {
    expect(asked(['CENTER_CROP', 'TEN_CROP', 'MULTI_CROP'])).toEqual(['MULTI_CROP 256']);
    expect(asked(['DENSE', 'MULTI_CROP', 'DENSE_AND_MULTI_CROP'])).toEqual(['DENSE_AND_MULTI_CROP 256']);
    expect(asked(['DENSE', 'CENTER_CROP'])).toEqual(['DENSE 256', 'CENTER_CROP 256']);
    // An even grid has no centre.
    expect(asked(['CENTER_CROP', 'TEN_CROP', 'MULTI_CROP'], [[256]], 4)).toEqual([
      'TEN_CROP 256',
      'MULTI_CROP 256',
    ]);
    expect(asked(['TEN_CROP', 'MULTI_CROP'], [[256]], 1)).toEqual(['TEN_CROP 256', 'MULTI_CROP 256']);
  });

  test('have the crops of each alignment, and dense passes once', () => {
    expect(asked(['DENSE', 'CENTER_CROP', 'MULTI_CROP'], [[256, 384], [256]], 5, [1, 8])).toEqual([
      'DENSE 256,384',
      'MULTI_CROP 256,384',
      'MULTI_CROP 256,384, aligned to 8',
    ]);
    expect(asked(['DENSE_AND_MULTI_CROP'], [[256]], 5, [16, 8])).toEqual([
      'DENSE 256',
      'MULTI_CROP 256, aligned to 16',
      'MULTI_CROP 256, aligned to 8',
    ]);
    expect(asked(['DENSE_AND_MULTI_CROP', 'DENSE'], [[256]], 5, [8])).toEqual([
      'DENSE_AND_MULTI_CROP 256, aligned to 8',
    ]);
    expect(asked(['DENSE'], [[256]], 5, [1, 8])).toEqual(['DENSE 256']);
  });

  test('ask about each scale once, whatever sets it is in', () => {
    expect(asked(['DENSE'], [[256], [384], [256, 384, 512]])).toEqual(['DENSE 256,384,512']);
    expect(
      asked(
        ['DENSE'],
        [
          [256, 288, 320],
          [352, 384],
        ],
      ),
    ).toEqual(['DENSE 256,288,320,352', 'DENSE 384']);
  });

  test('stay below 512 views', () => {
    expect(asked(['MULTI_CROP'], [[256, 384, 512]], 11)).toEqual(['MULTI_CROP 256,384', 'MULTI_CROP 512']);
  });

  test('have each view of each row, of any photo, where the plan says, and none that no row needs', () => {
    const side = fc.integer({ min: 1, max: 3000 });
    const sets = fc.array(fc.uniqueArray(fc.integer({ min: 64, max: 250 }), { minLength: 1, maxLength: 4 }), {
      minLength: 1,
      maxLength: 3,
    });
    const protocols = fc.uniqueArray(fc.constantFrom(...PROTOCOLS), { minLength: 1 });
    const options = fc.record({
      grid: fc.integer({ min: 1, max: 9 }),
      aligns: fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 2 }),
    });
    fc.assert(
      fc.property(side, side, sets, protocols, options, (width, height, scaleSets, protocols, options) => {
        const photo = { width, height };
        const facts = model('small', 64, [128, 256]);
        const { models, rows, views } = planOf([facts], { protocols, scaleSets, fuse: false, ...options });
        const [plan] = models;
        if (!plan) throw new Error('no plan');
        const found = plan.requests.map((request) => shownBy(photo, request, 64));
        expect(views).toBe(found.flat().length);
        const places = plan.requests.flatMap((request, i) =>
          [...Array(viewCount(request)).keys()].map((view) => `${String(i)} ${String(view)}`),
        );
        const used = new Set<string>();
        for (const { row, views } of plan.rows) {
          const { protocol = 'DENSE', scales = [[]], align = 1 } = rows[row] ?? {};
          const [first] = plan.requests;
          if (!first) throw new Error('no request');
          const evaluation = { ...first, protocol, align, scales: scales[0] ?? [] };
          expect(views.map(({ request, view }) => found[request]?.[view])).toEqual(
            shownBy(photo, evaluation, 64),
          );
          expect(views.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12);
          for (const { request, view } of views) used.add(`${String(request)} ${String(view)}`);
        }
        // GoogLeNet's crops and even grids share some crops with other protocols, which are then scored twice.
        if (options.grid % 2 === 1 && options.grid > 1 && !protocols.includes('GOOGLENET_144'))
          expect(used.size).toBe(places.length);
      }),
      { numRuns: 100 },
    );
  });

  test.each([
    [{}, 'AUTO'],
    [{ share: 'OFF' }, 'OFF'],
  ] as const)('wanted with %j have share %s', (wanted, share) => {
    const { models } = planOf([model('d')], {
      ...{ protocols: ['CENTER_CROP', 'DENSE'], scaleSets: [[256]], fuse: false },
      ...wanted,
    });
    expect(models[0]?.requests.map((each) => each.share)).toEqual([share, share]);
  });

  test('of nothing are none', () => {
    expect(requestsFor([])).toEqual([]);
  });
});

describe('rows', () => {
  test('are each model with each set and protocol; fused, every pair and all', () => {
    const models = ['d', 'e', 'f'].map((name) => model(name));
    const { rows } = planOf(models, {
      protocols: ['DENSE', 'MULTI_CROP'],
      scaleSets: [[256], [256, 384, 512]],
      fuse: true,
    });
    expect(rows.map(({ models }) => models.join('+'))).toEqual(
      ['0', '1', '2', '0+1', '0+2', '1+2', '0+1+2'].flatMap((name) => [name, name, name, name]),
    );
    expect(rows.at(-1)).toEqual({
      models: [0, 1, 2],
      protocol: 'MULTI_CROP',
      align: 8,
      scales: [
        [256, 384, 512],
        [256, 384, 512],
        [256, 384, 512],
      ],
      of: [3, 7, 11],
    });
  });

  test('are of each alignment where there are crops', () => {
    const { rows } = planOf([model('d'), model('e')], {
      ...{
        protocols: ['CENTER_CROP', 'DENSE', 'MULTI_CROP'],
        scaleSets: [[256]],
        aligns: [8, 1],
        fuse: true,
      },
    });
    const each = ['CENTER_CROP 8', 'CENTER_CROP 1', 'DENSE –', 'MULTI_CROP 8', 'MULTI_CROP 1'];
    expect(rows.map(({ protocol, align = '–' }) => `${protocol} ${String(align)}`)).toEqual([
      ...[...each, ...each, ...each],
    ]);
    expect(rows.at(-1)).toMatchObject({ models: [0, 1], of: [4, 9] });
  });

  test('have the model’s own scales unless told', () => {
    const { rows } = planOf([model('d', 64, [73, 110])], {
      protocols: ['DENSE'],
      scaleSets: [],
      fuse: false,
    });
    expect(rows[0]?.scales).toEqual([[73, 110]]);
  });

  test('that a model cannot have are refused', () => {
    const wanted = { protocols: ['DENSE' as const], scaleSets: [[200]], fuse: false };
    expect(() => planOf([model('d')], wanted)).toThrow('Expected scales ≥ 224 but received 200 (scales[0])');
  });
});

describe('the paper’s number', () => {
  const of = (
    networks: string[],
    protocol: Protocol,
    scales: number[],
    train?: number[],
    inputSize = 224,
  ) => {
    const all = <Value>(value: Value) => networks.map(() => value);
    const paper = paperError({
      networks,
      protocol,
      scales: all(scales),
      inputSizes: all(inputSize),
      ...(train && { train: all(train) }),
    });
    return paper && [paper.table, paper.top1Error, paper.top5Error];
  };

  test.each([
    [['A'], 'DENSE', [256], undefined, [3, 29.6, 10.4]],
    [['A-LRN'], 'DENSE', [256], undefined, [3, 29.7, 10.5]],
    [['D'], 'DENSE', [384], undefined, [3, 25.6, 8.1]],
    [['D'], 'DENSE', [384], [384], [3, 26.8, 8.7]],
    [['E'], 'DENSE', [256], undefined, [3, 27.3, 9.0]],
    [['E'], 'DENSE', [224, 256, 288], undefined, [4, 26.9, 8.7]],
    [['D'], 'DENSE', [512, 384, 256], [256, 512], [4, 24.8, 7.5]],
    [['D'], 'DENSE_AND_MULTI_CROP', [256, 384, 512], undefined, [5, 24.4, 7.2]],
    [['E', 'D'], 'DENSE_AND_MULTI_CROP', [256, 384, 512], undefined, [6, 23.7, 6.8]],
  ] as [string[], Protocol, number[], number[] | undefined, number[]][])(
    '%j %s at %j, trained at %j: %j',
    (networks, protocol, scales, train, paper) => {
      expect(of(networks, protocol, scales, train)).toEqual(paper);
    },
  );

  test('holds for other input sizes in proportion', () => {
    expect(of(['A'], 'DENSE', [73], undefined, 64)).toEqual([3, 29.6, 10.4]);
    expect(of(['C'], 'DENSE', [73, 110, 146], [73, 146], 64)).toEqual([4, 26.3, 8.2]);
  });

  test('is none where the paper has none', () => {
    expect(of(['D'], 'CENTER_CROP', [256])).toBeUndefined();
    expect(of(['D'], 'DENSE', [256], [384])).toBeUndefined();
    expect(of(['D'], 'DENSE', [300])).toBeUndefined();
    expect(of(['B-5x5'], 'DENSE', [256])).toBeUndefined();
    expect(of(['A', 'D'], 'DENSE', [256, 384, 512])).toBeUndefined();
  });
});
