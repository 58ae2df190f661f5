// vgg loadtest as its users run it, against a server whose answers take a known time.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LoadTestResult } from '../../loadtest/result.ts';
import { taking } from './queue.ts';
import { interrupted, runLoadtest } from './running-command.ts';
import { serveQueue, type ServedQueue } from './serving-queue.ts';

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

const loadtest = (...args: string[]) =>
  runLoadtest([...args, '--photos', folder, '--warm-up', '0.5'], { VGG_API_KEY: 'secret' });

// Takes requests and never answers.
async function standstill() {
  let heard: () => void = () => {};
  const asked = new Promise<void>((resolve) => (heard = resolve));
  const server = createServer(() => {
    heard();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    ...{ address: `http://127.0.0.1:${String(port)}`, asked },
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
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

  describe('Ctrl-C', () => {
    const quick = ['--warm-up', '0', '--photos'];

    test('ends the step, and what was measured is printed and written', async () => {
      const [csv, page] = [join(folder, 'cut.csv'), join(folder, 'cut.html')];
      const { status, stdout } = await interrupted(
        [queue.http, '--rate', '20', '--duration', '60', '--json', '--csv', csv, '--report', page].concat(
          quick,
          folder,
        ),
      );
      expect(status).toBe(130);
      const [step] = (JSON.parse(stdout) as LoadTestResult).steps;
      expect(step?.ended).toBe('interrupted');
      expect(step?.seconds).toBeLessThan(30);
      expect(step?.requests.answered).toBeGreaterThan(0);
      expect((await readFile(csv, 'utf8')).trimEnd().split('\n')).toHaveLength(2);
      expect(await readFile(page, 'utf8')).toContain('Ended before its time: interrupted');
    });

    test('ends a sweep: the steps to come are left out, and people read why', async () => {
      const { status, stdout, stderr } = await interrupted(
        [queue.grpc, '--concurrency', '1,2,4', '--duration', '60'].concat(quick, folder),
      );
      expect(status).toBe(130);
      expect(stdout).toMatch(/^ {2}1 client /m);
      expect(stdout).not.toContain('2 clients');
      expect(stdout).toContain('Ended before its time: interrupted');
      expect(stderr).not.toContain('    at ');
    });

    test('ends a search, which is INVALID then', async () => {
      const { status, stdout } = await interrupted([queue.http, '--slo-p99', '500'].concat(quick, folder));
      expect(status).toBe(130);
      expect(stdout).toMatch(
        /INVALID: the largest rate that keeps p99 ≤ 500 ms was not found. the\s+search\s+was\s+interrupted/i,
      );
    });

    test('before the load begins ends it at once, without figures of nothing', async () => {
      const silent = await standstill();
      const { status, stdout, stderr } = await interrupted(
        [silent.address, '--rate', '1', '--json'].concat(quick, folder),
        silent.asked,
      );
      expect(status).toBe(130);
      expect(stdout).toBe('');
      expect(stderr.trim()).toBe('Interrupted');
      await silent.close();
    });
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
