// `vgg simulate` says whose times its engine has, and what becomes of photos that find no task of inference.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../proto/package-root.ts';

const LOAD = ['--protocol', 'center-crop', '--rate', '2', '--duration', '20'];

function simulate(...args: string[]) {
  const vgg = join(packageRoot, 'dist', 'cli', 'main.js');
  return spawnSync(process.execPath, [vgg, 'simulate', ...LOAD, ...args], { encoding: 'utf8' });
}

test('an estimate is called one, and measured batches are what is computed with', () => {
  const estimated = simulate();
  expect(estimated.status).toBe(0);
  expect(estimated.stdout).toContain('the GPU is an estimate from its data sheet, never measured');
  const folder = mkdtempSync(join(tmpdir(), 'vgg-simulate-'));
  try {
    const timings = join(folder, 'timings.json');
    writeFileSync(
      timings,
      JSON.stringify({
        version: 2,
        measured: '2026-11-28',
        machine: { cores: 16, model: 'a processor', node: 'v20' },
        engine: { library: 'a library', version: '1.2', device: 'gpu', threads: 16 },
        model: 'd',
        busyCores: 1,
        rows: [{ shapeKey: '224x224', views: 1, units: 1, meanMs: 200, timesMs: [200], runs: 9 }],
      }),
    );
    const { status, stdout } = simulate('--timings', timings, '--json');
    expect(status).toBe(0);
    const { steps } = JSON.parse(stdout) as { steps: { latency: { min: number } }[] };
    expect(steps[0]?.latency.min).toBeGreaterThan(200);
    expect(simulate('--timings', timings).stdout).toContain(
      'batches are those of d by a library 1.2 (gpu), measured on 2026-11-28',
    );
    writeFileSync(timings, '{}');
    const refused = simulate('--timings', timings);
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toContain('Expected a timing table of version 2');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('from zero, photos are lost unless clients come back when they are told to', () => {
  const fromZero = (...args: string[]) => {
    const { status, stdout } = simulate('--scale-to-zero', '--duration', '600', '--json', ...args);
    expect(status).toBe(0);
    const { steps } = JSON.parse(stdout) as {
      steps: {
        requests: { answered: number; failed: number };
        errors: { code: string }[];
        latency: { max: number };
      }[];
    };
    return steps[0];
  };
  const once = fromZero();
  expect(once?.errors.map(({ code }) => code)).toEqual(['UNAVAILABLE']);
  // A batch is 7 ms; a photo takes much longer.
  expect(fromZero('--timeout', '0.03')?.requests.answered).toBe(0);
  const back = fromZero('--retries', '4', '--timeout', '900');
  expect(back?.requests.failed).toBe(0);
  expect(back?.latency.max).toBeGreaterThan(300_000);
  // Only those who came when the start was nearly over.
  const impatient = fromZero('--retries', '4', '--timeout', '100')?.requests.failed;
  expect(impatient).toBeGreaterThan(0);
  expect(impatient).toBeLessThan(once?.requests.failed ?? NaN);
});
