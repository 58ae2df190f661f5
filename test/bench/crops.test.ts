// What is said of measured times: sums, ratios, tables, the plot, the page. Times are made up, but for the last tests,
// which read what is committed.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commandOf } from '../../bench/crops/machine.ts';
import { cropsBlocks, filled, installLine, sweepBlocks } from '../../bench/crops/page.ts';
import { cropsSvg, groupsOf } from '../../bench/crops/plot.ts';
import { productsOf } from '../../bench/crops/products.ts';
import {
  agrees,
  columnsOf,
  compared,
  largestDifference,
  roundsOf,
  type CropsResults,
  type NetworkResult,
  type WorkResult,
} from '../../bench/crops/results.ts';
import { sweepRatio, type SweepCase, type SweepResults } from '../../bench/crops/sweep.ts';
import {
  asMarkdown,
  asText,
  productsTable,
  summaryLines,
  sweepLine,
  sweepTable,
  timesTable,
} from '../../bench/crops/tables.ts';
import { takeTurns } from '../../bench/crops/turns.ts';
import { spread } from '../../bench/crops/works.ts';
import { quartiles } from '../../bench/median.ts';
import { packageRoot } from '../../proto/package-root.ts';
import { macs } from '../../vgg/networks.ts';

const PRODUCTS = { alone: 600e9, once: 200e9, units: 60e9 };

function work(height: number, naive: number[], here: number[], parts: Partial<WorkResult> = {}): WorkResult {
  return {
    ...{ protocol: 'MULTI_CROP', plane: { width: height + 85, height }, views: 50, together: 50 },
    products: PRODUCTS,
    sides: { naive: { computed: 10, ms: naive }, here: { computed: parts.views ?? 50, ms: here } },
    ...parts,
  };
}

/** Two planes: each crop by itself takes 100 ms; ncnn 50 ms; another gives other answers. */
const NETWORK: NetworkResult = {
  ...{ name: 'D', weights: 'random', inputSize: 224, grid: 5, align: 8, difference: 2e-6 },
  works: [
    work(256, [1000, 2000, 1000], [1000, 2000, 1000]),
    work(384, [1000, 2000, 1000], [2500, 5000, 2500]),
    work(256, [40], [20], { protocol: 'DENSE', views: 10, together: 0 }),
  ],
  early: [{ protocol: 'MULTI_CROP', taken: 70, ms: [2800, 5600, 2800] }],
  peers: [
    {
      ...{ name: 'ncnn', version: '1.0', way: 'default', batch: 1 },
      difference: 1e-6,
      computed: 4,
      ms: [200, 400, 200],
    },
    {
      ...{ name: 'mnn', version: '3.6', way: 'low', batch: 8 },
      difference: 0.25,
      computed: 4,
      ms: [100, 200, 100],
    },
  ],
};

const RESULTS: CropsResults = {
  command: 'node dist/bench/crops.js',
  machine: { processor: 'Z80', cores: 1, threads: 1, node: 'v20', engine: 'ort 1', load: [0.5, 1.5] },
  repeats: 3,
  absent: [{ name: 'pytorch', reason: 'No module named torch' }],
  networks: [NETWORK],
};

describe('quartiles', () => {
  test('lie between numbers where they must', () => {
    expect(quartiles([4, 1, 3, 2])).toEqual({ low: 1.75, middle: 2.5, high: 3.25 });
    expect(quartiles([7])).toEqual({ low: 7, middle: 7, high: 7 });
    expect(quartiles([]).middle).toBeNaN();
  });
});

describe('times', () => {
  const crops = NETWORK.works.slice(0, 2);

  test('of a part stand for all views, round by round', () => {
    expect(roundsOf(NETWORK, crops.slice(0, 1), 'naive')).toEqual([5000, 10_000, 5000]);
    expect(roundsOf(NETWORK, crops, 'here')).toEqual([3500, 7000, 3500]);
    expect(roundsOf(NETWORK, crops, 'ncnn')).toEqual([5000, 10_000, 5000]);
    expect(roundsOf(NETWORK, crops, 'nobody')).toEqual([]);
  });

  test('are compared within a round: a busy one counts as any other', () => {
    expect(compared(NETWORK, crops.slice(0, 1), 'here')?.ratio).toEqual({ low: 5, middle: 5, high: 5 });
    expect(compared(NETWORK, crops.slice(1), 'here')?.ratio.middle).toBe(2);
    expect(compared(NETWORK, crops, 'here')?.ratio.middle).toBeCloseTo(20 / 7);
    expect(compared(NETWORK, crops, 'ncnn')?.ratio.middle).toBe(2);
    expect(compared(NETWORK, crops, 'nobody')).toBeUndefined();
  });

  test('have a column for each plane and one for all', () => {
    expect(columnsOf(NETWORK, 'MULTI_CROP').map(({ title }) => title)).toEqual([
      '256 × 341',
      '384 × 469',
      'all',
    ]);
    expect(columnsOf(NETWORK, 'DENSE').map(({ title }) => title)).toEqual(['256 × 341']);
  });
});

describe('posteriors', () => {
  test('differ by the largest difference of any', () => {
    const some = [Float32Array.of(0.5, 0.5), Float32Array.of(1, 0)];
    expect(largestDifference(some, some)).toBe(0);
    expect(largestDifference(some, [Float32Array.of(0.5, 0.5), Float32Array.of(0.75, 0.25)])).toBe(0.25);
  });

  test.each([
    ['a NaN that comes first', [[NaN, 0.5]], [[0.5, 0.5]]],
    ['a NaN that comes last', [[0.5, 0.5]], [[0.25, NaN]]],
    ['too few', [[0.5, 0.5]], [[0.5]]],
    ['a view without', [[0.5, 0.5]], []],
  ])('with %s are not the same', (_, some, others) => {
    expect(largestDifference(some, others)).toBeNaN();
    expect(agrees(largestDifference(some, others))).toBe(false);
  });

  test('agree to a thousandth', () => {
    expect([0, 1e-3, 1.1e-3].map(agrees)).toEqual([true, true, false]);
  });
});

describe('turns', () => {
  test('go round, and the first round is not counted', async () => {
    const log: string[] = [];
    let clock = 0;
    const turn = (name: string) => () => {
      log.push(name);
      return Promise.resolve(clock++);
    };
    const pause = () => {
      log.push('-');
      return Promise.resolve();
    };
    expect(await takeTurns([turn('a'), turn('b')], 2, pause)).toEqual([
      [2, 4],
      [3, 5],
    ]);
    expect(log.join('')).toBe('-a-b'.repeat(3));
  });
});

describe('samples', () => {
  test('come from all over a list', () => {
    expect(spread([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 3)).toEqual([1, 5, 8]);
    expect(spread([1, 2], 3)).toEqual([1, 2]);
  });
});

describe('products', () => {
  const spec = { network: 'A', width: 1 / 16, hidden: 16, classes: 5, inputSize: 64 } as const;
  const view = { index: 0, plane: 0, x: 0, y: 0, width: 64, height: 64, mirrored: false, weight: 1 };
  const plane = { width: 96, height: 64, rgb8: new Uint8Array(new SharedArrayBuffer(96 * 64 * 3)) };
  const unit = {
    ...{ shapeKey: '', cost: 1, shared: false, pixels: 1, views: [view], plane },
    wanted: { scoreOrder: 'MEAN_THEN_SOFTMAX', scoreMaps: false, share: 'off' },
  } as const;

  test('of a view alone are the network’s, in whichever form they are counted', () => {
    const one = macs(spec, 64, 64);
    expect(productsOf(spec, [view], [unit])).toEqual({ alone: one, once: one, units: one });
  });

  test('of the same view twice are counted once where it is shared', () => {
    const one = macs(spec, 64, 64);
    const twice = productsOf(spec, [view, view], [unit, unit]);
    expect(twice).toEqual({ alone: 2 * one, once: one, units: 2 * one });
    expect(productsOf(spec, [view], [{ ...unit, shared: true }]).units).toBeLessThan(one / 2);
  });
});

describe('tables', () => {
  test('have milliseconds, spread and ratio of each side', () => {
    const { header, rows } = timesTable(NETWORK, 'MULTI_CROP');
    expect(header).toEqual(['', '256 × 341', '384 × 469', 'all', 'how']);
    expect(rows.map(([side]) => side)).toEqual([
      ...['each view by itself', 'vgg-serve', 'vgg-serve, stop=exact', 'ncnn 1.0', 'MNN 3.6'],
    ]);
    expect(rows[0]).toContain('5.00 s (5.00–7.50)');
    expect(rows[1]?.slice(1, 3)).toEqual(['1.00 s (1.00–1.50) 5.00 ×', '2.50 s (2.50–3.75) 2.00 ×']);
    expect(rows[0]?.at(-1)).toBe('10 of each plane, scaled');
    expect(rows[1]?.at(-1)).toBe('all, sharing; posteriors within 2e-6');
    // Which goes from plane to plane.
    expect(rows[2]?.slice(1)).toEqual([
      ...['', '', '2.80 s (2.80–4.20) 3.57 ×', 'first class known after 70 views'],
    ]);
    expect(rows[3]?.at(-1)).toBe('4 crops, scaled; batches of 1; posteriors within 1e-6');
  });

  test('mark whoever gives other posteriors', () => {
    expect(timesTable(NETWORK, 'MULTI_CROP').rows[4]?.at(-1)).toBe(
      '4 crops, scaled; low, batches of 8; POSTERIORS DIFFER: 3e-1',
    );
  });

  test('have peers at crops alone', () => {
    const { rows } = timesTable(NETWORK, 'DENSE');
    expect(rows.map(([side]) => side)).toEqual(['each view by itself', 'vgg-serve']);
    expect(rows.map((row) => row[1])).toEqual(['40.0 ms (40.0–40.0)', '20.0 ms (20.0–20.0) 2.00 ×']);
    expect(rows[1]?.at(-1)).toBe('all, none sharing');
  });

  test('count products', () => {
    expect(productsTable(NETWORK, 'MULTI_CROP').rows.at(-1)).toEqual([
      ...['all', '100', '1,200', '400 (3.00 times fewer)', '120 (10.00 times fewer)'],
    ]);
  });

  test('are laid out in columns or as Markdown', () => {
    const table = { header: ['a', 'bb'], rows: [['ccc', 'd']] };
    expect(asText(table)).toBe('a     bb\nccc   d');
    expect(asMarkdown(table)).toBe('| a | bb |\n| --- | --- |\n| ccc | d |');
  });
});

test('the summary names the quickest of those that agree', () => {
  expect(summaryLines(RESULTS)).toEqual([
    'D: 100 crops in 3.50 s, 2.9 times as fast as each by itself (10.0 s), and 1.4 times as fast as ncnn 1.0, the quickest of the others.',
  ]);
});

describe('the sweep', () => {
  const plane = { width: 40, height: 32 };
  const naive = { computed: 4, ms: [40, 80] };
  const slow: SweepCase = { plane, grid: 2, align: 8, naive, here: { computed: 8, ms: [160, 320] } };
  const fast: SweepCase = { plane, naive, here: { computed: 4, ms: [10, 20] } };
  const apart: SweepCase = { plane, grid: 1, align: 1, naive: { computed: 2, ms: [] } };

  test('compares the same views', () => {
    expect([slow, fast, apart].map(sweepRatio)).toEqual([0.5, 4, 1]);
  });

  test('says how far it goes', () => {
    expect(sweepLine({ name: 'D', inputSize: 32, cases: [slow, fast, apart] })).toBe(
      'D: 0.50 to 4.00 times as fast; 1 of 3 apart.',
    );
    expect(sweepLine({ name: 'D', inputSize: 32, cases: [apart] })).toBe('D: 1 of 1 apart.');
  });

  test('says where the default is slower', () => {
    expect(sweepTable({ name: 'D', inputSize: 32, cases: [slow, fast, apart] })).toEqual({
      header: ['plane', '2 × 2, by 8', 'dense', '1 × 1'],
      rows: [['32 × 40', 'SLOWER: 0.50', '4.00', 'apart']],
    });
  });
});

describe('the plot', () => {
  test('has a bar for each plane and one for each library that agrees', () => {
    const [crops, dense] = groupsOf(NETWORK);
    expect(crops?.title).toBe('100 crops');
    expect(crops?.bars.map(({ label, ratio }) => [label, Number(ratio.middle.toFixed(2))])).toEqual([
      ['vgg-serve, 256 × 341', 5],
      ['vgg-serve, 384 × 469', 2],
      ['vgg-serve, all', 2.86],
      ['vgg-serve, stop=exact', 3.57],
      ['ncnn 1.0', 2],
    ]);
    expect(dense?.bars.map(({ label }) => label)).toEqual(['vgg-serve, 256 × 341']);
  });

  test('draws bars as long as they are fast', () => {
    const svg = cropsSvg(RESULTS);
    const ends = [...svg.matchAll(/class="curve (?:training|validation)"[^>]* d="M250 [\d.]+H([\d.]+)"/g)];
    const lengths = ends.map(([, end]) => Number(end) - 250);
    expect(lengths).toHaveLength(5);
    expect((lengths[0] ?? NaN) / (lengths[1] ?? NaN)).toBeCloseTo(5 / 2, 2);
    expect((lengths[3] ?? NaN) / (lengths[1] ?? NaN)).toBeCloseTo(1, 2);
  });
});

describe('the page', () => {
  const page = 'before\n<!-- times: generated -->\nold\n<!-- times: end -->\nafter\n';

  test('keeps what is written by hand', () => {
    const once = filled(page, { times: '| new |' });
    expect(once).toBe('before\n<!-- times: generated -->\n\n| new |\n\n<!-- times: end -->\nafter\n');
    expect(filled(once, { times: '| new |' })).toBe(once);
  });

  test('must have a place for everything', () => {
    expect(() => filled(page, { products: '' })).toThrow('<!-- products: generated -->');
  });

  test('says who was not there', () => {
    expect(cropsBlocks(RESULTS)['run']).toContain('Not there: pytorch (No module named torch).');
  });
});

test('whatever is missing can be installed', () => {
  expect(installLine('python3', RESULTS.absent)).toMatch(/^python3 -m pip install torch /);
  expect(installLine('python3', [])).toBeUndefined();
});

test('commands name no path of this machine', () => {
  const args = ['--python', '/home/somebody/bin/python', '--json', 'docs/crops.json'];
  expect(commandOf('crops.js', args)).toBe('node dist/bench/crops.js --python PYTHON --json docs/crops.json');
  expect(commandOf('crops.js', ['--python', 'python3'])).toBe('node dist/bench/crops.js --python python3');
});

describe('docs/performance', () => {
  const read = (file: string) => readFileSync(join(packageRoot, 'docs', file), 'utf8');
  const crops = JSON.parse(read('performance/crops.json')) as CropsResults;
  const sweep = JSON.parse(read('performance/sweep.json')) as SweepResults;

  test('has the tables of its numbers', () => {
    const page = read('performance.md');
    expect(filled(page, { ...cropsBlocks(crops), ...sweepBlocks(sweep) })).toBe(page);
  });

  test('has the plot of its numbers', () => {
    expect(cropsSvg(crops)).toBe(read('performance/crops.svg'));
  });

  test('compares the same answers', () => {
    for (const { name, difference } of crops.networks) expect(agrees(difference), name).toBe(true);
  });
});
