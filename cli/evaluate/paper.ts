// What the paper reports (arXiv:1409.1556v6, Tables 3 to 6): top-1 and top-5 error on ImageNet's validation set.
// Knows networks, scales and protocols as the paper names them; not what was measured here.

import type { Protocol } from '../../vgg/views.ts';

/** The paper's number for a row. */
export interface PaperError {
  /** Of the paper: 3 to 6. */
  table: number;
  /** % of ImageNet's validation photos. */
  top1Error: number;
  top5Error: number;
}

interface PaperRow extends PaperError {
  networks: string;
  protocol: Protocol;
  /** Smallest side S in training: fixed, or drawn from [least, most]. */
  train: readonly number[];
  /** Smallest sides Q in the test. */
  test: readonly number[];
}

const JITTERED = [256, 512];
const THREE = [256, 384, 512];

// Where only the training scale differs, the later row stands if nobody says which.
const ROWS: readonly PaperRow[] = [
  dense(3, 'A', [256], [256], 29.6, 10.4),
  dense(3, 'A-LRN', [256], [256], 29.7, 10.5),
  dense(3, 'B', [256], [256], 28.7, 9.9),
  dense(3, 'C', [256], [256], 28.1, 9.4),
  dense(3, 'C', [384], [384], 28.1, 9.3),
  dense(3, 'C', JITTERED, [384], 27.3, 8.8),
  dense(3, 'D', [256], [256], 27.0, 8.8),
  dense(3, 'D', [384], [384], 26.8, 8.7),
  dense(3, 'D', JITTERED, [384], 25.6, 8.1),
  dense(3, 'E', [256], [256], 27.3, 9.0),
  dense(3, 'E', [384], [384], 26.9, 8.7),
  dense(3, 'E', JITTERED, [384], 25.5, 8.0),
  dense(4, 'B', [256], [224, 256, 288], 28.2, 9.6),
  dense(4, 'C', [256], [224, 256, 288], 27.7, 9.2),
  dense(4, 'C', [384], [352, 384, 416], 27.8, 9.2),
  dense(4, 'C', JITTERED, THREE, 26.3, 8.2),
  dense(4, 'D', [256], [224, 256, 288], 26.6, 8.6),
  dense(4, 'D', [384], [352, 384, 416], 26.5, 8.6),
  dense(4, 'D', JITTERED, THREE, 24.8, 7.5),
  dense(4, 'E', [256], [224, 256, 288], 26.9, 8.7),
  dense(4, 'E', [384], [352, 384, 416], 26.7, 8.6),
  dense(4, 'E', JITTERED, THREE, 24.8, 7.5),
  jittered(5, 'D', 'MULTI_CROP', 24.6, 7.5),
  jittered(5, 'D', 'DENSE_AND_MULTI_CROP', 24.4, 7.2),
  jittered(5, 'E', 'MULTI_CROP', 24.6, 7.4),
  jittered(5, 'E', 'DENSE_AND_MULTI_CROP', 24.4, 7.1),
  jittered(6, 'D+E', 'DENSE', 24.0, 7.1),
  jittered(6, 'D+E', 'MULTI_CROP', 23.9, 7.2),
  jittered(6, 'D+E', 'DENSE_AND_MULTI_CROP', 23.7, 6.8),
];

/** What a row is, for finding its like in the paper. */
export interface Measured {
  /** Table rows of the models, in any order. */
  networks: readonly string[];
  protocol: Protocol;
  /** Test scales in pixels, for each model. */
  scales: readonly (readonly number[])[];
  /** Sides of the models' crops: the paper's 224-pixel scales are taken in proportion. */
  inputSizes: readonly number[];
  /** Training scales of each model, where known: S, or least and most. */
  train?: readonly (readonly number[])[];
}

/** The paper's number for the same networks, protocol, and scales in proportion to the input size, if it has one. */
export function paperError({
  networks,
  protocol,
  scales,
  inputSizes,
  train,
}: Measured): PaperError | undefined {
  const names = [...networks].sort().join('+');
  const fits = (own: readonly (readonly number[])[], papers: readonly number[]) =>
    own.every((list, model) => {
      const inProportion = papers.map((scale) => Math.round((scale * (inputSizes[model] ?? 224)) / 224));
      return inProportion.join() === [...list].sort((a, b) => a - b).join();
    });
  const row = ROWS.findLast(
    (each) =>
      each.networks === names &&
      each.protocol === protocol &&
      fits(scales, each.test) &&
      (!train || fits(train, each.train)),
  );
  if (!row) return undefined;
  const { table, top1Error, top5Error } = row;
  return { table, top1Error, top5Error };
}

function dense(
  table: number,
  networks: string,
  train: readonly number[],
  test: readonly number[],
  top1Error: number,
  top5Error: number,
): PaperRow {
  return { table, networks, protocol: 'DENSE', train, test, top1Error, top5Error };
}

function jittered(
  table: number,
  networks: string,
  protocol: Protocol,
  top1Error: number,
  top5Error: number,
): PaperRow {
  return { table, networks, protocol, train: JITTERED, test: THREE, top1Error, top5Error };
}
