// What the paper says of its networks, as comparisons of two rows. Knows claims; not whether they hold.

import type { Protocol } from '../../vgg/views.ts';

/** A row of the results: one trial or the mean of several, with a protocol, at one test scale or at three. */
export interface RowName {
  /** Trials; their posteriors are averaged. */
  trials: readonly string[];
  protocol: Protocol;
  scales: 'one' | 'three';
}

/** That one row has fewer errors than another, or that it has not. */
export interface Claim {
  /** A sentence. */
  text: string;
  /** Where the paper says it. */
  source: string;
  says: 'fewer' | 'not fewer';
  /** The row that has fewer errors, or has not. */
  row: RowName;
  than: RowName;
}

const dense = (trial: string, scales: RowName['scales'] = 'one'): RowName => ({
  trials: [trial],
  protocol: 'DENSE',
  scales,
});
const crop = (trial: string): RowName => ({ trials: [trial], protocol: 'CENTER_CROP', scales: 'one' });
const three = (trial: string, protocol: Protocol): RowName => ({
  trials: [trial],
  protocol,
  scales: 'three',
});
const both = (...trials: string[]): RowName => ({
  trials,
  protocol: 'DENSE_AND_MULTI_CROP',
  scales: 'three',
});

function fewer(text: string, source: string, row: RowName, than: RowName): Claim {
  return { text, source, says: 'fewer', row, than };
}

/** In the order of the paper's sections. */
export const CLAIMS: readonly Claim[] = [
  {
    ...{ text: 'LRN does not help: A-LRN is not better than A', source: '4.1' },
    ...{ says: 'not fewer', row: dense('a-lrn-plain'), than: dense('a-plain') },
  },
  fewer('Error falls with depth: B is better than A', '4.1', dense('b'), dense('a')),
  fewer('Error falls with depth: D is better than B', '4.1', dense('d'), dense('b')),
  fewer('Error falls with depth: E is better than D', '4.1', dense('e'), dense('d')),
  fewer('Error falls with depth: E is better than A', '4.1', dense('e'), dense('a')),
  fewer('More non-linearity helps: C (1×1) is better than B', '4.1', dense('c'), dense('b')),
  fewer('Context helps too: D (3×3) is better than C (1×1)', '4.1', dense('d'), dense('c')),
  fewer('Two 3×3 are better than one 5×5: B against B-5x5, one crop', '4.1', crop('b'), crop('b-5x5')),
  fewer('Scale jitter in training helps: C', '4.1', dense('c-jitter'), dense('c')),
  fewer('Scale jitter in training helps: D against S = 256', '4.1', dense('d-jitter'), dense('d')),
  fewer('Scale jitter in training helps: D against S = 384', '4.1', dense('d-jitter'), dense('d-384')),
  fewer('Scale jitter in training helps: E', '4.1', dense('e-jitter'), dense('e')),
  fewer('Several test scales help: D', '4.2', dense('d-jitter', 'three'), dense('d-jitter')),
  fewer('Several test scales help: E', '4.2', dense('e-jitter', 'three'), dense('e-jitter')),
  fewer(
    'Multi-crop is better than dense: D',
    '4.3',
    three('d-jitter', 'MULTI_CROP'),
    three('d-jitter', 'DENSE'),
  ),
  fewer(
    'Multi-crop is better than dense: E',
    '4.3',
    three('e-jitter', 'MULTI_CROP'),
    three('e-jitter', 'DENSE'),
  ),
  fewer(
    'They complement each other: both are better than dense, D',
    '4.3',
    both('d-jitter'),
    three('d-jitter', 'DENSE'),
  ),
  fewer(
    'They complement each other: both are better than multi-crop, D',
    '4.3',
    both('d-jitter'),
    three('d-jitter', 'MULTI_CROP'),
  ),
  fewer(
    'They complement each other: both are better than dense, E',
    '4.3',
    both('e-jitter'),
    three('e-jitter', 'DENSE'),
  ),
  fewer(
    'They complement each other: both are better than multi-crop, E',
    '4.3',
    both('e-jitter'),
    three('e-jitter', 'MULTI_CROP'),
  ),
  fewer(
    'Averaging two networks helps: D and E against D',
    '4.4',
    both('d-jitter', 'e-jitter'),
    both('d-jitter'),
  ),
  fewer(
    'Averaging two networks helps: D and E against E',
    '4.4',
    both('d-jitter', 'e-jitter'),
    both('e-jitter'),
  ),
  {
    ...{ text: 'Glorot initialisation makes pre-initialisation needless: D', source: '3.1' },
    ...{ says: 'not fewer', row: dense('d-plain-from-a'), than: dense('d-plain') },
  },
];
