// vgg loadtest as its users run it, against a server whose answers take a known time.

import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LoadTestResult } from '../../loadtest/result.ts';
import { packageRoot } from '../../proto/package-root.ts';
import { taking } from './queue.ts';
import { serveQueue, type ServedQueue } from './serving-queue.ts';

const MAIN = join(packageRoot, 'dist/cli/main.js');

let queue: ServedQueue;
let folder: string;
beforeAll(async () => {
  queue = await serveQueue();
  folder = await mkdtemp(join(tmpdir(), 'vgg-loadtest-'));
  await writeFile(join(folder, '20.jpg'), taking(20).bytes);
});
afterAll(async () => {
  queue.close();
  await rm(folder, { recursive: true });
});

function loadtest(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [MAIN, 'loadtest', ...args, '--photos', folder, '--warm-up', '0.5'],
      { maxBuffer: 1 << 28, env: { ...process.env, VGG_API_KEY: 'secret' } },
      (error, stdout, stderr) => {
        resolve({ status: error ? Number(error.code ?? 1) : 0, stdout, stderr });
      },
    );
  });
}

describe('vgg loadtest', () => {
  test('--json prints the result and nothing else', async () => {
    const { status, stdout } = await loadtest(
      queue.http,
      '--rate',
      '20',
      '--duration',
      '3',
      '--json',
      '--seed',
      '7',
    );
    expect(status).toBe(0);
    expect(stdout.split('\n')).toHaveLength(2);
    const result = JSON.parse(stdout) as LoadTestResult;
    expect(result).toMatchObject({
      version: 1,
      seed: 7,
      target: { address: queue.http, transport: 'http' },
      photos: { count: 1, total: 8 },
      mix: [{ protocol: 'MULTI_CROP', model: '', share: 1 }],
    });
    expect(result.steps).toMatchObject([
      { load: { loop: 'open', arrivals: 'poisson', ratePerSecond: 20 }, seconds: 3 },
    ]);
    expect(result.steps[0]?.requests.answered).toBeGreaterThan(20);
    expect(result.steps[0]?.latency.min).toBeGreaterThan(19);
    expect(result.command).not.toContain('secret');
  });

  test('a sweep is a line a step, and writes what is asked for', async () => {
    const [csv, page] = [join(folder, 'steps.csv'), join(folder, 'report.html')];
    const { status, stdout, stderr } = await loadtest(
      ...[queue.grpc, '--concurrency', '1,2', '--duration', '1', '--csv', csv, '--report', page],
    );
    expect(status).toBe(0);
    expect(stdout).toContain('1 client');
    expect(stdout).toContain('2 clients');
    expect(stderr).toContain('step 2 of 2: 2 clients');
    expect((await readFile(csv, 'utf8')).trimEnd().split('\n')).toHaveLength(3);
    expect(await readFile(page, 'utf8')).toContain('</html>');
  });

  test('a bound that is not kept is exit status 1', async () => {
    const { status, stdout } = await loadtest(
      queue.grpc,
      '--rate',
      '30',
      '--duration',
      '2',
      '--slo-p90',
      '5',
    );
    expect(status).toBe(1);
    expect(stdout).toMatch(/p90 ≤ 5\s+ms was not kept/);
  });

  test('Ctrl-C ends the step, and what was measured is printed', async () => {
    const child = spawn(
      process.execPath,
      [
        MAIN,
        'loadtest',
        queue.http,
        '--photos',
        folder,
        '--rate',
        '20',
        '--duration',
        '60',
        '--warm-up',
        '0',
        '--json',
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    // It says when the step begins.
    await new Promise((resolve) => child.stderr.once('data', resolve));
    setTimeout(() => child.kill('SIGINT'), 2000);
    const status = await new Promise((resolve) => child.once('close', resolve));
    expect(status).toBe(130);
    const [step] = (JSON.parse(stdout) as LoadTestResult).steps;
    expect(step?.ended).toBe('interrupted');
    expect(step?.seconds).toBeLessThan(30);
    expect(step?.requests.answered).toBeGreaterThan(0);
  });

  test.each([
    [['127.0.0.1:1', '--rate', '1'], /^Cannot reach the service/],
    [['http://127.0.0.1:1', '--rate', '1'], /^The connection could not be made/],
    [['127.0.0.1:1'], /Expected a load/],
    [['127.0.0.1:1', '--rate', '1', '--concurrency', '1'], /one of --rate, --concurrency and --trace/],
    [['127.0.0.1:1', '--slo-p99', '1', '--slo-p90', '1', '--rate', '1'], /one of --slo-p99/],
    [['127.0.0.1:1', '--rate', '0'], /Expected a number above 0 but received 0 \(--rate\)/],
    [['127.0.0.1:1', '--rate', '1', '--protocol', 'center-crop:x'], /Expected a number but received x/],
    [['127.0.0.1:1', '--rate', '1', '--cancel', '2'], /a part from 0 to 1/],
    [['127.0.0.1:1', '--rate', '1', '--cache'], /--cache/],
    [['127.0.0.1:1', '--trace', 'nowhere.txt'], /Expected a readable file/],
  ])('%j is refused in a line', async (args, message) => {
    const { status, stdout, stderr } = await loadtest(...args);
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('    at ');
  });
});
