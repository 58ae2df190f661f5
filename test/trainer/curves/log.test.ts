// The log of a run: what is kept when it goes on.

import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { appendLine, resumeLog, type EpochLine } from '../../../services/trainer/curves/log.ts';

function line(epoch: number): EpochLine {
  return {
    ...{ epoch, step: epoch * 26, loss: 4 / epoch, error: 0.9 / epoch },
    validation: epoch === 1 ? null : { loss: 4.5 / epoch, top1: 0.95 / epoch, top5: 0.5 / epoch },
    ...{ learningRate: 0.01, imagesPerSecond: 190.5, waitedShare: 0.01, seconds: 35 },
  };
}

async function logOf(epochs: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'vgg-serve-log-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const path = join(folder, 'log.jsonl');
  for (let epoch = 1; epoch <= epochs; epoch++) await appendLine(path, line(epoch));
  return path;
}

test('a line of JSON an epoch', async () => {
  const path = await logOf(2);
  const lines = readFileSync(path, 'utf8').split('\n');
  expect(lines.map((each) => each && (JSON.parse(each) as unknown))).toEqual([line(1), line(2), '']);
});

describe('going on', () => {
  test('with a whole log changes nothing', async () => {
    const path = await logOf(3);
    const before = readFileSync(path, 'utf8');
    expect(await resumeLog(path, 3)).toEqual([line(1), line(2), line(3)]);
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  test('without a log begins one', async () => {
    const path = await logOf(0);
    expect(await resumeLog(path, 0)).toEqual([]);
    expect(existsSync(path)).toBe(false);
  });

  test.each([
    ['half a line', '{"epoch":3,"lo'],
    ['a whole line without its end', JSON.stringify(line(3))],
    ['zeros', '\0'.repeat(40)],
    ['something else', '[1]\n"x"\n'],
    ['half a line and a line after it', `{"epoch":3,"st${JSON.stringify(line(3))}\n`],
    ['epochs beyond the checkpoint', `${JSON.stringify(line(3))}\n${JSON.stringify(line(4))}\n`],
  ])('cuts off %s', async (_, rest) => {
    const path = await logOf(2);
    const before = readFileSync(path, 'utf8');
    appendFileSync(path, rest);
    expect(await resumeLog(path, 2)).toEqual([line(1), line(2)]);
    expect(readFileSync(path, 'utf8')).toBe(before);
    await appendLine(path, line(3));
    expect(await resumeLog(path, 3)).toHaveLength(3);
  });

  test.each([
    ['missing', ''],
    ['damaged', '{"epoch":1\n{"epoch":2}\n'],
  ])('is refused where an epoch’s line is %s, and the log left as it is', async (_, text) => {
    const path = await logOf(0);
    writeFileSync(path, text);
    await expect(resumeLog(path, 2)).rejects.toThrow(
      `Expected a line for each of 2 epochs but found 0 (${path})`,
    );
    expect(readFileSync(path, 'utf8')).toBe(text);
  });
});
