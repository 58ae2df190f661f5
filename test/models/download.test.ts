// Downloading, against a host that stalls, cuts off, and changes its mind between attempts.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Digest } from '../../models/digest.ts';
import type { DownloadOptions } from '../../models/download.ts';
import { onDisk } from '../../models/download/partial.ts';
import { VggError } from '../../vgg/index.ts';
import { DIGEST, HALF, OTHERS, WEIGHTS, eachDownloading } from './downloading.ts';
import { FileHost, file, status } from './file-host.ts';

const here = eachDownloading();

/** Calls once, when so many bytes have come. */
function at(bytes: number, then: () => void): NonNullable<DownloadOptions['onProgress']> {
  let done = false;
  return (came) => {
    if (done || came < bytes) return;
    done = true;
    then();
  };
}

/** Leaves the first half of the file, as an earlier download that was interrupted did. */
async function interrupted(facts: { etag?: string; modified?: string } = { etag: '"one"' }): Promise<void> {
  here().host.answers(file(WEIGHTS, { ...facts, upTo: HALF }));
  const controller = new AbortController();
  const reason = new VggError('CANCELLED', 'Interrupted');
  const stopped = here().fetchIt({
    signal: controller.signal,
    onProgress: at(HALF, () => {
      controller.abort(reason);
    }),
  });
  await expect(stopped).rejects.toBe(reason);
  here().host.asked.length = 0;
}

describe('a good host', () => {
  test('the file gets its name, and nothing else is left', async () => {
    const seen: [number, number | undefined][] = [];
    const { bytes, digest } = await here().fetchIt({
      expectedBytes: WEIGHTS.length,
      onProgress: (came, of) => seen.push([came, of]),
    });
    expect({ bytes, digest }).toEqual({ bytes: WEIGHTS.length, digest: DIGEST });
    await here().expectWhole();
    expect(seen.at(-1)).toEqual([WEIGHTS.length, WEIGHTS.length]);
    expect(here().host.asked[0]?.headers).toMatchObject({
      'accept-encoding': 'identity',
      'user-agent': 'vgg-serve',
    });
    expect(here().host.asked[0]?.headers).not.toHaveProperty('range');
  });

  test.each<Digest>([
    { algorithm: 'sha256', hex: DIGEST.hex.slice(0, 8) },
    { algorithm: 'sha1', hex: createHash('sha1').update(WEIGHTS).digest('hex') },
    { algorithm: 'md5', hex: createHash('md5').update(WEIGHTS).digest('hex') },
  ])('a digest as published: $algorithm $hex', async (digest) => {
    const came = await here().fetchIt({ digest });
    expect(came.digest.hex.startsWith(digest.hex)).toBe(true);
    await here().expectWhole();
  });

  test('what is there already and right is not asked for again; what is wrong is replaced', async () => {
    await here().fetchIt();
    await here().fetchIt();
    expect(here().host.asked).toHaveLength(1);
    await writeFile(here().target, OTHERS);
    await here().fetchIt();
    expect(here().host.asked).toHaveLength(2);
    await here().expectWhole();
  });

  test('user and password are sent to the host, and are in no message', async () => {
    const url = here().host.url('/weights.pth?token=hush');
    Object.assign(url, { username: 'me', password: 'p%40ss' });
    await here().fetchIt({}, url);
    expect(here().host.asked[0]?.headers.authorization).toBe(
      `Basic ${Buffer.from('me:p@ss').toString('base64')}`,
    );
    here().host.answers(status(404));
    await rm(here().target);
    await expect(here().fetchIt({}, url)).rejects.toThrow(
      `Expected a file but ${here().host.url().href}?… answered 404`,
    );
    expect(JSON.stringify(await here().leftovers())).not.toMatch(/hush|p@ss/);
  });
});

describe('going on', () => {
  test('an interrupted download keeps what came, and the next one asks for the rest', async () => {
    await interrupted();
    expect(await here().leftovers()).toEqual(['weights.pth.partial', 'weights.pth.partial.json']);
    expect((await stat(`${here().target}.partial`)).size).toBe(HALF);
    here().host.answers(file(WEIGHTS, { etag: '"one"' }));
    await here().fetchIt();
    await here().expectWhole();
    expect(here().host.asked).toHaveLength(1);
    expect(here().host.asked[0]?.headers).toMatchObject({
      range: `bytes=${String(HALF)}-`,
      'if-range': '"one"',
    });
  });

  test.each([
    ['Last-Modified', { modified: 'Mon, 01 Jun 2015 00:00:00 GMT' }, 'Mon, 01 Jun 2015 00:00:00 GMT'],
    ['a weak ETag says too little', { etag: 'W/"one"' }, undefined],
    ['nothing, but the digest will tell', {}, undefined],
  ])('validator: %s', async (_, facts, ifRange) => {
    await interrupted(facts);
    here().host.answers(file(WEIGHTS, facts));
    await here().fetchIt();
    await here().expectWhole();
    expect(here().host.asked[0]?.headers.range).toBe(`bytes=${String(HALF)}-`);
    expect(here().host.asked[0]?.headers['if-range']).toBe(ifRange);
  });

  test('a file that changed in between starts over', async () => {
    await interrupted({ etag: '"old"' });
    await writeFile(`${here().target}.partial`, OTHERS.subarray(0, HALF));
    here().host.answers(file(WEIGHTS, { etag: '"new"' }));
    await here().fetchIt();
    await here().expectWhole();
    expect(here().host.asked).toHaveLength(1);
  });

  test('a host that ignores If-Range is found out by its ETag', async () => {
    await interrupted({ etag: '"old"' });
    here().host.answers((request, response) => {
      delete request.headers['if-range'];
      file(WEIGHTS, { etag: '"new"' })(request, response);
    });
    await here().fetchIt();
    await here().expectWhole();
    expect(here().host.asked.map(({ headers }) => headers.range)).toEqual([
      `bytes=${String(HALF)}-`,
      undefined,
    ]);
  });

  test('a host that ignores Range starts over', async () => {
    await interrupted();
    here().host.answers((request, response) => {
      delete request.headers.range;
      file(WEIGHTS, { etag: '"one"' })(request, response);
    });
    await here().fetchIt();
    await here().expectWhole();
    expect(here().host.asked).toHaveLength(1);
  });

  test.each([
    ['another start', `bytes ${String(HALF - 1)}-299999/300000`],
    ['another length', `bytes ${String(HALF)}-299999/300001`],
    ['not to the end', `bytes ${String(HALF)}-200000/300000`],
    ['no Content-Range', undefined],
  ])('a part that is not the one asked for starts over: %s', async (_, range) => {
    await interrupted();
    here().host.answers(
      (__, response) => {
        response.writeHead(206, range === undefined ? {} : { 'content-range': range });
        response.end(OTHERS.subarray(HALF));
      },
      file(WEIGHTS, { etag: '"one"' }),
    );
    await here().fetchIt();
    await here().expectWhole();
    expect(here().host.asked[1]?.headers.range).toBeUndefined();
    expect(here().retries).toEqual([expect.stringContaining('starting over')]);
  });

  test('416: all had come, or the file became shorter', async () => {
    const chunked = (upTo: number) => (_: unknown, response: { write(bytes: Uint8Array): unknown }) => {
      response.write(WEIGHTS.subarray(0, upTo));
    };
    const controller = new AbortController();
    here().host.answers(chunked(WEIGHTS.length));
    const stopped = here().fetchIt({
      signal: controller.signal,
      onProgress: at(WEIGHTS.length, () => {
        controller.abort(new Error('enough'));
      }),
    });
    await expect(stopped).rejects.toThrow('enough');
    here().host.answers(file(WEIGHTS));
    await here().fetchIt();
    await here().expectWhole();
    expect(here().host.asked[1]?.headers.range).toBe('bytes=300000-');

    await rm(here().target);
    await interrupted();
    here().host.answers(status(416, { 'content-range': 'bytes */1000' }), file(WEIGHTS));
    await here().fetchIt();
    await here().expectWhole();
  });

  test('another address starts over', async () => {
    await interrupted();
    here().host.answers(file(WEIGHTS, { etag: '"one"' }));
    await here().fetchIt({}, here().host.url('/elsewhere'));
    await here().expectWhole();
    expect(here().host.asked[0]?.headers.range).toBeUndefined();
  });
});

describe('a bad line', () => {
  test('cut off in the middle: goes on after a wait', async () => {
    here().host.answers(file(WEIGHTS, { etag: '"one"', upTo: HALF }), file(WEIGHTS, { etag: '"one"' }));
    await here().fetchIt({
      onProgress: at(HALF, () => {
        here().host.cut();
      }),
    });
    await here().expectWhole();
    expect(here().host.asked[1]?.headers.range).toBe(`bytes=${String(HALF)}-`);
    expect(here().clock.waits).toEqual([1000]);
    expect(here().retries).toEqual([expect.stringContaining('was cut off')]);
  });

  test('stalled in the middle: goes on after a wait', async () => {
    here().host.answers(file(WEIGHTS, { etag: '"one"', upTo: HALF }), file(WEIGHTS, { etag: '"one"' }));
    await here().fetchIt({
      onProgress: at(HALF, () => {
        here().clock.stall();
      }),
    });
    await here().expectWhole();
    expect(here().host.asked[1]?.headers.range).toBe(`bytes=${String(HALF)}-`);
    expect(here().retries).toEqual(['no byte came for 12.345 s']);
  });

  test('stalled before any answer', async () => {
    here().host.answers(() => {
      here().clock.stall();
    }, file(WEIGHTS));
    await here().fetchIt();
    await here().expectWhole();
    expect(here().clock.waits).toEqual([1000]);
  });

  test('waits grow, and then it gives up, keeps what came and says so', async () => {
    await interrupted();
    here().host.answers(status(503));
    await expect(here().fetchIt({ attempts: 5 })).rejects.toThrow(
      new VggError(
        'UNAVAILABLE',
        `Expected the file at ${here().host.url().href} but gave up after 5 attempts: ${here().host.url().href} answered 503; ` +
          `the ${String(HALF)} bytes that came are kept, and the same command goes on from there`,
      ),
    );
    expect(here().clock.waits).toEqual([1000, 2000, 4000, 8000]);
    here().host.answers(file(WEIGHTS, { etag: '"one"' }));
    await here().fetchIt();
    await here().expectWhole();
    expect(here().host.asked.at(-1)?.headers.range).toBe(`bytes=${String(HALF)}-`);
  });

  test('attempts that bring a lot do not count', async () => {
    const large = new Uint8Array(5 << 20);
    const step = (1 << 20) + 1000;
    const replies = [1, 2, 3, 4].map((n) => file(large, { etag: '"l"', upTo: n * step }));
    here().host.answers(...replies, file(large, { etag: '"l"' }));
    let next = step;
    await here().fetchIt({
      digest: { algorithm: 'md5', hex: createHash('md5').update(large).digest('hex') },
      attempts: 2,
      onProgress: (came) => {
        if (came !== next || here().host.asked.length > 4) return;
        next += step;
        here().host.cut();
      },
    });
    expect(here().clock.waits).toEqual([1000, 1000, 1000, 1000]);
  });

  test.each([
    ['seconds', '7', 7000],
    ['a date', 'Thu, 01 Jan 2026 00:00:09 GMT', 9000],
    ['nonsense', 'soon', 1000],
    ['less than a wait takes anyway', '0', 1000],
  ])('429 with Retry-After: %s', async (_, value, wait) => {
    here().host.answers(status(429, { 'retry-after': value }), file(WEIGHTS));
    await here().fetchIt();
    await here().expectWhole();
    expect(here().clock.waits).toEqual([wait]);
  });

  test('a host that wants to be left alone for an hour is', async () => {
    here().host.answers(status(429, { 'retry-after': '3600' }));
    await expect(here().fetchIt()).rejects.toThrow(
      /gave up after one attempt: .* answered 429, come back in 60 minutes$/,
    );
    expect(here().host.asked).toHaveLength(1);
  });

  test('a name that does not resolve, and a port where nobody listens', async () => {
    const nowhere = new URL('http://vgg-serve.invalid/weights.pth');
    await expect(here().fetchIt({}, nowhere)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/Cannot reach http:\/\/vgg-serve\.invalid\/weights\.pth: /) as string,
    });
    const url = here().host.url();
    const gone = await FileHost.start(status(200));
    url.port = gone.url().port;
    await gone.close();
    await expect(here().fetchIt({ attempts: 2 }, url)).rejects.toThrow(
      /gave up after 2 attempts: Cannot reach .*ECONNREFUSED/,
    );
    expect(here().clock.waits).toEqual([1000]);
  });
});

describe('the disk', () => {
  test('a here().folder that cannot be', async () => {
    await writeFile(join(here().folder, 'cache'), 'a file');
    await expect(here().fetchIt()).rejects.toThrow(
      `Expected to write ${join(here().folder, 'cache')} but cannot (`,
    );
    expect(here().host.asked).toEqual([]);
  });

  test('no room', async () => {
    await expect(onDisk('/dev/full', () => writeFile('/dev/full', 'x'))).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      message: 'Expected room on the disk of /dev/full but it is full (ENOSPC)',
    });
  });
});

describe('two at once', () => {
  test('the second is told who the first is', async () => {
    here().host.answers(file(WEIGHTS, { upTo: HALF }), file(WEIGHTS));
    let second: Promise<unknown> | undefined;
    await here().fetchIt({
      onProgress: at(HALF, () => {
        second = expect(here().fetchIt()).rejects.toMatchObject({
          code: 'RESOURCE_EXHAUSTED',
          message: expect.stringContaining(`process ${String(process.pid)} on ${hostname()} is`) as string,
        });
        void second.then(() => {
          here().host.cut();
        });
      }),
    });
    await second;
    await here().expectWhole();
  });

  test('the lock of a process that is no more is taken over', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '0']);
    await here().fetchIt();
    await rm(here().target);
    await writeFile(`${here().target}.lock`, JSON.stringify({ pid, host: hostname() }));
    await here().fetchIt();
    await here().expectWhole();
  });

  test.each([
    // A container's first process has the same number each time.
    ['an earlier process of the same number', { pid: process.pid, host: hostname(), since: 1 }, 0],
    ['a machine that has not touched it for long', { pid: 1, host: 'elsewhere' }, 61_000],
    ['nobody, long ago', undefined, 61_000],
  ])('the lock of %s is taken over', async (_, holder, ageMs) => {
    await here().fetchIt();
    await rm(here().target);
    const lock = `${here().target}.lock`;
    await writeFile(lock, holder ? JSON.stringify(holder) : '');
    const touched = new Date(Date.now() - ageMs);
    await utimes(lock, touched, touched);
    await here().fetchIt();
    await here().expectWhole();
  });

  test('who is patient waits for the other', async () => {
    await here().fetchIt();
    const lock = `${here().target}.lock`;
    await writeFile(lock, JSON.stringify({ pid: 1, host: 'elsewhere' }));
    const waiting = here().fetchIt({ patient: true });
    while (here().clock.waits.length < 3) await new Promise((resolve) => setImmediate(resolve));
    await rm(lock);
    await waiting;
    expect(new Set(here().clock.waits)).toEqual(new Set([1000]));
  });

  test.each([
    ['another machine', JSON.stringify({ pid: 1, host: 'elsewhere' }), 'process 1 on elsewhere'],
    ['nobody knows', '', 'another process'],
  ])('the lock of %s stays', async (_, text, who) => {
    await here().fetchIt();
    await writeFile(`${here().target}.lock`, text);
    await expect(here().fetchIt()).rejects.toThrow(
      `but ${who} is; if it is not, remove ${here().target}.lock`,
    );
    expect(await readFile(`${here().target}.lock`, 'utf8')).toBe(text);
  });
});
