// vgg bulk with photos and results in S3, as its operator runs it: step by step, at once, and killed at chosen moments of
// its traffic with S3.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { decode, type Format, type Row } from '../../../infra/bulk/rows.ts';
import type { Call } from '../../infra/bulk/s3/front.ts';
import { startS3, type S3Under } from '../../infra/bulk/s3/place.ts';
import { motoMissing } from '../../models/fetch/moto.ts';
import { startVgg, writeNoPhoto, writePhotos, type Running } from './photos.ts';

const PHOTOS = 18;
const ASKED = ['--protocol', 'center-crop', '--model', 'caltech-101-d', '--shard-photos', '3'];

const missing = motoMissing();

describe.skipIf(missing !== undefined)('vgg bulk in S3', () => {
  let under: S3Under;
  let folder: string;
  let unbroken: Row[];
  beforeAll(async () => {
    under = await startS3();
    folder = await mkdtemp(join(tmpdir(), 'vgg-bulk-s3-'));
    await writePhotos(folder, PHOTOS - 1);
    await writeNoPhoto(join(folder, 'text.jpg'));
    await under.putFolder('photos', '2026', folder);
    const { status, stdout, stderr } = await bulk('unbroken').ended;
    expect({ status, stdout, stderr }).toMatchObject({ status: 1, stdout: '' });
    expect(stderr).toContain('17 of 18 photos answered, 1 set aside (s3://results/unbroken/failures.jsonl)');
    unbroken = await rowsOf('unbroken');
    expect(unbroken).toHaveLength(PHOTOS);
  }, 300_000);
  afterEach(() => {
    under.front.interfere = () => undefined;
  });
  afterAll(async () => {
    await under.close();
    await rm(folder, { recursive: true });
  });

  const vgg = (...args: string[]) => startVgg(args, { ...process.env, ...under.env });

  function bulk(out: string, ...more: string[]): Running {
    return vgg(
      'bulk',
      's3://photos/2026',
      '--out',
      `s3://results/${out}`,
      ...ASKED,
      '--yes',
      '--resume',
      ...more,
    );
  }

  async function rowsOf(out: string, format: Format = 'jsonl'): Promise<Row[]> {
    const keys = await under.keys('results', `${out}/results/`);
    const files = await Promise.all(
      keys.map(async (key) => await decode(await under.get('results', key), format)),
    );
    return files.flat();
  }

  // Photo by photo the best label, or the code of the error; each photo once, in the order of the manifest.
  function said(rows: readonly Row[]): string[] {
    return rows.map(
      (row) => `${row.photo}: ${row.error ? row.error.code : (row.predictions[0]?.label ?? '')}`,
    );
  }

  test('step by step, in Parquet: manifest, to-do, shards, reckoning', async () => {
    const made = await vgg(
      ...[
        'bulk',
        'manifest',
        's3://photos/2026',
        '--out',
        's3://results/steps',
        ...ASKED,
        '--format',
        'parquet',
      ],
    ).ended;
    expect(made).toEqual({
      ...{ status: 0, stdout: '' },
      stderr: '18 photos in 6 shards: s3://results/steps\n',
    });
    const job = 's3://results/steps/';
    expect(await vgg('bulk', 'todo', job, '--machines', '2').ended).toMatchObject({
      status: 0,
      stdout: '6\n',
    });
    const todo = JSON.parse((await under.get('results', 'steps/todo.json')).toString()) as {
      parts: string[];
    }[];
    expect(todo).toEqual([{ parts: ['00000', '00001', '00002'] }, { parts: ['00003', '00004', '00005'] }]);
    const parts = todo.map((each) => JSON.stringify(each.parts));
    expect(await vgg('bulk', 'shard', job, '--parts', parts[0] ?? '').ended).toMatchObject({ status: 0 });
    const early = await vgg('bulk', 'verify', job).ended;
    expect(early).toMatchObject({ status: 1 });
    expect(early.stderr).toContain('Without results: 9 photos in shards 00003, 00004, 00005');
    expect(await vgg('bulk', 'todo', job).ended).toMatchObject({ status: 0, stdout: '3\n' });
    expect(await vgg('bulk', 'shard', job, '--parts', parts[1] ?? '').ended).toMatchObject({ status: 0 });
    const { status, stdout } = await vgg('bulk', 'verify', job, '--json').ended;
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ photos: 18, answered: 17, setAside: 1, complete: true });
    expect(said(await rowsOf('steps', 'parquet'))).toEqual(said(unbroken));
  }, 300_000);

  // Once this call comes, or once S3 has done what it says and before anybody is told.
  const moments: [string, (call: Call) => boolean, boolean][] = [
    ['the first piece of the manifest is to be written', ({ path }) => path.includes('/manifest/'), false],
    ['the job is written', ({ path }) => path.includes('/job.json'), true],
    ['the first photo is read for an answer', ({ path }) => path.startsWith('/photos/'), false],
    ['a shard is to be committed', ({ path }) => path.includes('/results/part-'), false],
    ['a shard is committed', ({ path }) => path.includes('/results/part-'), true],
    ['the summary is to be written', ({ path }) => path.includes('/summary.json'), false],
  ];

  test('killed at any of these moments, one after the other, has one row a photo', async () => {
    for (const [what, is, done] of moments) {
      const made = (await under.keys('results', 'killed/job.json')).length > 0;
      const running = bulk('killed');
      let reached = false;
      let begun = made;
      under.front.interfere = (call, after) => {
        if (call.method === 'PUT' && call.path.includes('/job.json')) begun = true;
        const matters = call.method === 'PUT' || call.path.startsWith('/photos/2026/');
        if (!matters || after !== done || reached || !is(call)) return undefined;
        // Photos are read by the estimate as well: that one is not meant.
        if (what.includes('photo') && !begun) return undefined;
        reached = true;
        running.child.kill('SIGKILL');
        return 'silence';
      };
      const { status, stderr } = await running.ended;
      expect({ what, reached, status, stderr }).toMatchObject({ what, reached: true, status: 'SIGKILL' });
    }
    under.front.interfere = () => undefined;
    const { status, stdout, stderr } = await bulk('killed', '--json').ended;
    expect({ status, stderr }).toMatchObject({ status: 1 });
    expect(JSON.parse(stdout)).toMatchObject({ photos: 18, answered: 17, setAside: 1, complete: true });
    const rows = await rowsOf('killed');
    expect(said(rows)).toEqual(said(unbroken));
    expect(new Set(rows.map(({ photo }) => photo)).size).toBe(PHOTOS);
  }, 600_000);

  test('says in one sentence what is wrong with a place', async () => {
    const wrong = async (source: string, out: string) => {
      const { status, stderr } = await vgg('bulk', source, '--out', out, ...ASKED, '--yes').ended;
      return `${String(status)} ${stderr}`;
    };
    expect(await wrong('s3://nowhere/2026', 's3://results/wrong')).toMatch(
      /^1 .*Expected to list s3:\/\/nowhere\/2026\/ but received NoSuchBucket: .*\n$/,
    );
    expect(await wrong('s3://photos/2026', 's3://nowhere/wrong')).toMatch(
      /^1 .*Expected to read s3:\/\/nowhere\/wrong\/job\.json but received NoSuchBucket: .*\n$/,
    );
    expect(await wrong('s3://photos/1999', 's3://results/wrong')).toMatch(
      /^1 .*Expected photos but received none \(s3:\/\/photos\/1999\/\)\n$/,
    );
    expect(await under.keys('results', 'wrong/')).toEqual([]);
  }, 120_000);
});
