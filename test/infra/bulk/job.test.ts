// A job on a folder, in this process: exactly one row a photo whatever happens to workers, shards, photos and the disk.

import { spawn, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WorkerDied, type Answerer } from '../../../infra/bulk/asking.ts';
import { checkSame, createJob, openJob, type OpenJob } from '../../../infra/bulk/job.ts';
import { FolderPhotos } from '../../../infra/bulk/photos.ts';
import { WorkerPool } from '../../../infra/bulk/pool.ts';
import type { Answered, Row } from '../../../infra/bulk/rows.ts';
import { runShards, type Counts, type RunOptions } from '../../../infra/bulk/run.ts';
import { FolderStore } from '../../../infra/bulk/store.ts';
import { verifyJob, type Failure } from '../../../infra/bulk/verify.ts';
import type { Clock } from '../../../sdk/clock.ts';
import { VggError } from '../../../vgg/errors.ts';

let folder: string;
let source: FolderPhotos;
let store: FolderStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vgg-bulk-'));
  await mkdir(join(folder, 'photos', 'more'), { recursive: true });
  for (let i = 0; i < 10; i++) await writeFile(photoFile(i), `photo ${String(i)}`);
  source = new FolderPhotos(join(folder, 'photos'));
  store = new FolderStore(join(folder, 'out'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

function photoFile(i: number): string {
  return join(folder, 'photos', i % 2 === 0 ? 'more' : '.', `${String(i)}.jpg`);
}

// What a photo says is its text: so an answer of another photo would be seen.
function answerTo(photo: Uint8Array): Answered {
  const predictions = [{ label: Buffer.from(photo).toString(), classIndex: 0, score: 1 }];
  return { model: 'm', network: 'D', protocol: 'CENTER_CROP', scales: [224], views: 1, predictions };
}

function answerer(ask: (text: string, alone: boolean) => Promise<void> | void = () => undefined): Answerer {
  const answered = (alone: boolean) => async (photo: Uint8Array) => {
    await ask(Buffer.from(photo).toString(), alone);
    return answerTo(photo);
  };
  return { ask: answered(false), askAlone: answered(true), close: () => Promise.resolve() };
}

// Waiting takes no time, but time passes.
function quickClock(): Clock {
  let now = 0;
  return {
    now: () => now,
    epoch: () => now,
    random: () => 0.5,
    after: (ms, task) => {
      const handle = setImmediate(() => {
        now += ms;
        task();
      });
      return () => {
        clearImmediate(handle);
      };
    },
  };
}

async function create(): Promise<OpenJob> {
  return await createJob(
    { source: source.place, format: 'jsonl', question: { top: 1 }, weights: [], shardPhotos: 4 },
    ...([source.list(), store] as const),
  );
}

async function work(options: Partial<RunOptions> = {}): Promise<Counts> {
  const open = await openJob(store);
  if (!open) throw new Error('No job');
  return await runShards(open, {
    ...{ shards: open.shards, source, answerer: answerer(), lanes: 3, retry: 'retryable' },
    patience: { attempts: 3, withoutAnswersMs: 60_000 },
    ...{ maxFailures: 10, clock: quickClock(), signal: new AbortController().signal },
    ...{ onProgress: () => undefined, onNotice: () => undefined },
    ...options,
  });
}

async function rows(): Promise<Row[]> {
  const files = (await readdir(join(folder, 'out', 'results'))).sort();
  const texts = await Promise.all(
    files.map((file) => readFile(join(folder, 'out', 'results', file), 'utf8')),
  );
  return texts
    .join('')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
}

// Photo by photo: what was answered, or the code of what was not.
async function said(): Promise<Record<string, string>> {
  const list = await rows();
  const all = Object.fromEntries(
    list.map((row) => [row.photo, row.error ? row.error.code : (row.predictions[0]?.label ?? '')]),
  );
  expect(Object.keys(all)).toHaveLength(list.length);
  return all;
}

const NAMES = [
  '1.jpg',
  '3.jpg',
  '5.jpg',
  '7.jpg',
  '9.jpg',
  ...[0, 2, 4, 6, 8].map((i) => `more/${String(i)}.jpg`),
];
const ALL = Object.fromEntries(NAMES.map((name) => [name, `photo ${/\d/.exec(name)?.[0] ?? ''}`]));

describe('a job', () => {
  test('has one row a photo, each of that photo, in the order of the manifest', async () => {
    await create();
    expect(await work()).toEqual({ answered: 10, setAside: 0, fresh: 10 });
    expect((await rows()).map(({ photo }) => photo)).toEqual(NAMES);
    expect(await said()).toEqual(ALL);
    expect(await work()).toEqual({ answered: 10, setAside: 0, fresh: 0 });
    const open = await openJob(store);
    expect(open && (await verifyJob(open))).toMatchObject({ photos: 10, answered: 10, complete: true });
  });

  test('that is stopped keeps what is in hand, and goes on from there', async () => {
    await create();
    const stop = new AbortController();
    let begun = 0;
    const stopping = answerer(() => {
      if (++begun === 6) stop.abort(new VggError('CANCELLED', 'Interrupted'));
    });
    await expect(work({ answerer: stopping, signal: stop.signal })).rejects.toThrow('Interrupted');
    const first = begun;
    expect(first).toBeLessThan(10);
    const asked: string[] = [];
    const { fresh } = await work({ answerer: answerer((text) => void asked.push(text)) });
    expect(fresh).toBe(10 - first);
    expect(await said()).toEqual(ALL);
    expect(await store.list('partial/')).toEqual([]);
  });

  test('is not begun twice at one place, and goes on only as it was', async () => {
    const { job } = await create();
    await expect(create()).rejects.toThrow('Expected a place without a job');
    expect(() => {
      checkSame(job, { ...job, question: { top: 1, protocol: 'DENSE' } }, 'out');
    }).toThrow(
      'Expected protocol none, of the job in out, but received DENSE; another --out begins another job',
    );
    expect(() => {
      checkSame(job, { ...job, source: '/elsewhere' }, 'out');
    }).toThrow(`Expected source ${job.source}`);
    const weights = [{ model: 'm', sha256: 'b' }];
    expect(() => {
      checkSame({ ...job, weights: [{ model: 'm', sha256: 'a' }] }, { ...job, weights }, 'out');
    }).toThrow('Expected model m with weights of SHA-256 a, of the job in out, but received b');
  });
});

describe('photos', () => {
  test('that are gone or have changed since the manifest are set aside', async () => {
    await create();
    await rm(photoFile(3));
    await writeFile(photoFile(4), 'photo four');
    await utimes(photoFile(5), 1, 1);
    await work();
    expect(await said()).toEqual({
      ...ALL,
      '3.jpg': 'NOT_FOUND',
      'more/4.jpg': 'NOT_FOUND',
      '5.jpg': 'NOT_FOUND',
    });
    const errors = (await rows()).flatMap(({ photo, error }) =>
      error ? [`${photo}: ${error.message}`] : [],
    );
    expect(errors).toEqual([
      '3.jpg: Expected the photo that the manifest names but received ENOENT (3.jpg)',
      '5.jpg: Expected the photo that the manifest names but received a newer one (5.jpg)',
      'more/4.jpg: Expected the photo that the manifest names but received one of 10 bytes instead of 7 (more/4.jpg)',
    ]);
  });

  test('that cannot be answered are set aside, listed, and asked again only if that may help', async () => {
    await create();
    const failing = answerer((text) => {
      if (text === 'photo 2') throw new VggError('UNSUPPORTED_FORMAT', 'No image');
      if (text === 'photo 7') throw new VggError('DEADLINE_EXCEEDED', 'Too slow');
    });
    expect(await work({ answerer: failing })).toMatchObject({ answered: 8, setAside: 2 });
    const open = await openJob(store);
    if (!open) throw new Error('No job');
    expect(await verifyJob(open)).toMatchObject({
      ...{ answered: 8, setAside: 2, complete: true, codes: { UNSUPPORTED_FORMAT: 1, DEADLINE_EXCEEDED: 1 } },
    });
    const failures = (await readFile(join(folder, 'out', 'failures.jsonl'), 'utf8')).trimEnd().split('\n');
    expect(failures.map((line) => JSON.parse(line) as Failure)).toEqual([
      { photo: '7.jpg', part: '00000', code: 'DEADLINE_EXCEEDED', message: 'Too slow', retryable: true },
      {
        photo: 'more/2.jpg',
        part: '00001',
        code: 'UNSUPPORTED_FORMAT',
        message: 'No image',
        retryable: false,
      },
    ]);
    expect(await work({ retry: 'none' })).toMatchObject({ fresh: 0 });
    expect(await work()).toMatchObject({ answered: 9, setAside: 1, fresh: 1 });
    expect(await work({ retry: 'all' })).toMatchObject({ answered: 10, setAside: 0, fresh: 1 });
    expect(await said()).toEqual(ALL);
  });

  test('too many of them stop the job, and so does an option that no photo could have', async () => {
    await create();
    const bad = (code: 'INVALID_ARGUMENT' | 'PERMISSION_DENIED', field?: string) =>
      answerer(() => {
        throw new VggError(code, 'No', field === undefined ? {} : { fields: [{ field, message: 'No' }] });
      });
    await expect(work({ answerer: bad('INVALID_ARGUMENT', 'photo'), maxFailures: 2 })).rejects.toThrow(
      'Expected at most 2 photos that are set aside but received 3 (--max-failures)',
    );
    await expect(work({ answerer: bad('INVALID_ARGUMENT', 'scales[1]') })).rejects.toThrow('No');
    await expect(work({ answerer: bad('PERMISSION_DENIED') })).rejects.toThrow('No');
  });
});

describe('a server', () => {
  test('that is busy or away for a while costs patience, not photos', async () => {
    await create();
    let refusals = 15;
    const busy = answerer(() => {
      if (refusals-- <= 0) return;
      if (refusals % 2 === 0) throw new VggError('UNAVAILABLE', 'Away');
      throw new VggError('RESOURCE_EXHAUSTED', 'Busy', { retryAfterMs: 500 });
    });
    expect(await work({ answerer: busy })).toMatchObject({ answered: 10, setAside: 0 });
  });

  test('that answers nobody stops the job; what it refuses of one photo alone is set aside', async () => {
    await create();
    const away = answerer(() => {
      throw new VggError('UNAVAILABLE', 'Away');
    });
    await expect(work({ answerer: away })).rejects.toThrow(
      'Expected an answer within 60 s but received UNAVAILABLE: Away',
    );
    // Others are answered between its attempts.
    const one = answerer(async (text) => {
      await new Promise(setImmediate);
      if (text === 'photo 1') throw new VggError('UNAVAILABLE', 'Away');
    });
    const counts = await work({ answerer: one, patience: { attempts: 1, withoutAnswersMs: 60_000 } });
    expect(counts).toMatchObject({ answered: 9, setAside: 1 });
  });
});

describe('workers', () => {
  // Real processes, which die as they are told to: their photos' texts are commands.
  const PROGRAM = `
    process.on('disconnect', () => process.exit(0));
    process.on('message', ({ id, photo }) => {
      const label = Buffer.from(photo).toString();
      if (label === 'die') process.kill(process.pid, 'SIGKILL');
      const predictions = [{ label, classIndex: 0, score: 1 }];
      setTimeout(() => process.send({ id, answered: { model: 'm', network: 'D', protocol: 'CENTER_CROP',
        scales: [224], views: 1, predictions } }), 2);
    });
    process.send({ ready: true });`;
  const start = (program: string) => () =>
    spawn(process.execPath, ['-e', program], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
    });

  async function pooled(program = PROGRAM, options: Partial<RunOptions> = {}): Promise<Counts> {
    const pool = new WorkerPool({ start: start(program), workers: 2, inFlight: 2 });
    try {
      return await work({ answerer: pool, lanes: 4, ...options });
    } finally {
      await pool.close();
    }
  }

  test('a photo that kills them is set aside, and no other with it', async () => {
    await writeFile(photoFile(6), 'die');
    await create();
    expect(await pooled()).toMatchObject({ answered: 9, setAside: 1 });
    expect(await said()).toEqual({ ...ALL, 'more/6.jpg': 'INTERNAL' });
    expect((await rows()).find(({ error }) => error)?.error).toEqual({
      code: 'INTERNAL',
      message: 'Expected an answer but the worker died of more/6.jpg (SIGKILL), 3 times',
      retryable: false,
    });
    expect(await pooled()).toMatchObject({ fresh: 0 });
  });

  test('how often they died of a photo outlives whoever counts', async () => {
    await create();
    const stop = new AbortController();
    const died: string[] = [];
    const dying = answerer((text, alone) => {
      if (text !== 'photo 6') return;
      died.push(alone ? 'alone' : 'among others');
      // As if everything had been killed right after this was noted.
      if (died.length === 3) stop.abort(new VggError('CANCELLED', 'Killed'));
      throw new WorkerDied('SIGSEGV', alone);
    });
    await expect(work({ answerer: dying, signal: stop.signal })).rejects.toThrow('Killed');
    expect(died).toEqual(['among others', 'alone', 'alone']);
    expect(await work({ answerer: dying })).toMatchObject({ answered: 9, setAside: 1 });
    // Of three that it may kill, two were known.
    expect(died.slice(3)).toEqual(['alone']);
    expect(await store.list('deaths/')).toEqual([]);
  });

  test('that cannot start stop the job with what they say, or with how they ended', async () => {
    await create();
    const unable = `process.send({ unable: { code: 'NOT_FOUND', message: 'No such model', fields: [] } },
      () => process.disconnect());`;
    await expect(pooled(unable)).rejects.toThrow('No such model');
    await expect(pooled('process.exit(7)')).rejects.toThrow(
      'Expected a worker to start but received exit status 7',
    );
  });
});

describe('pieces', () => {
  test('a shard whose file is damaged is made again, and verify says so before', async () => {
    await create();
    await work();
    const file = join(folder, 'out', 'results', 'part-00001.jsonl');
    const whole = await readFile(file);
    for (const damaged of [whole.subarray(0, whole.length / 2), Buffer.alloc(0), Buffer.from('{}\n')]) {
      await writeFile(file, damaged);
      const open = await openJob(store);
      if (!open) throw new Error('No job');
      expect(await verifyJob(open)).toMatchObject({
        ...{ complete: false, answered: 6, missing: { photos: 4 }, damaged: [{ shard: '00001' }] },
      });
      const notices: string[] = [];
      expect(await work({ onNotice: (text) => notices.push(text) })).toMatchObject({ fresh: 4 });
      expect(notices).toEqual([expect.stringMatching(/^Shard 00001 is made again: Expected /)]);
      expect(await readFile(file)).toEqual(whole);
    }
  });

  test('a manifest that has changed stops the job and names the piece', async () => {
    await create();
    const file = join(folder, 'out', 'manifest', 'part-00002.jsonl');
    await writeFile(file, `${await readFile(file, 'utf8')}{"photo":"z.jpg","size":1,"etag":""}\n`);
    await expect(work()).rejects.toThrow(
      /^Expected the manifest that the job was made with, of SHA-256 \w+ but received \w+ \(manifest\/part-00002\.jsonl\)$/,
    );
    await writeFile(join(folder, 'out', 'shards.json'), '[]');
    await expect(openJob(store)).rejects.toThrow('Expected shards of SHA-256');
  });

  test('a job that was being made when it was killed is no job', async () => {
    await store.put('manifest/part-00000.jsonl', Buffer.from('{}'));
    expect(await openJob(store)).toBeUndefined();
    await create();
    expect(await work()).toMatchObject({ answered: 10 });
  });

  test('what a killed process had begun to write is removed', async () => {
    await create();
    await work();
    await writeFile(join(folder, 'out', 'results', '.1234.tmp'), 'half a');
    await openJob(store);
    expect(await readdir(join(folder, 'out', 'results'))).toEqual(
      [0, 1, 2].map((i) => `part-0000${String(i)}.jsonl`),
    );
  });

  test('a piece that is there is kept by putNew, and replaced by put', async () => {
    expect(await store.putNew('a/b', Buffer.from('1'))).toBe(true);
    expect(await store.putNew('a/b', Buffer.from('2'))).toBe(false);
    expect(Buffer.from((await store.get('a/b')) ?? []).toString()).toBe('1');
    await store.put('a/b', Buffer.from('3'));
    expect(Buffer.from((await store.get('a/b')) ?? []).toString()).toBe('3');
    expect(await store.list('a/')).toEqual(['a/b']);
    await store.delete('a/b');
    await store.delete('a/b');
    expect(await store.get('a/b')).toBeUndefined();
    expect(await store.list('nowhere/')).toEqual([]);
  });

  test('a full disk stops the job, and with space it goes on', async (context) => {
    const disk = join(folder, 'out');
    await mkdir(disk);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]).status !== 0) {
      context.skip('A small file system can be mounted by root only');
      return;
    }
    try {
      await create();
      // Of 16 pages some are left.
      const ballast = join(disk, 'ballast');
      await writeFile(ballast, Buffer.alloc(12 << 10)).catch(() => undefined);
      const long = answerer();
      const wordy: Answerer = {
        ...long,
        ask: async (photo) => ({ ...(await long.ask(photo)), model: 'm'.repeat(8 << 10) }),
      };
      await expect(work({ answerer: wordy })).rejects.toThrow(
        /^Expected to write .* but received no space left \(ENOSPC\)$/,
      );
      await rm(ballast, { force: true });
      expect(spawnSync('mount', ['-o', 'remount,size=4m', disk]).status).toBe(0);
      expect(await work({ answerer: wordy })).toMatchObject({ answered: 10, setAside: 0 });
      expect(await said()).toEqual(ALL);
    } finally {
      spawnSync('umount', [disk]);
    }
  });
});
