// What a journal of `vgg evaluate` says of each photo. Knows the journal's lines.

import { readFile } from 'node:fs/promises';
import type { JournalHeader } from '../../cli/evaluate/journal.ts';
import type { Ranks } from './comparison.ts';

/** Ranks by row: models joined by "+", protocol, scales of the first model joined by ",". */
export type Rows = Map<string, Ranks>;

/** @param scales of the first model, in pixels */
export function rowKey(models: readonly string[], protocol: string, scales: readonly number[]): string {
  return `${models.join('+')} ${protocol} ${scales.join(',')}`;
}

/** The rows of a journal whose evaluation is complete. */
export async function readOutcomes(journal: string): Promise<Rows> {
  const [first = '{}', ...lines] = (await readFile(journal, 'utf8')).trim().split('\n');
  const header = JSON.parse(first) as JournalHeader;
  const ranks = header.rows.map(() => new Map<string, number>());
  for (const line of lines) {
    const { photo, row, rank } = JSON.parse(line) as { photo: string; row: number; rank: number };
    ranks[row]?.set(photo, rank);
  }
  return new Map(
    header.rows.map(({ models, protocol, scales }, i): [string, Ranks] => [
      rowKey(models, protocol, scales[0] ?? []),
      ranks[i] ?? new Map<string, number>(),
    ]),
  );
}
