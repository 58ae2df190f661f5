// Every command that the pages show is run, in a folder of its own against this checkout, or says why not.

import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../proto/package-root.ts';
import { LANGUAGES, blocksOf, consoleCommands } from './blocks.ts';
import { missingLine } from './output.ts';
import { runPage } from './running-page.ts';
import { makeScratch } from './scratch.ts';
import { stepsOf } from './steps.ts';

const PAGE_MS = 180_000;

const pages = readdirSync(join(packageRoot, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.md'))
  .sort()
  .map((file) => ({ file, blocks: blocksOf(readFileSync(join(packageRoot, 'docs', file), 'utf8')) }))
  .filter(({ blocks }) => blocks.length > 0);

const scratches: string[] = [];
afterAll(() => {
  for (const folder of scratches) rmSync(folder, { recursive: true, force: true });
});

describe('commands of', () => {
  test.each(pages)('docs/$file', { timeout: PAGE_MS + 10_000 }, async ({ file, blocks }) => {
    const steps = stepsOf(blocks);
    for (const { line, reason, lacking } of steps.left)
      if (lacking) process.stdout.write(`docs/${file}:${String(line)} is not run: ${reason}\n`);
    if (steps.steps.length === 0) return;
    const scratch = await makeScratch();
    scratches.push(scratch);
    const outcomes = await runPage(steps, scratch, PAGE_MS);
    for (const { line, wrong } of outcomes) expect(wrong, `docs/${file}:${String(line)}`).toBeUndefined();
    expect(outcomes).toHaveLength(steps.steps.length);
  });
});

test('no command hides in a block of another name', () => {
  // A new kind of block is a command or is not: say so here or in LANGUAGES.
  const known = [...LANGUAGES, 'text', 'json', 'yaml', 'nginx', 'markdown'] as string[];
  for (const { file, blocks } of pages)
    for (const { line, language } of blocks)
      expect(known, `docs/${file}:${String(line)}`).toContain(language);
});

test('a block that is not run says why, in words', () => {
  for (const { file, blocks } of pages)
    for (const { line, marks } of blocks)
      if (marks['not run'] !== undefined)
        expect(marks['not run'].split(' ').length, `docs/${file}:${String(line)}`).toBeGreaterThan(3);
});

describe('the runner', () => {
  const fence = '```';

  test('finds blocks, their lines and their marks', () => {
    const page = `# x\n\n<!-- not run: needs a GPU -->\n${fence}sh\nnvidia-smi\n${fence}\n\n- in a list:\n\n  ${fence}python\n  print(1)\n  ${fence}\n`;
    expect(blocksOf(page)).toEqual([
      { line: 4, language: 'sh', text: 'nvidia-smi\n', marks: { 'not run': 'needs a GPU' } },
      { line: 10, language: 'python', text: 'print(1)\n', marks: {} },
    ]);
    expect(() => blocksOf('<!-- file: a.txt -->\n\ntext\n')).toThrow('Expected a code block after the mark');
    expect(() => blocksOf(`${fence}sh\nls\n`)).toThrow('line 1');
  });

  test('reads consoles', () => {
    expect(consoleCommands('$ a \\\n  b\nout\n$ c\n')).toEqual([
      { command: 'a \\\n  b', output: ['out'] },
      { command: 'c', output: [] },
    ]);
    expect(() => consoleCommands('out\n')).toThrow('"$ "');
  });

  test('compares words, not numbers', () => {
    expect(missingLine(['76.5 %  ███▎  elephant'], ['  3 %  █   elephant'])).toBeUndefined();
    expect(missingLine(['76.5 %  ███▎  elephant'], ['76.5 %  ███▎  rhino'])).toContain('elephant');
    expect(missingLine(['a', '…', 'z'], ['a', 'b', 'c', 'z'])).toBeUndefined();
    expect(missingLine(['a', '…', 'z'], ['a', 'b', 'c'])).toBe('z');
    expect(missingLine(['a'], ['a', 'b'])).toContain('printed: b');
    expect(missingLine(['{"a":"…","b":1e-5}'], ['{"a":"x y","b":22.5}'])).toBeUndefined();
  });

  test('a wrong status, a wrong output, a server that does not come and a wrong type are failures', async () => {
    const outcome = async (page: string) => {
      const scratch = await makeScratch();
      scratches.push(scratch);
      return (await runPage(stepsOf(blocksOf(page)), scratch, 60_000)).map(
        ({ wrong }) => wrong?.split('\n')[0],
      );
    };
    expect(await outcome(`${fence}sh\ntrue\n${fence}\n${fence}sh\nfalse\ntrue\n${fence}\n`)).toEqual([
      undefined,
      'exit status 1',
    ]);
    expect(await outcome(`${fence}console\n$ echo a\nb\n${fence}\n`)).toEqual(['the page shows: b']);
    expect(await outcome(`<!-- runs until: ready -->\n${fence}sh\necho no\n${fence}\n`)).toEqual([
      'exit status never said it was there',
    ]);
    await expect(outcome(`${fence}ts\nconst a: number = 'a';\n${fence}\n`)).rejects.toThrow('TS2322');
  });
});
