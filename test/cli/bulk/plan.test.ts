// vgg bulk plan and the estimate's cost, as one calls them: which part of a machine limits it, what spot changes, and one
// error for each value that is none.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { costOf } from '../../../cli/bulk/estimate.ts';
import { instanceHour, PRICES } from '../../../infra/prices.ts';
import { startVgg, writePhotos } from './photos.ts';

interface Plan {
  capacity: { photosPerSecond: number; interruptionsPerHour: number };
  rate?: { photosPerSecond: number; limit: string; parts: Record<string, number> };
  course: { seconds: number; machineSeconds: number; useful: number };
  seconds95: number;
  dollars: { machines: number; requests: number };
}

async function plan(...args: string[]): Promise<Plan> {
  const { status, stdout, stderr } = await startVgg(['bulk', 'plan', '--json', ...args]).ended;
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout) as Plan;
}

const MANY = ['--photos', '1e6', '--machines', '8'];
const ONE_CROP = ['--protocol', 'center-crop', '--scales', '256'];

describe('vgg bulk plan', () => {
  test('is limited by the GPU with 150 crops, by the CPUs with one', async () => {
    const multi = await plan(...MANY);
    expect(multi.rate).toMatchObject({ limit: 'gpu' });
    expect(multi.capacity.photosPerSecond).toBe(multi.rate?.parts['gpu']);
    const crop = await plan(...MANY, ...ONE_CROP);
    expect(crop.rate).toMatchObject({ limit: 'thread' });
    const several = await plan(...MANY, ...ONE_CROP, '--workers', '4');
    expect(several.rate).toMatchObject({ limit: 'cpu' });
    expect(several.capacity.photosPerSecond).toBeGreaterThan(crop.capacity.photosPerSecond);
    // Large photos take longer to decode.
    const large = await plan(...MANY, ...ONE_CROP, '--workers', '4', '--photo-size', '4000x3000');
    expect(large.capacity.photosPerSecond).toBeLessThan(several.capacity.photosPerSecond);
    expect(large.rate?.parts['gpu']).toBe(several.rate?.parts['gpu']);
    const { stdout } = await startVgg(['bulk', 'plan', ...MANY, ...ONE_CROP]).ended;
    expect(stdout).toMatch(/^photos\/s +\S+ a machine \(its JavaScript thread limits\)$/m);
    expect(stdout).toMatch(/^at most +GPU \S+\/s, 4 vCPUs \S+\/s, 1 JavaScript thread \S+\/s$/m);
  }, 60_000);

  test('costs the machines’ hours at their price, on demand or spot', async () => {
    const said = [...MANY, '--photos-per-second', '100', '--instance', 'p5.4xlarge'];
    const [demand, spot] = [await plan(...said), await plan(...said, '--spot', '--interruptions', '0')];
    expect(demand.rate).toBeUndefined();
    expect(demand.course).toEqual(spot.course);
    expect(demand.course.useful).toBeCloseTo(1e6 / 100, 6);
    for (const [each, isSpot] of [
      [demand, false],
      [spot, true],
    ] as const) {
      const hours = each.course.machineSeconds / 3600;
      expect(each.dollars.machines).toBeCloseTo(hours * instanceHour(PRICES, 'p5.4xlarge', isSpot), 6);
    }
    expect((await plan(...said, '--spot')).capacity.interruptionsPerHour).toBe(0.05);
    expect(demand.capacity.interruptionsPerHour).toBe(0);
  }, 60_000);

  test.each([
    [['--photos', '0'], /a whole number from 1 to 1000000000000 but received 0 \(--photos\)/],
    [['--instance', 'x9.huge'], /one of g4dn\.xlarge, .* but received x9\.huge \(--instance\)/],
    [['--instance', 'c7i.xlarge'], /--photos-per-second for a machine without a GPU/],
    [['--photos-per-second', '0'], /a number > 0 but received 0 \(--photos-per-second\)/],
    [['--photo-size', '500'], /WIDTHxHEIGHT, each from 1 to 16384 pixels but received 500 \(--photo-size\)/],
    [['--task-start', '-1'], /a number > 0 but received -1 \(--task-start\)/],
    [['--interruptions', '1e6'], /machines that stay long enough .* \(--interruptions\)/],
    [['--prices', 'nowhere.json'], /a readable file but received nowhere\.json \(--prices\)/],
  ])('refuses %j in one sentence', async (args, message) => {
    const { status, stdout, stderr } = await startVgg(['bulk', 'plan', ...MANY, ...args]).ended;
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});

describe('vgg bulk --estimate', () => {
  test('reckons hours times machines times the price, and the fee on the price on demand', () => {
    const machines = { type: 'g6.xlarge', count: 4, spot: true };
    expect(costOf(5400, machines, PRICES)).toBeCloseTo(1.5 * 4 * (0.35 + 0.12 * 0.8048), 9);
    expect(costOf(5400, { ...machines, spot: false }, PRICES)).toBeCloseTo(1.5 * 4 * 1.12 * 0.8048, 9);
  });

  test('says what the machines cost that answer, and begins nothing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vgg-bulk-estimate-'));
    try {
      await writePhotos(join(folder, 'photos'), 6);
      const asked = ['bulk', join(folder, 'photos'), '--out', join(folder, 'out'), '--estimate'];
      const one = [...asked, '--protocol', 'center-crop', '--model', 'caltech-101-d', '--instances', '4'];
      const { status, stdout } = await startVgg([...one, '--instance', 'g6.xlarge', '--spot']).ended;
      expect(status).toBe(0);
      const lines = stdout.trimEnd().split('\n');
      expect(lines).toEqual([
        expect.stringMatching(/^6 photos \(.*\) in 1 shard of [\d,]+, to .*out$/),
        expect.stringMatching(/^measured on this machine: \d photos in \S+ s, 4 at once: \S+ photos\/s$/),
        expect.stringMatching(/^time: about \S+ s$/),
        expect.stringMatching(/^cost: about \$\S+ for 4 × g6\.xlarge, spot, prices of \S+ \(us-east-1\)$/),
      ]);
      const wrong = await startVgg([...one, '--instance', 'x9.huge']).ended;
      expect(wrong).toMatchObject({ status: 1, stdout: '' });
      expect(wrong.stderr).toMatch(/^.*one of g4dn\.xlarge, .* but received x9\.huge \(--instance\)\n$/);
    } finally {
      await rm(folder, { recursive: true });
    }
  }, 60_000);
});
