// Benches explain themselves.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { headOf } from '../../bench/options.ts';
import { packageRoot } from '../../proto/package-root.ts';

function align(...args: string[]) {
  const file = join(packageRoot, 'dist', 'bench', 'align.js');
  return spawnSync(process.execPath, [file, ...args], { encoding: 'utf8' });
}

test('--help prints what the head of the file says', () => {
  const { status, stdout, stderr } = align('--help');
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain('What the alignment');
  expect(stdout).toContain('node dist/bench/align.js [--network D]');
  expect(stdout).not.toContain('//');
});

test.each([
  [['--nonsense'], "Unknown option '--nonsense'"],
  [['--network', 'Z'], 'Expected one of A, A-LRN, B, C, D, E, B-5x5 but received Z (--network)'],
])('%j is refused in two lines', (args, reason) => {
  const { status, stdout, stderr } = align(...args);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toBe(`${reason}\nalign.js --help says what there is\n`);
});

test('a head ends where the code begins', () => {
  expect(headOf('// One.\n//\n//     two\n\n// not this\nconst x = 1;\n')).toBe('One.\n\n    two\n');
});
