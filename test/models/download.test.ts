// Downloading, against a host that stalls, cuts off, lies and changes its mind.

import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Digest } from '../../models/digest.ts';
import { download, type DownloadOptions } from '../../models/download.ts';
import { onDisk } from '../../models/download/partial.ts';
import { VggError } from '../../vgg/index.ts';
import { FileHost, STALL_MS, TestClock, file, status } from './file-host.ts';

const WEIGHTS = new Uint8Array(randomBytes(300_000));
const OTHERS = new Uint8Array(randomBytes(300_000));
const HALF = 150_000;
const DIGEST: Digest = { algorithm: 'sha256', hex: createHash('sha256').update(WEIGHTS).digest('hex') };

let folder: string;
let target: string;
let host: FileHost;
let clock: TestClock;
let retries: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vgg-download-'));
  target = join(folder, 'cache', 'weights.pth');
  host = await FileHost.start(file(WEIGHTS, { etag: '"one"' }));
  clock = new TestClock();
  retries = [];
});
afterEach(async () => {
  await host.close();
  await rm(folder, { recursive: true });
});

function fetchIt(options: Partial<DownloadOptions> = {}, url = host.url()) {
  return download(url, target, {
    digest: DIGEST,
    clock,
    stallMs: STALL_MS,
    onRetry: (why) => retries.push(why),
    ...options,
  });
}

/** Calls once, when so many bytes have come. */
function at(bytes: number, then: () => void): NonNullable<DownloadOptions['onProgress']> {
  let done = false;
  return (came) => {
    if (done || came < bytes) return;
    done = true;
    then();
  };
}

async function leftovers(): Promise<string[]> {
  return (await readdir(join(folder, 'cache'))).sort();
}

async function expectWhole(): Promise<void> {
  expect(Buffer.compare(await readFile(target), WEIGHTS)).toBe(0);
  expect(await leftovers()).toEqual(['weights.pth']);
}

/** Leaves the first half of the file, as an earlier download that was interrupted did. */
async function interrupted(facts: { etag?: string; modified?: string } = { etag: '"one"' }): Promise<void> {
  host.answers(file(WEIGHTS, { ...facts, upTo: HALF }));
  const controller = new AbortController();
  const reason = new VggError('CANCELLED', 'Interrupted');
  const stopped = fetchIt({
    signal: controller.signal,
    onProgress: at(HALF, () => {
      controller.abort(reason);
    }),
  });
  await expect(stopped).rejects.toBe(reason);
  host.asked.length = 0;
}

describe('a good host', () => {
  test('the file gets its name, and nothing else is left', async () => {
    const seen: [number, number | undefined][] = [];
    const { bytes, digest } = await fetchIt({
      expectedBytes: WEIGHTS.length,
      onProgress: (came, of) => seen.push([came, of]),
    });
    expect({ bytes, digest }).toEqual({ bytes: WEIGHTS.length, digest: DIGEST });
    await expectWhole();
    expect(seen.at(-1)).toEqual([WEIGHTS.length, WEIGHTS.length]);
    expect(host.asked[0]?.headers).toMatchObject({
      'accept-encoding': 'identity',
      'user-agent': 'vgg-serve',
    });
    expect(host.asked[0]?.headers).not.toHaveProperty('range');
  });

  test.each<Digest>([
    { algorithm: 'sha256', hex: DIGEST.hex.slice(0, 8) },
    { algorithm: 'sha1', hex: createHash('sha1').update(WEIGHTS).digest('hex') },
    { algorithm: 'md5', hex: createHash('md5').update(WEIGHTS).digest('hex') },
  ])('a digest as published: $algorithm $hex', async (digest) => {
    const came = await fetchIt({ digest });
    expect(came.digest.hex.startsWith(digest.hex)).toBe(true);
    await expectWhole();
  });

  test('what is there already and right is not asked for again; what is wrong is replaced', async () => {
    await fetchIt();
    await fetchIt();
    expect(host.asked).toHaveLength(1);
    await writeFile(target, OTHERS);
    await fetchIt();
    expect(host.asked).toHaveLength(2);
    await expectWhole();
  });

  test('user and password are sent to the host, and are in no message', async () => {
    const url = host.url('/weights.pth?token=hush');
    Object.assign(url, { username: 'me', password: 'p%40ss' });
    await fetchIt({}, url);
    expect(host.asked[0]?.headers.authorization).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`);
    host.answers(status(404));
    await rm(target);
    await expect(fetchIt({}, url)).rejects.toThrow(`Expected a file but ${host.url().href}?… answered 404`);
    expect(JSON.stringify(await leftovers())).not.toMatch(/hush|p@ss/);
  });
});

describe('going on', () => {
  test('an interrupted download keeps what came, and the next one asks for the rest', async () => {
    await interrupted();
    expect(await leftovers()).toEqual(['weights.pth.partial', 'weights.pth.partial.json']);
    expect((await stat(`${target}.partial`)).size).toBe(HALF);
    host.answers(file(WEIGHTS, { etag: '"one"' }));
    await fetchIt();
    await expectWhole();
    expect(host.asked).toHaveLength(1);
    expect(host.asked[0]?.headers).toMatchObject({ range: `bytes=${String(HALF)}-`, 'if-range': '"one"' });
  });

  test.each([
    ['Last-Modified', { modified: 'Mon, 01 Jun 2015 00:00:00 GMT' }, 'Mon, 01 Jun 2015 00:00:00 GMT'],
    ['a weak ETag says too little', { etag: 'W/"one"' }, undefined],
    ['nothing, but the digest will tell', {}, undefined],
  ])('validator: %s', async (_, facts, ifRange) => {
    await interrupted(facts);
    host.answers(file(WEIGHTS, facts));
    await fetchIt();
    await expectWhole();
    expect(host.asked[0]?.headers.range).toBe(`bytes=${String(HALF)}-`);
    expect(host.asked[0]?.headers['if-range']).toBe(ifRange);
  });

  test('a file that changed in between starts over', async () => {
    await interrupted({ etag: '"old"' });
    await writeFile(`${target}.partial`, OTHERS.subarray(0, HALF));
    host.answers(file(WEIGHTS, { etag: '"new"' }));
    await fetchIt();
    await expectWhole();
    expect(host.asked).toHaveLength(1);
  });

  test('a host that ignores If-Range is found out by its ETag', async () => {
    await interrupted({ etag: '"old"' });
    host.answers((request, response) => {
      delete request.headers['if-range'];
      file(WEIGHTS, { etag: '"new"' })(request, response);
    });
    await fetchIt();
    await expectWhole();
    expect(host.asked.map(({ headers }) => headers.range)).toEqual([`bytes=${String(HALF)}-`, undefined]);
  });

  test('a host that ignores Range starts over', async () => {
    await interrupted();
    host.answers((request, response) => {
      delete request.headers.range;
      file(WEIGHTS, { etag: '"one"' })(request, response);
    });
    await fetchIt();
    await expectWhole();
    expect(host.asked).toHaveLength(1);
  });

  test.each([
    ['another start', `bytes ${String(HALF - 1)}-299999/300000`],
    ['another length', `bytes ${String(HALF)}-299999/300001`],
    ['not to the end', `bytes ${String(HALF)}-200000/300000`],
    ['no Content-Range', undefined],
  ])('a part that is not the one asked for starts over: %s', async (_, range) => {
    await interrupted();
    host.answers(
      (__, response) => {
        response.writeHead(206, range === undefined ? {} : { 'content-range': range });
        response.end(OTHERS.subarray(HALF));
      },
      file(WEIGHTS, { etag: '"one"' }),
    );
    await fetchIt();
    await expectWhole();
    expect(host.asked[1]?.headers.range).toBeUndefined();
    expect(retries).toEqual([expect.stringContaining('starting over')]);
  });

  test('416: all had come, or the file became shorter', async () => {
    const chunked = (upTo: number) => (_: unknown, response: { write(bytes: Uint8Array): unknown }) => {
      response.write(WEIGHTS.subarray(0, upTo));
    };
    const controller = new AbortController();
    host.answers(chunked(WEIGHTS.length));
    const stopped = fetchIt({
      signal: controller.signal,
      onProgress: at(WEIGHTS.length, () => {
        controller.abort(new Error('enough'));
      }),
    });
    await expect(stopped).rejects.toThrow('enough');
    host.answers(file(WEIGHTS));
    await fetchIt();
    await expectWhole();
    expect(host.asked[1]?.headers.range).toBe('bytes=300000-');

    await rm(target);
    await interrupted();
    host.answers(status(416, { 'content-range': 'bytes */1000' }), file(WEIGHTS));
    await fetchIt();
    await expectWhole();
  });

  test('another address starts over', async () => {
    await interrupted();
    host.answers(file(WEIGHTS, { etag: '"one"' }));
    await fetchIt({}, host.url('/elsewhere'));
    await expectWhole();
    expect(host.asked[0]?.headers.range).toBeUndefined();
  });
});

describe('a bad line', () => {
  test('cut off in the middle: goes on after a wait', async () => {
    host.answers(file(WEIGHTS, { etag: '"one"', upTo: HALF }), file(WEIGHTS, { etag: '"one"' }));
    await fetchIt({
      onProgress: at(HALF, () => {
        host.cut();
      }),
    });
    await expectWhole();
    expect(host.asked[1]?.headers.range).toBe(`bytes=${String(HALF)}-`);
    expect(clock.waits).toEqual([1000]);
    expect(retries).toEqual([expect.stringContaining('was cut off')]);
  });

  test('stalled in the middle: goes on after a wait', async () => {
    host.answers(file(WEIGHTS, { etag: '"one"', upTo: HALF }), file(WEIGHTS, { etag: '"one"' }));
    await fetchIt({
      onProgress: at(HALF, () => {
        clock.stall();
      }),
    });
    await expectWhole();
    expect(host.asked[1]?.headers.range).toBe(`bytes=${String(HALF)}-`);
    expect(retries).toEqual(['no byte came for 12.345 s']);
  });

  test('stalled before any answer', async () => {
    host.answers(() => {
      clock.stall();
    }, file(WEIGHTS));
    await fetchIt();
    await expectWhole();
    expect(clock.waits).toEqual([1000]);
  });

  test('waits grow, and then it gives up, keeps what came and says so', async () => {
    await interrupted();
    host.answers(status(503));
    await expect(fetchIt({ attempts: 5 })).rejects.toThrow(
      new VggError(
        'UNAVAILABLE',
        `Expected the file at ${host.url().href} but gave up after 5 attempts: ${host.url().href} answered 503; ` +
          `the ${String(HALF)} bytes that came are kept, and the same command goes on from there`,
      ),
    );
    expect(clock.waits).toEqual([1000, 2000, 4000, 8000]);
    host.answers(file(WEIGHTS, { etag: '"one"' }));
    await fetchIt();
    await expectWhole();
    expect(host.asked.at(-1)?.headers.range).toBe(`bytes=${String(HALF)}-`);
  });

  test('attempts that bring a lot do not count', async () => {
    const large = new Uint8Array(5 << 20);
    const step = (1 << 20) + 1000;
    const replies = [1, 2, 3, 4].map((n) => file(large, { etag: '"l"', upTo: n * step }));
    host.answers(...replies, file(large, { etag: '"l"' }));
    let next = step;
    await fetchIt({
      digest: { algorithm: 'md5', hex: createHash('md5').update(large).digest('hex') },
      attempts: 2,
      onProgress: (came) => {
        if (came !== next || host.asked.length > 4) return;
        next += step;
        host.cut();
      },
    });
    expect(clock.waits).toEqual([1000, 1000, 1000, 1000]);
  });

  test.each([
    ['seconds', '7', 7000],
    ['a date', 'Thu, 01 Jan 2026 00:00:09 GMT', 9000],
    ['nonsense', 'soon', 1000],
    ['less than a wait takes anyway', '0', 1000],
  ])('429 with Retry-After: %s', async (_, value, wait) => {
    host.answers(status(429, { 'retry-after': value }), file(WEIGHTS));
    await fetchIt();
    await expectWhole();
    expect(clock.waits).toEqual([wait]);
  });

  test('a host that wants to be left alone for an hour is', async () => {
    host.answers(status(429, { 'retry-after': '3600' }));
    await expect(fetchIt()).rejects.toThrow(
      /gave up after one attempt: .* answered 429, come back in 60 minutes$/,
    );
    expect(host.asked).toHaveLength(1);
  });

  test('a name that does not resolve, and a port where nobody listens', async () => {
    const nowhere = new URL('http://vgg-serve.invalid/weights.pth');
    await expect(fetchIt({}, nowhere)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/Cannot reach http:\/\/vgg-serve\.invalid\/weights\.pth: /) as string,
    });
    const url = host.url();
    const gone = await FileHost.start(status(200));
    url.port = gone.url().port;
    await gone.close();
    await expect(fetchIt({ attempts: 2 }, url)).rejects.toThrow(
      /gave up after 2 attempts: Cannot reach .*ECONNREFUSED/,
    );
    expect(clock.waits).toEqual([1000]);
  });
});

describe('a host that lies', () => {
  test('wrong bytes are removed, and both digests named', async () => {
    host.answers(file(OTHERS));
    await expect(fetchIt()).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message:
        `Expected a file with SHA-256 ${DIGEST.hex} but received 300000 bytes with SHA-256 ` +
        `${createHash('sha256').update(OTHERS).digest('hex')} from ${host.url().href}; it is removed`,
    });
    expect(await leftovers()).toEqual([]);
    expect(host.asked).toHaveLength(1);
  });

  test('a length that is not the published one is refused before the body', async () => {
    host.answers(file(WEIGHTS, { upTo: 0 }));
    await expect(fetchIt({ expectedBytes: 300_001 })).rejects.toThrow(
      `Expected a file of 300001 bytes but ${host.url().href} has one of 300000`,
    );
  });

  test('shorter than it says', async () => {
    host.answers((_, response) => {
      response.writeHead(200, { 'content-length': WEIGHTS.length }).write(WEIGHTS.subarray(0, HALF), () => {
        response.destroy();
      });
    });
    await expect(fetchIt({ attempts: 3 })).rejects.toThrow(/gave up after 3 attempts: .* was cut off/);
  });

  test('longer than it says', async () => {
    host.answers((_, response) => {
      // Node would not write more than it said: past the response, on the socket.
      response.socket?.end(
        Buffer.concat([
          Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${String(HALF)}\r\nconnection: close\r\n\r\n`),
          WEIGHTS,
        ]),
      );
    });
    await expect(fetchIt()).rejects.toThrow(/but received 150000 bytes with SHA-256/);
    expect(await leftovers()).toEqual([]);
  });

  test('no length, and the body ends early: the rest is asked for', async () => {
    host.answers((_, response) => {
      response.write(WEIGHTS.subarray(0, HALF));
      response.end();
    }, file(WEIGHTS));
    await fetchIt({ expectedBytes: WEIGHTS.length });
    await expectWhole();
    expect(host.asked[1]?.headers.range).toBe(`bytes=${String(HALF)}-`);
  });

  test.each([
    ['the published length', { expectedBytes: 200_000 }],
    ['the most that is wanted', { maxBytes: 200_000 }],
  ])('an endless body ends at %s', async (_, limits) => {
    host.answers((__, response) => {
      const more = () => {
        while (!response.destroyed && response.write(WEIGHTS.subarray(0, 65_536)));
      };
      response.on('drain', more);
      more();
    });
    await expect(fetchIt(limits)).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringContaining('Expected at most 200000 bytes') as string,
    });
    expect(await leftovers()).toEqual([]);
  });

  test('a length beyond what is wanted is refused before the body', async () => {
    host.answers(file(WEIGHTS, { upTo: 0 }));
    await expect(fetchIt({ maxBytes: 299_999 })).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });

  test.each([
    [
      'a web page',
      status(200, { 'content-type': 'text/html; charset=utf-8' }, '<html>'),
      'a web page (text/html',
    ],
    ['compressed', status(200, { 'content-encoding': 'gzip' }, 'x'), 'one in Content-Encoding gzip'],
  ])('not the file but %s', async (_, reply, message) => {
    host.answers(reply);
    await expect(fetchIt()).rejects.toThrow(message);
    expect(host.asked).toHaveLength(1);
    expect(await leftovers()).toEqual([]);
  });

  test.each([
    [404, 'NOT_FOUND'],
    [410, 'NOT_FOUND'],
    [401, 'UNAUTHENTICATED'],
    [403, 'UNAVAILABLE'],
    [206, 'UNAVAILABLE'],
    [416, 'UNAVAILABLE'],
  ])('%i is not tried again', async (code, expectedCode) => {
    host.answers(status(code));
    await expect(fetchIt()).rejects.toMatchObject({ code: expectedCode });
    expect(host.asked).toHaveLength(1);
  });
});

describe('redirects', () => {
  test('are followed, without the password where they lead to another host', async () => {
    const other = await FileHost.start(file(WEIGHTS));
    try {
      host.answers(status(302, { location: '/second' }), status(307, { location: other.url().href }));
      const url = host.url('/first');
      Object.assign(url, { username: 'me', password: 'secret' });
      await fetchIt({}, url);
      await expectWhole();
      expect(host.asked.map(({ path }) => path)).toEqual(['/first', '/second']);
      expect(host.asked[1]?.headers).toHaveProperty('authorization');
      expect(other.asked[0]?.headers).not.toHaveProperty('authorization');
    } finally {
      await other.close();
    }
  });

  test('in a circle end', async () => {
    host.answers(status(302, { location: '/weights.pth' }));
    await expect(fetchIt()).rejects.toThrow(
      `Expected a file at ${host.url().href} but received 11 redirects`,
    );
  });

  test.each([
    ['nowhere', {}],
    ['to a file of this machine', { location: 'file:///etc/passwd' }],
    ['to nonsense', { location: 'http://' }],
  ])('%s are refused', async (_, headers) => {
    host.answers(status(302, headers));
    await expect(fetchIt()).rejects.toThrow(/to redirect to a web address/);
  });
});

describe('a digest that only the host states', () => {
  const stating =
    (hex: string) =>
    (request: Parameters<ReturnType<typeof file>>[0], response: Parameters<ReturnType<typeof file>>[1]) => {
      if (request.url === '/weights.pth') {
        response.writeHead(302, { location: '/blob', 'x-linked-etag': `"${hex}"` }).end();
      } else file(WEIGHTS, { etag: '"one"' })(request, response);
    };

  test('is taken from the redirect, and verified', async () => {
    host.answers(stating(DIGEST.hex));
    expect((await fetchIt({ digest: 'host' })).digest).toEqual(DIGEST);
    await expectWhole();
    // The file that is there is right if the host still says so.
    await fetchIt({ digest: 'host' });
    expect(host.asked.filter(({ method }) => method === 'GET')).toHaveLength(2);
    await expectWhole();
  });

  test('is not met', async () => {
    host.answers(stating('0'.repeat(64)));
    await expect(fetchIt({ digest: 'host' })).rejects.toThrow(
      `Expected a file with SHA-256 ${'0'.repeat(64)}`,
    );
    expect(await leftovers()).toEqual([]);
  });

  test('is missing: refused before the body', async () => {
    host.answers(file(WEIGHTS, { upTo: 0 }));
    await expect(fetchIt({ digest: 'host' })).rejects.toThrow(/to state the file's SHA-256/);
  });
});

describe('the disk', () => {
  test('a folder that cannot be', async () => {
    await writeFile(join(folder, 'cache'), 'a file');
    await expect(fetchIt()).rejects.toThrow(`Expected to write ${join(folder, 'cache')} but cannot (`);
    expect(host.asked).toEqual([]);
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
    host.answers(file(WEIGHTS, { upTo: HALF }), file(WEIGHTS));
    let second: Promise<unknown> | undefined;
    await fetchIt({
      onProgress: at(HALF, () => {
        second = expect(fetchIt()).rejects.toMatchObject({
          code: 'RESOURCE_EXHAUSTED',
          message: expect.stringContaining(`process ${String(process.pid)} on ${hostname()} is`) as string,
        });
        void second.then(() => {
          host.cut();
        });
      }),
    });
    await second;
    await expectWhole();
  });

  test('the lock of a process that is no more is taken over', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '0']);
    await fetchIt();
    await rm(target);
    await writeFile(`${target}.lock`, JSON.stringify({ pid, host: hostname() }));
    await fetchIt();
    await expectWhole();
  });

  test.each([
    ['another machine', JSON.stringify({ pid: 1, host: 'elsewhere' }), 'process 1 on elsewhere'],
    ['nobody knows', '', 'another process'],
  ])('the lock of %s stays', async (_, text, who) => {
    await fetchIt();
    await writeFile(`${target}.lock`, text);
    await expect(fetchIt()).rejects.toThrow(`but ${who} is; if it is not, remove ${target}.lock`);
    expect(await readFile(`${target}.lock`, 'utf8')).toBe(text);
  });
});
