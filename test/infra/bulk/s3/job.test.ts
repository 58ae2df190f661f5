// A job whose photos and results are in an object store, in this process: two workers at one shard, photos that changed,
// buckets that vanish or are forbidden.

import { DeleteBucketCommand, DeleteObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Answerer } from '../../../../infra/bulk/asking.ts';
import { createJob, openJob, type JobRequest, type OpenJob } from '../../../../infra/bulk/job.ts';
import { openS3, type S3 } from '../../../../infra/bulk/s3.ts';
import { runShards, type RunOptions } from '../../../../infra/bulk/run.ts';
import { decode, type Row } from '../../../../infra/bulk/rows.ts';
import { verifyJob } from '../../../../infra/bulk/verify.ts';
import { systemClock, type Clock } from '../../../../sdk/clock.ts';
import { motoMissing } from '../../../models/fetch/moto.ts';
import { startS3, type S3Under } from './place.ts';

const missing = motoMissing();
const clock: Clock = { ...systemClock, after: (_, task) => systemClock.after(0, task) };
const before = { ...process.env };

function answerer(who: string, ask: (text: string) => Promise<void> | void = () => undefined): Answerer {
  const answered = async (photo: Uint8Array) => {
    const text = Buffer.from(photo).toString();
    await ask(text);
    const predictions = [{ label: `${text} by ${who}`, classIndex: 0, score: 1 }];
    return { model: 'm', network: 'D', protocol: 'CENTER_CROP', scales: [224], views: 1, predictions };
  };
  return { ask: answered, askAlone: answered, close: () => Promise.resolve() };
}

describe.skipIf(missing !== undefined)('a job in S3', () => {
  let under: S3Under;
  let s3: S3;
  beforeAll(async () => {
    under = await startS3();
    Object.assign(process.env, under.env);
    s3 = await openS3({ pathStyle: true, clock });
  });
  afterEach(() => {
    under.front.interfere = () => undefined;
    under.front.log.length = 0;
  });
  afterAll(async () => {
    process.env = before;
    await under.close();
  });

  async function photos(prefix: string, count: number): Promise<void> {
    for (let i = 0; i < count; i++)
      await under.put('photos', `${prefix}/${String(i)}.jpg`, `photo ${String(i)}`);
  }

  const source = (name: string) => s3.photos({ bucket: 'photos', prefix: `${name}/` });
  const request = (name: string, format: JobRequest['format'] = 'jsonl'): JobRequest => ({
    ...{ source: `s3://photos/${name}/`, format, question: { top: 1 }, weights: [], shardPhotos: 4 },
  });
  const store = (name: string) => s3.store({ bucket: 'results', prefix: `${name}/` });

  async function make(name: string, format: JobRequest['format'] = 'jsonl'): Promise<OpenJob> {
    return await createJob(request(name, format), source(name).list(), store(name));
  }

  async function work(name: string, options: Partial<RunOptions> = {}) {
    const open = await openJob(store(name));
    if (!open) throw new Error('No job');
    return await runShards(open, {
      ...{ shards: open.shards, source: source(name), answerer: answerer('me'), lanes: 3, retry: 'none' },
      patience: { attempts: 3, withoutAnswersMs: 60_000 },
      ...{ maxFailures: 10, clock, signal: new AbortController().signal },
      ...{ onProgress: () => undefined, onNotice: () => undefined },
      ...options,
    });
  }

  async function rowsOf(name: string, format: JobRequest['format'] = 'jsonl'): Promise<Row[]> {
    const keys = await under.keys('results', `${name}/results/`);
    const files = await Promise.all(
      keys.map(async (key) => await decode(await under.get('results', key), format)),
    );
    return files.flat();
  }

  test.each(['jsonl', 'parquet'] as const)('has one row a photo, in %s', async (format) => {
    const name = `whole-${format}`;
    await photos(name, 10);
    await make(name, format);
    expect(await work(name)).toEqual({ answered: 10, setAside: 0, fresh: 10 });
    const rows = await rowsOf(name, format);
    expect(rows.map((row) => [row.photo, row.error === null && row.predictions[0]?.label])).toEqual(
      Array.from({ length: 10 }, (_, i) => [`${String(i)}.jpg`, `photo ${String(i)} by me`]),
    );
    const open = await openJob(store(name));
    expect(open && (await verifyJob(open))).toMatchObject({ photos: 10, answered: 10, complete: true });
    expect(await work(name)).toEqual({ answered: 10, setAside: 0, fresh: 0 });
  });

  test('that two workers finish at once is committed once: the second takes the first one’s rows', async () => {
    await photos('two', 4);
    await make('two');
    // Neither commits before both have answered all photos.
    let [left, go]: [number, () => void] = [2 * 4, () => undefined];
    const all = new Promise<void>((resolve) => (go = resolve));
    const together = async () => {
      if (--left === 0) go();
      await all;
    };
    const counts = await Promise.all(
      ['one', 'other'].map((who) => work('two', { answerer: answerer(who, together), lanes: 4 })),
    );
    expect(counts).toEqual(Array(2).fill({ answered: 4, setAside: 0, fresh: 4 }));
    const commits = under.front.log.filter((line) => line.startsWith('PUT /results/two/results/'));
    expect(commits.map((line) => line.split(' ').at(-1))).toEqual(['200', '412']);
    const rows = await rowsOf('two');
    const by = new Set(rows.map((row) => (row.error ? '' : row.predictions[0]?.label.split(' by ')[1])));
    expect(rows).toHaveLength(4);
    expect(by.size).toBe(1);
    const open = await openJob(store('two'));
    expect(open && (await verifyJob(open))).toMatchObject({ answered: 4, complete: true });
    expect(await under.keys('results', 'two/partial/')).toEqual([]);
  });

  test('that was made, though the answer was lost, is there; another one is not made over it', async () => {
    await photos('lost', 4);
    let lost = 1;
    under.front.interfere = ({ method, path }, done) =>
      done && method === 'PUT' && path.includes('/job.json') && lost-- > 0 ? 'answer lost' : undefined;
    const { job } = await make('lost');
    expect(lost).toBeLessThanOrEqual(0);
    expect((await openJob(store('lost')))?.job).toEqual(job);
    await expect(make('lost')).rejects.toThrow('Expected a place without a job');
  });

  test('sets photos aside that are gone or changed since, and asks again for what broke off', async () => {
    await photos('changed', 6);
    await make('changed');
    await under.put('photos', 'changed/2.jpg', 'newer 2');
    const client = new S3Client({ forcePathStyle: true });
    await client.send(new DeleteObjectCommand({ Bucket: 'photos', Key: 'changed/3.jpg' }));
    client.destroy();
    let broken = 3;
    under.front.interfere = ({ path }, done) =>
      done && path.includes('/photos/changed/4.jpg') && broken-- > 0 ? 'body broken off' : undefined;
    expect(await work('changed')).toEqual({ answered: 4, setAside: 2, fresh: 6 });
    expect(broken).toBeLessThanOrEqual(0);
    const rows = await rowsOf('changed');
    expect(rows.map(({ photo, error }) => `${photo} ${error?.message ?? 'answered'}`)).toEqual([
      ...['0.jpg answered', '1.jpg answered'],
      '2.jpg Expected the photo that the manifest names but received a newer one (2.jpg)',
      '3.jpg Expected the photo that the manifest names but received nothing (3.jpg)',
      ...['4.jpg answered', '5.jpg answered'],
    ]);
  });

  test('stops, and sets nothing aside, when the bucket of photos is gone', async () => {
    const client = new S3Client({ forcePathStyle: true });
    await photos('vanishing', 6);
    await make('vanishing');
    for (const Key of await under.keys('photos')) {
      await client.send(new DeleteObjectCommand({ Bucket: 'photos', Key }));
    }
    await client.send(new DeleteBucketCommand({ Bucket: 'photos' }));
    client.destroy();
    const aside: number[] = [];
    const stopped = work('vanishing', { onProgress: ({ setAside }) => void aside.push(setAside) });
    await expect(stopped).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(
        /^Expected to read s3:\/\/photos\/vanishing\/\d\.jpg but received NoSuchBucket: /,
      ) as string,
    });
    expect(Math.max(...aside)).toBe(0);
    expect(await under.keys('results', 'vanishing/results/')).toEqual([]);
  });
});

describe.skipIf(missing !== undefined)('credentials', () => {
  test('that may not write the results stop the job, and name what was not allowed', async () => {
    const under = await startS3();
    Object.assign(process.env, under.env);
    try {
      for (let i = 0; i < 4; i++) await under.put('photos', `${String(i)}.jpg`, `photo ${String(i)}`);
      const open = async (place: { AWS_ACCESS_KEY_ID: string; AWS_SECRET_ACCESS_KEY: string }) => {
        Object.assign(process.env, place);
        return await openS3({ pathStyle: true, clock });
      };
      const may = [
        ...[allow(['s3:ListBucket', 's3:GetObject'], '*')],
        allow(['s3:PutObject'], 'arn:aws:s3:::results/job/manifest/*'),
        ...['job.json', 'shards.json'].map((key) =>
          allow(['s3:PutObject'], `arn:aws:s3:::results/job/${key}`),
        ),
      ];
      const s3 = await open(await userOf(under.direct, may));
      // From now on the emulator looks at who asks, and what they may.
      await fetch(`${under.direct}/moto-api/reset-auth`, { method: 'POST', body: '0' });
      const photos = s3.photos({ bucket: 'photos', prefix: '' });
      const job: JobRequest = {
        ...{ source: photos.place, format: 'jsonl', question: { top: 1 }, weights: [], shardPhotos: 4 },
      };
      const made = await createJob(job, photos.list(), s3.store({ bucket: 'results', prefix: 'job/' }));
      const running = runShards(made, {
        ...{ shards: made.shards, source: photos, answerer: answerer('me'), lanes: 2, retry: 'none' },
        patience: { attempts: 3, withoutAnswersMs: 60_000 },
        ...{ maxFailures: 10, clock, signal: new AbortController().signal },
        ...{ onProgress: () => undefined, onNotice: () => undefined },
      });
      await expect(running).rejects.toMatchObject({
        code: 'PERMISSION_DENIED',
        message: expect.stringContaining(
          'Expected to write s3://results/job/results/part-00000.jsonl but received AccessDenied',
        ) as string,
      });
      const unknown = await open({ AWS_ACCESS_KEY_ID: 'AKIAUNKNOWN', AWS_SECRET_ACCESS_KEY: 'test' });
      const reading = unknown
        .photos({ bucket: 'photos', prefix: '' })
        .read(...([{ photo: '0.jpg', size: 7, etag: '' }] as const));
      await expect(reading).rejects.toMatchObject({
        code: 'UNAUTHENTICATED',
        message: expect.stringContaining('InvalidAccessKeyId') as string,
      });
    } finally {
      process.env = before;
      await under.close();
    }
  });
});

function allow(Action: string[], Resource: string): object {
  return { Effect: 'Allow', Action, Resource };
}

// A user of the emulator's IAM, with these rights and no others.
async function userOf(endpoint: string, statements: object[]) {
  const iam = async (Action: string, values: Record<string, string>) => {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization:
          'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0',
      },
      body: new URLSearchParams({ Action, Version: '2010-05-08', ...values }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return text;
  };
  const UserName = 'worker';
  await iam('CreateUser', { UserName });
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  await iam('PutUserPolicy', { UserName, PolicyName: 'bulk', PolicyDocument });
  const key = await iam('CreateAccessKey', { UserName });
  const of = (name: string) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(key)?.[1] ?? '';
  return { AWS_ACCESS_KEY_ID: of('AccessKeyId'), AWS_SECRET_ACCESS_KEY: of('SecretAccessKey') };
}
