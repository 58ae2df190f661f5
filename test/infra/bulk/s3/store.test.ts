// Photos and pieces in an object store that somebody else wrote, over HTTP: what is put, what is put once, what is told of
// failures. What S3 itself promises of If-None-Match is in its documentation: 412 if there is an object, 409 if another
// write is under way, to be tried again.

import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { photoOrder, type PhotoEntry } from '../../../../infra/bulk/photos.ts';
import { openS3, type S3, type S3Options } from '../../../../infra/bulk/s3.ts';
import { systemClock, type Clock } from '../../../../sdk/clock.ts';
import { VggError } from '../../../../vgg/errors.ts';
import { motoMissing } from '../../../models/fetch/moto.ts';
import { startS3, type S3Under } from './place.ts';

const missing = motoMissing();
if (missing !== undefined) process.stderr.write(`Tests of S3 are left out: ${missing}\n`);

// Waiting takes no time.
const clock: Clock = { ...systemClock, after: (_, task) => systemClock.after(0, task) };
const RESULTS = { bucket: 'results', prefix: 'job-1/' };
const PHOTOS = { bucket: 'photos', prefix: '' };
const before = { ...process.env };

async function open(options: Partial<S3Options> = {}): Promise<S3> {
  return await openS3({ pathStyle: true, clock, ...options });
}

async function errorOf(work: Promise<unknown>): Promise<VggError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof VggError) return error;
  throw new Error('Expected a VggError', { cause: error });
}

async function listOf(s3: S3, prefix: string, bucket = 'photos'): Promise<PhotoEntry[]> {
  const entries: PhotoEntry[] = [];
  for await (const entry of s3.photos({ bucket, prefix }).list()) entries.push(entry);
  return entries;
}

describe.skipIf(missing !== undefined)('S3', () => {
  let under: S3Under;
  beforeAll(async () => {
    under = await startS3();
    Object.assign(process.env, under.env);
  });
  afterEach(() => {
    under.front.interfere = () => undefined;
    under.front.log.length = 0;
  });
  afterAll(async () => {
    process.env = before;
    await under.close();
  });

  describe('as a store', () => {
    test('keeps pieces, lists and deletes them', async () => {
      const store = (await open()).store(RESULTS);
      expect(store.place).toBe('s3://results/job-1');
      expect(await store.get('a/1')).toBeUndefined();
      await store.put('a/1', Buffer.from('one'));
      await store.put('a/1', Buffer.from('another'));
      await store.put('a/2', new Uint8Array());
      await store.put('b/1', Buffer.from('elsewhere'));
      expect(Buffer.from((await store.get('a/1')) ?? []).toString()).toBe('another');
      expect(await store.get('a/2')).toEqual(new Uint8Array());
      expect(await store.list('a/')).toEqual(['a/1', 'a/2']);
      await store.delete('a/1');
      await store.delete('a/1');
      expect(await store.list('a/')).toEqual(['a/2']);
    });

    test('puts what is new once: the second writer is told 412, and the first one stays', async () => {
      const store = (await open()).store(RESULTS);
      expect(await store.putNew('once', Buffer.from('first'))).toBe(true);
      expect(await store.putNew('once', Buffer.from('second'))).toBe(false);
      expect(Buffer.from((await store.get('once')) ?? []).toString()).toBe('first');
      expect(under.front.log.slice(0, 2).map((line) => line.split(' ').at(-1))).toEqual(['200', '412']);
    });

    test('of many writers at once exactly one is the first', async () => {
      const store = (await open()).store(RESULTS);
      const writers = Array.from({ length: 20 }, (_, i) => `writer ${String(i)}`);
      const firsts = await Promise.all(writers.map((each) => store.putNew('race', Buffer.from(each))));
      expect(firsts.filter(Boolean)).toHaveLength(1);
      expect(Buffer.from((await store.get('race')) ?? []).toString()).toBe(writers[firsts.indexOf(true)]);
    });

    test('tries again after 409, and says so if that does not end', async () => {
      const store = (await open()).store(RESULTS);
      let conflicts = 2;
      under.front.interfere = ({ method }) =>
        method === 'PUT' && conflicts-- > 0 ? { status: 409, code: 'ConditionalRequestConflict' } : undefined;
      expect(await store.putNew('conflict', Buffer.from('mine'))).toBe(true);
      // The other writer has won meanwhile.
      conflicts = 1;
      expect(await store.putNew('conflict', Buffer.from('late'))).toBe(false);
      expect(Buffer.from((await store.get('conflict')) ?? []).toString()).toBe('mine');
      conflicts = Infinity;
      const error = await errorOf(store.putNew('endless', Buffer.from('never')));
      expect(error.code).toBe('UNAVAILABLE');
      expect(error.message).toContain('s3://results/job-1/endless but received ConditionalRequestConflict');
    });

    test('a write whose answer is lost is not taken for somebody else’s', async () => {
      const store = (await open()).store(RESULTS);
      let lost = 1;
      under.front.interfere = (_, done) => (done && lost-- > 0 ? 'answer lost' : undefined);
      // The second attempt finds what the first one has written; who has to know compares.
      expect(await store.putNew('lost', Buffer.from('mine'))).toBe(false);
      expect(Buffer.from((await store.get('lost')) ?? []).toString()).toBe('mine');
    });

    test('goes on after what passes: 503, and bodies that break off or stand still', async () => {
      const store = (await open({ silenceMs: 300 })).store(RESULTS);
      await store.put('large', Buffer.alloc(200_000, 'x'));
      const troubles: ('body broken off' | 'body held up' | { status: number; code: string })[] = [
        { status: 503, code: 'SlowDown' },
        'body broken off',
        'body held up',
      ];
      under.front.interfere = ({ method }, done) => {
        const [next] = troubles;
        if (method !== 'GET' || next === undefined || done !== (typeof next === 'string')) return undefined;
        return troubles.shift();
      };
      expect(await store.get('large')).toHaveLength(200_000);
      expect(troubles).toEqual([]);
    });
  });

  describe('as a source of photos', () => {
    test('lists every photo with size and etag, in the order of manifests, over several pages', async () => {
      const names = ['größe +&=%.jpg', 'a b/ü.png', 'a-b.jpg', 'a.jpg', 'a/1.jpg', '漢字.webp'];
      const many = Array.from({ length: 1001 }, (_, i) => `many/${String(i)}.jpg`);
      const others = ['a/', 'readme.txt'];
      const waiting = [...names, ...many, ...others].values();
      await Promise.all(
        Array.from({ length: 8 }, async () => {
          for (const name of waiting) await under.put('photos', `named/${name}`, name);
        }),
      );
      const s3 = await open();
      const entries = await listOf(s3, 'named/');
      expect(entries.map(({ photo }) => photo)).toEqual([...names, ...many].sort(photoOrder));
      const source = s3.photos({ bucket: 'photos', prefix: 'named/' });
      for (const entry of entries.filter(({ photo }) => names.includes(photo))) {
        expect(entry.size).toBe(Buffer.byteLength(entry.photo));
        expect(Buffer.from(await source.read(entry)).toString()).toBe(entry.photo);
      }
    }, 60_000);

    test('reads a photo as the manifest has it, or says what became of it', async () => {
      await under.put('photos', 'kept.jpg', 'kept');
      await under.put('photos', 'changed.jpg', 'before');
      await under.put('photos', 'longer.jpg', 'long');
      const s3 = await open();
      const source = s3.photos(PHOTOS);
      const etags = new Map((await listOf(s3, '')).map((entry) => [entry.photo, entry.etag]));
      const entry = (photo: string, size = -1, etag = etags.get(photo) ?? '') => ({ photo, size, etag });
      expect(Buffer.from(await source.read(entry('kept.jpg', 4))).toString()).toBe('kept');
      // An inventory has etags without quotes.
      const bare = (etags.get('kept.jpg') ?? '').replaceAll('"', '');
      expect(bare).toMatch(/^[0-9a-f]{32}$/);
      expect(Buffer.from(await source.read(entry('kept.jpg', 4, bare))).toString()).toBe('kept');
      await under.put('photos', 'changed.jpg', 'after!');
      const said = async (each: PhotoEntry) => {
        const { code, message } = await errorOf(source.read(each));
        return `${code}: ${message}`;
      };
      const expectation = 'NOT_FOUND: Expected the photo that the manifest names but received';
      expect(await said(entry('changed.jpg', 6))).toBe(`${expectation} a newer one (changed.jpg)`);
      expect(await said(entry('longer.jpg', 3, ''))).toBe(
        `${expectation} one of 4 bytes instead of 3 (longer.jpg)`,
      );
      expect(await said(entry('gone.jpg'))).toBe(`${expectation} nothing (gone.jpg)`);
      under.front.interfere = () => ({ status: 403, code: 'InvalidObjectState' });
      expect(await said(entry('kept.jpg'))).toBe(`${expectation} one in an archive (kept.jpg)`);
    });
  });

  describe('that cannot be used says so once', () => {
    test('without the bucket', async () => {
      const s3 = await open();
      const [photos, store] = [
        s3.photos({ bucket: 'nowhere', prefix: '' }),
        s3.store({ bucket: 'nowhere', prefix: 'job/' }),
      ];
      const works = [
        () => listOf(s3, '', 'nowhere'),
        () => photos.read({ photo: '1.jpg', size: 1, etag: '' }),
        () => store.get('job.json'),
        () => store.putNew('job.json', Buffer.from('{}')),
        () => store.list('results/'),
        () => store.delete('job.json'),
      ];
      for (const work of works) {
        const { code, message } = await errorOf(work());
        expect(code).toBe('NOT_FOUND');
        expect(message).toMatch(/^Expected to .* s3:\/\/nowhere.* but received NoSuchBucket: /);
      }
    });

    test('in another region, or with a token that is too old', async () => {
      const source = (await open()).photos(PHOTOS);
      const entry = { photo: 'kept.jpg', size: 4, etag: '' };
      under.front.interfere = () => ({ status: 400, code: 'AuthorizationHeaderMalformed' });
      expect(await errorOf(source.read(entry))).toMatchObject({ name: 'VggError', code: 'INVALID_ARGUMENT' });
      under.front.interfere = () => ({ status: 400, code: 'ExpiredToken' });
      expect(await errorOf(source.read(entry))).toMatchObject({ code: 'UNAUTHENTICATED' });
    });

    test('where nobody ever answers: as often as it may be tried, and no longer', async () => {
      const sockets: Socket[] = [];
      const silent = createServer((socket) => {
        sockets.push(socket);
        socket.on('error', () => undefined);
      });
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
      process.env['AWS_ENDPOINT_URL'] = `http://127.0.0.1:${String((silent.address() as AddressInfo).port)}`;
      try {
        const s3 = await open({ connectMs: 300, silenceMs: 300 });
        const { code, message } = await errorOf(s3.store(RESULTS).get('job.json'));
        expect({ code, message }).toMatchObject({
          code: 'UNAVAILABLE',
          message: expect.stringMatching(
            /^Expected to read s3:\/\/results\/job-1\/job\.json but received TimeoutError: .*300 ms/,
          ) as string,
        });
        expect(sockets).toHaveLength(5);
      } finally {
        Object.assign(process.env, under.env);
        for (const socket of sockets) socket.destroy();
        await new Promise((resolve) => silent.close(resolve));
      }
    }, 60_000);
  });
});
