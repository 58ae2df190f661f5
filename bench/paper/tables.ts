// The results as a page of Markdown. Knows layout and words; computes nothing.

import type { Protocol } from '../../vgg/views.ts';
import type { ClaimResult, ResultRow, Results } from './results.ts';
import { RATES } from './trials.ts';

const EVALUATIONS: Partial<Record<Protocol, string>> = {
  CENTER_CROP: 'centre crop',
  DENSE: 'dense',
  MULTI_CROP: 'multi-crop',
  DENSE_AND_MULTI_CROP: 'multi-crop & dense',
};

/** The page. */
export function markdown(results: Results): string {
  const { dataset, budget, seeds, photos, rows, training } = results;
  const own = rows.filter(({ trials }) => trials.length === 1);
  const hours = training.reduce((sum, { minutes }) => sum + minutes, 0) / 60;
  const several = seeds.length > 1;
  return `# The paper's experiments in small

Written by \`node dist/bench/paper.js PHOTOS --seeds ${seeds.join(',')} --epochs ${String(budget.epochs)}\`; [results.json](results.json) has every number.

Photos: ${dataset}. Inputs of ${String(budget.inputSize)} × ${String(budget.inputSize)}, convolutions ${String(1 / budget.width)} times narrower than the paper's, ${String(budget.hidden)} hidden
outputs. Every network has the same budget: ${String(budget.epochs)} epochs of SGD in batches of ${String(budget.batch)}, the rate falling by a cosine, dropout ${String(budget.dropout)}, the
rest as in the paper. A quarter of each class (${String(photos)} photos) is held out and all errors are on it. ${several ? `Seeds ${seeds.join(', ')} each have a split, an order and an initialisation of their own; errors are their means.` : 'One seed.'}
Training took ${hours.toFixed(1)} hours of two shared cores. Scales are the paper's in units of the input: S = 73 is its 256, 110 its 384, 146 its 512.

Two things differ from the paper, and why:

- **Batch normalisation.** The paper's networks have none. Without it the deep ones learn so slowly that this budget would say
  little of them (compare \`d-plain\` with \`d\` below), so networks named \`-plain\` are the paper's own and
  answer the questions about LRN and initialisation; the others are normalised. Rates are ${String(RATES.normalised)} with and ${String(RATES.plain)} without it.
- **No fine-tuning chain.** S = 384 and jittered networks begin from the same initialisation as the others, so that budgets are equal.

The epoch that is kept is the one with the least error on the held-out photos, for every network alike; errors are therefore a little
too good as such, while differences are not.

The budget is small: the curves below have not come to rest, and those of deeper and of jittered networks least of all. So what is found
here is what these networks reach in ${String(budget.epochs)} epochs, not what they could; \`--epochs\` gives them more.

## What the paper says, and what was found

![Differences with intervals](claims.svg)

Differences in percentage points of top-1 error, positive where the first row has fewer errors. The interval is a bootstrap over photos, paired${several ? ', and over seeds; the differences in each seed stand beside it' : '. It says nothing of other seeds, which move a network by about a point'}.
*Open*: the interval holds zero.

${table(
  ['the paper’s claim', 'section', 'photos', 'difference', '95 %', ...(several ? ['by seed'] : []), 'here'],
  results.claims.map((each) => claimCells(each, several)),
)}

## Each network

${section(
  'One test scale (the paper’s Table 3)',
  own.filter(({ test, protocol }) => test.length === 1 && protocol === 'DENSE'),
  several,
)}
${section(
  'One crop',
  own.filter(({ test, protocol }) => test.length === 1 && protocol === 'CENTER_CROP'),
  several,
)}
${section(
  'Several test scales, dense (Table 4)',
  own.filter(({ test, protocol }) => test.length > 1 && protocol === 'DENSE'),
  several,
)}
${section(
  'Ways of evaluating, three test scales (Table 5)',
  own.filter(
    ({ test, trials }) =>
      test.length > 1 &&
      rows.some((row) => row.trials.join() === trials.join() && row.protocol === 'MULTI_CROP'),
  ),
  several,
)}
${section(
  'The average of two networks, three test scales (Table 6)',
  rows.filter(({ trials, test }) => trials.length > 1 && test.length > 1),
  several,
)}
## How they learned

![Error over epochs](curves.svg)

${table(
  ['network', 'minutes of training', 'least error of one crop, % (epoch)'],
  [...new Set(training.map(({ trial }) => trial))].map((name) => {
    const runs = training.filter(({ trial }) => trial === name);
    const least = runs.map(({ epochs }) => {
      const [best] = [...epochs].sort((a, b) => (a.validation?.top1 ?? 1) - (b.validation?.top1 ?? 1));
      return `${(100 * (best?.validation?.top1 ?? NaN)).toFixed(1)} (${String(best?.epoch)})`;
    });
    return [`\`${name}\``, runs.map(({ minutes }) => minutes.toFixed(0)).join(', '), least.join(', ')];
  }),
)}
`;
}

function claimCells(
  { claim, difference, interval: [low, high], seeds, photos, verdict }: ClaimResult,
  several: boolean,
): string[] {
  return [
    claim.text,
    claim.source,
    String(photos),
    signed(difference),
    `${signed(low)} to ${signed(high)}`,
    ...(several ? [seeds.map(signed).join(', ')] : []),
    verdict === 'reproduced' ? '**reproduced**' : verdict,
  ];
}

function section(title: string, rows: readonly ResultRow[], several: boolean): string {
  if (rows.length === 0) return '';
  const header = [
    'network',
    'train S',
    'test Q',
    'evaluation',
    'photos',
    'top-1',
    '95 %',
    'top-5',
    ...(several ? ['top-1 by seed'] : []),
    'paper, on ImageNet',
  ];
  const cells = rows.map((row) => [
    row.trials.map((trial) => `\`${trial}\``).join(' + '),
    row.train.join('–'),
    row.test.join(', '),
    EVALUATIONS[row.protocol] ?? row.protocol,
    String(row.photos),
    row.top1Error.toFixed(1),
    row.interval.map((end) => end.toFixed(1)).join('–'),
    row.top5Error.toFixed(1),
    ...(several ? [row.seeds.map((error) => error.toFixed(1)).join(', ')] : []),
    row.paper ? `${row.paper.top1Error.toFixed(1)} / ${row.paper.top5Error.toFixed(1)}` : '',
  ]);
  return `### ${title}\n\n${table(header, cells)}\n`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lineOf = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [lineOf(header), lineOf(header.map(() => '---')), ...rows.map(lineOf)].join('\n');
}

function signed(points: number): string {
  return points === 0 ? '0.0' : `${points > 0 ? '+' : '−'}${Math.abs(points).toFixed(1)}`;
}
