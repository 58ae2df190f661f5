// The journal of vgg evaluate: what it gives back, what it forgives, and what it refuses.

import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Journal, type JournalHeader } from '../../cli/evaluate/journal.ts';

const SHA = 'a'.repeat(64);
const HEADER: JournalHeader = {
  journal: 'vgg evaluate',
  version: 1,
  models: [{ name: 'd', sha256: SHA }],
  options: { grid: 5 },
  rows: [
    { models: ['d'], protocol: 'DENSE', scales: [[256]] },
    { models: ['d'], protocol: 'MULTI_CROP', scales: [[256]] },
  ],
};
const PHOTO = { name: 'cat/é.jpg', size: 100, modified: 5 };
const OTHER = { name: 'cat/b.jpg', size: 100, modified: 5 };
const OUTCOMES = [
  { first: 3, rank: 2, ms: 1.5, top: [[3, 0.6] as [number, number], [1, 0.4] as [number, number]] },
  { first: 1, rank: 1, ms: 2.5, top: [[1, 0.9] as [number, number]] },
];
const KNOWN = [
  { first: 3, rank: 2, ms: 1.5 },
  { first: 1, rank: 1, ms: 2.5 },
];

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vgg-journal-'));
  file = join(folder, 'new/journal.jsonl');
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function written(): Promise<void> {
  const journal = await Journal.open(file, HEADER, 'refuse');
  await Promise.all([journal.write(PHOTO, 1, OUTCOMES), journal.write(OTHER, 1, OUTCOMES)]);
  await journal.close();
}

async function resumed(header = HEADER): Promise<Journal> {
  return await Journal.open(file, header, 'resume');
}

test('gives back what was written: one line a photo and row', async () => {
  await written();
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  expect(lines).toHaveLength(5);
  expect(JSON.parse(lines[1] ?? '')).toEqual({
    ...{ photo: 'cat/é.jpg', size: 100, modified: 5, truth: 1, row: 0 },
    ...{
      top: [
        [3, 0.6],
        [1, 0.4],
      ],
      rank: 2,
      ms: 1.5,
    },
  });
  const journal = await resumed();
  expect(journal.outcomes(PHOTO, 1)).toEqual(KNOWN);
  expect(journal.outcomes(OTHER, 1)).toEqual(KNOWN);
  // Another file under the same name, another truth, another photo: not known.
  expect(journal.outcomes({ ...PHOTO, size: 101 }, 1)).toBeUndefined();
  expect(journal.outcomes({ ...PHOTO, modified: 6 }, 1)).toBeUndefined();
  expect(journal.outcomes(PHOTO, 2)).toBeUndefined();
  expect(journal.outcomes({ ...PHOTO, name: 'cat/c.jpg' }, 1)).toBeUndefined();
  await journal.close();
});

test.each([1, 30, 'line break'])(
  'a last line that was cut off is forgotten, and the next ones are whole: %s',
  async (cut) => {
    await written();
    const whole = await readFile(file, 'utf8');
    await writeFile(file, whole.slice(0, cut === 'line break' ? -1 : -1 - Number(cut)));
    const journal = await resumed();
    expect(journal.outcomes(PHOTO, 1)).toEqual(KNOWN);
    expect(journal.outcomes(OTHER, 1)).toBeUndefined();
    await journal.write(OTHER, 1, OUTCOMES);
    await journal.close();
    const again = await resumed();
    expect(again.outcomes(OTHER, 1)).toEqual(KNOWN);
    await again.close();
  },
);

test('a first line that was cut off begins anew', async () => {
  await written();
  await writeFile(file, (await readFile(file, 'utf8')).slice(0, 20));
  const journal = await resumed();
  expect(journal.outcomes(PHOTO, 1)).toBeUndefined();
  await journal.write(PHOTO, 1, OUTCOMES);
  await journal.close();
  const again = await resumed();
  expect(again.outcomes(PHOTO, 1)).toEqual(KNOWN);
  await again.close();
});

test('one that is there is refused, resumed or replaced', async () => {
  await written();
  await expect(Journal.open(file, HEADER, 'refuse')).rejects.toThrow(
    `Expected a new journal but ${file} is there: --resume goes on with it`,
  );
  const journal = await Journal.open(file, HEADER, 'replace');
  expect(journal.outcomes(PHOTO, 1)).toBeUndefined();
  await journal.close();
  expect((await readFile(file, 'utf8')).trimEnd().split('\n')).toHaveLength(1);
});

test('resuming what is not there begins', async () => {
  const journal = await resumed();
  await journal.write(PHOTO, 1, OUTCOMES);
  await journal.close();
  expect((await readFile(file, 'utf8')).trimEnd().split('\n')).toHaveLength(3);
});

test.each<[string, JournalHeader, RegExp]>([
  [
    'weights',
    { ...HEADER, models: [{ name: 'd', sha256: 'b'.repeat(64) }] },
    /model d with SHA-256 b+ in .* SHA-256 a+$/,
  ],
  [
    'model',
    { ...HEADER, models: [{ name: 'e', sha256: SHA }] },
    /a journal of model e in .* but it is of d$/,
  ],
  ['way of knowing', { ...HEADER, models: [{ name: 'd', posterior: [1] }] }, /test picture in .* SHA-256/],
  ['option', { ...HEADER, options: { grid: 3 } }, /of options {"grid":3} in .* but it is of {"grid":5}$/],
  [
    'alignment of a row',
    { ...HEADER, rows: HEADER.rows.map((row) => ({ ...row, align: 8 })) },
    /of rows d DENSE aligned to 8 256, .* but it is of d DENSE 256, d MULTI_CROP 256$/,
  ],
  ['row', { ...HEADER, rows: HEADER.rows.slice(0, 1) }, /of rows d DENSE 256 in .* d MULTI_CROP 256$/],
])('another %s is refused, and nothing is lost', async (_, header, message) => {
  await written();
  const before = await readFile(file, 'utf8');
  await expect(resumed(header)).rejects.toThrow(message);
  expect(await readFile(file, 'utf8')).toBe(before);
});

test('answers of a server’s model may differ as engines do, not as models do', async () => {
  const header = (posterior: number[]) => ({ ...HEADER, models: [{ name: 'd', posterior }] });
  await (await Journal.open(file, header([0.25, 0.75]), 'refuse')).close();
  await (await resumed(header([0.2501, 0.7499]))).close();
  await expect(resumed(header([0.26, 0.74]))).rejects.toThrow('the same answer to a test picture');
});

test('what is no journal is refused', async () => {
  await written();
  await appendFile(file, 'no answer\n{}\n');
  await expect(resumed()).rejects.toThrow('Expected an answer in line 6');
  await writeFile(file, '{"some":"other file"}\n');
  await expect(resumed()).rejects.toThrow('Expected a journal of vgg evaluate');
  await writeFile(file, 'text\n');
  await expect(resumed()).rejects.toThrow('Expected a journal of vgg evaluate');
});
