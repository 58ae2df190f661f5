// vgg bulk as its operator runs it, with the default model in worker processes: killed at any moment, it goes on, and
// ends up with what an unbroken run says.

import { readFile, readdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Row } from '../../../infra/bulk/rows.ts';
import { randomAt } from '../../../vgg/random.ts';
import { rowsOf, startVgg, writeNoPhoto, writePhotos, type Running } from './photos.ts';

const PHOTOS = 160;
const KILLS = 20;

let folder: string;
let photos: string;
let unbroken: Row[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vgg-bulk-kill-'));
  photos = join(folder, 'photos');
  await writePhotos(photos, PHOTOS - 1);
  await writeNoPhoto(join(photos, 'text.jpg'));
  const { ended } = bulk('unbroken');
  const { status, stdout, stderr } = await ended;
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toContain(`159 of 160 photos answered, 1 set aside`);
  unbroken = await rowsOf(join(folder, 'unbroken'));
}, 300_000);
afterAll(async () => {
  await rm(folder, { recursive: true });
});

function bulk(out: string, ...more: string[]): Running {
  return startVgg([
    ...['bulk', photos, '--out', join(folder, out), '--protocol', 'center-crop', '--shard-photos', '2'],
    ...['--workers', '1', '--in-flight', '4', '--yes', '--resume', ...more],
  ]);
}

function sameRows(rows: Row[]): void {
  expect(rows.map(({ photo }) => photo)).toEqual(unbroken.map(({ photo }) => photo));
  expect(new Set(rows.map(({ photo }) => photo)).size).toBe(PHOTOS);
  for (const [i, row] of rows.entries()) {
    const other = unbroken[i];
    if (row.error !== null || other?.error !== null) {
      expect(row).toEqual(other);
      continue;
    }
    const { predictions, ...facts } = row;
    const { predictions: expected, ...otherFacts } = other;
    expect(facts).toEqual(otherFacts);
    // The same batch may not come together again; engines agree to 1e-4.
    const scores = new Map(expected.map(({ label, score }) => [label, score]));
    for (const [place, { label, score }] of predictions.entries()) {
      expect(Math.abs(score - (scores.get(label) ?? expected[place]?.score ?? NaN))).toBeLessThan(1e-4);
    }
  }
}

async function committed(out: string): Promise<number> {
  const names = await readdir(join(folder, out, 'results')).catch((): string[] => []);
  return names.filter((name) => /^part-\d+\.jsonl$/.test(name)).length;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

// Processes whose parent is this one.
async function children(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8').catch(() => '');
  return text.trim().split(/\s+/).filter(Boolean).map(Number);
}

describe('vgg bulk', () => {
  test('killed 20 times at moments that chance picks, has the rows of an unbroken run', async () => {
    const chance = randomAt(20, 'kills');
    const moments: string[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const { child, ended } = bulk('killed');
      const before = await committed('killed');
      // A third dies before its first commit, anywhere from its first steps on; the others some shards later.
      const [shards, ms] = [chance.integer(3), chance.integer(shards0(kill))];
      if (shards > 0)
        while ((await committed('killed')) < before + shards && child.exitCode === null) await pause(1);
      await pause(shards > 0 ? ms % 60 : ms);
      child.kill('SIGKILL');
      expect((await ended).status, `run ${String(kill)} ended before it was killed`).toBe('SIGKILL');
      moments.push(`${String(await committed('killed'))}/${String(PHOTOS / 2)}`);
    }
    const { status, stdout, stderr } = await bulk('killed', '--json').ended;
    expect({ status, moments, stderr }).toMatchObject({ status: 1 });
    expect(JSON.parse(stdout)).toMatchObject({ photos: PHOTOS, answered: 159, setAside: 1, complete: true });
    sameRows(await rowsOf(join(folder, 'killed')));
    const left = await readdir(join(folder, 'killed'), { recursive: true });
    expect(left.filter((name) => name.endsWith('.tmp'))).toEqual([]);
  }, 900_000);

  test('a worker that is killed costs nothing', async () => {
    const { child, ended } = bulk('worker');
    while ((await committed('worker')) < 10 && child.exitCode === null) await pause(5);
    const [worker] = await children(child.pid ?? 0);
    if (worker === undefined) throw new Error('No worker');
    process.kill(worker, 'SIGKILL');
    const { status, stderr } = await ended;
    expect({ status, stderr }).toMatchObject({ status: 1 });
    expect(stderr).toContain('159 of 160 photos answered, 1 set aside');
    sameRows(await rowsOf(join(folder, 'worker')));
  }, 300_000);

  test('Ctrl-C keeps what is in hand and says how to go on', async () => {
    const { child, ended } = bulk('interrupted');
    while ((await committed('interrupted')) < 10 && child.exitCode === null) await pause(5);
    child.kill('SIGINT');
    const { status, stderr } = await ended;
    expect(status).toBe(130);
    const [, known] =
      /^(\d+) of 160 photos have rows in .*: the same command with --resume goes on$/m.exec(stderr) ?? [];
    const kept = await readdir(join(folder, 'interrupted', 'partial')).catch((): string[] => []);
    const partial = await Promise.all(
      kept.map((name) => readFile(join(folder, 'interrupted', 'partial', name), 'utf8')),
    );
    const lines = partial.join('').split('\n').length - 1;
    expect((await rowsOf(join(folder, 'interrupted'))).length + lines).toBe(Number(known));
    expect((await bulk('interrupted').ended).status).toBe(1);
    sameRows(await rowsOf(join(folder, 'interrupted')));
  }, 300_000);
});

// Long enough for the first kills to come while the manifest is made and photos are measured.
function shards0(kill: number): number {
  return kill < 6 ? 5000 : 2000;
}
