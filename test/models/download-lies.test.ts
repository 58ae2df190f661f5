// Downloading from a host that lies, redirects, or is the only one who knows a digest.

import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { DIGEST, HALF, OTHERS, WEIGHTS, eachDownloading } from './downloading.ts';
import { FileHost, file, status } from './file-host.ts';

const here = eachDownloading();

describe('a host that lies', () => {
  test('wrong bytes are removed, and both digests named', async () => {
    here().host.answers(file(OTHERS));
    await expect(here().fetchIt()).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message:
        `Expected a file with SHA-256 ${DIGEST.hex} but received 300000 bytes with SHA-256 ` +
        `${createHash('sha256').update(OTHERS).digest('hex')} from ${here().host.url().href}; it is removed`,
    });
    expect(await here().leftovers()).toEqual([]);
    expect(here().host.asked).toHaveLength(1);
  });

  test('a length that is not the published one is refused before the body', async () => {
    here().host.answers(file(WEIGHTS, { upTo: 0 }));
    await expect(here().fetchIt({ expectedBytes: 300_001 })).rejects.toThrow(
      `Expected a file of 300001 bytes but ${here().host.url().href} has one of 300000`,
    );
  });

  test('shorter than it says', async () => {
    here().host.answers((_, response) => {
      response.writeHead(200, { 'content-length': WEIGHTS.length }).write(WEIGHTS.subarray(0, HALF), () => {
        response.destroy();
      });
    });
    await expect(here().fetchIt({ attempts: 3 })).rejects.toThrow(/gave up after 3 attempts: .* was cut off/);
  });

  test('longer than it says', async () => {
    here().host.answers((_, response) => {
      // Node would not write more than it said: past the response, on the socket.
      response.socket?.end(
        Buffer.concat([
          Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${String(HALF)}\r\nconnection: close\r\n\r\n`),
          WEIGHTS,
        ]),
      );
    });
    await expect(here().fetchIt()).rejects.toThrow(/but received 150000 bytes with SHA-256/);
    expect(await here().leftovers()).toEqual([]);
  });

  test('no length, and the body ends early: the rest is asked for', async () => {
    here().host.answers((_, response) => {
      response.write(WEIGHTS.subarray(0, HALF));
      response.end();
    }, file(WEIGHTS));
    await here().fetchIt({ expectedBytes: WEIGHTS.length });
    await here().expectWhole();
    expect(here().host.asked[1]?.headers.range).toBe(`bytes=${String(HALF)}-`);
  });

  test.each([
    ['the published length', { expectedBytes: 200_000 }],
    ['the most that is wanted', { maxBytes: 200_000 }],
  ])('an endless body ends at %s', async (_, limits) => {
    here().host.answers((__, response) => {
      const more = () => {
        while (!response.destroyed && response.write(WEIGHTS.subarray(0, 65_536)));
      };
      response.on('drain', more);
      more();
    });
    await expect(here().fetchIt(limits)).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringContaining('Expected at most 200000 bytes') as string,
    });
    expect(await here().leftovers()).toEqual([]);
  });

  test('a length beyond what is wanted is refused before the body', async () => {
    here().host.answers(file(WEIGHTS, { upTo: 0 }));
    await expect(here().fetchIt({ maxBytes: 299_999 })).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });

  test.each([
    [
      'a web page',
      status(200, { 'content-type': 'text/html; charset=utf-8' }, '<html>'),
      'a web page (text/html',
    ],
    ['compressed', status(200, { 'content-encoding': 'gzip' }, 'x'), 'one in Content-Encoding gzip'],
  ])('not the file but %s', async (_, reply, message) => {
    here().host.answers(reply);
    await expect(here().fetchIt()).rejects.toThrow(message);
    expect(here().host.asked).toHaveLength(1);
    expect(await here().leftovers()).toEqual([]);
  });

  test.each([
    [404, 'NOT_FOUND'],
    [410, 'NOT_FOUND'],
    [401, 'UNAUTHENTICATED'],
    [403, 'PERMISSION_DENIED'],
    [206, 'UNAVAILABLE'],
    [416, 'UNAVAILABLE'],
  ])('%i is not tried again', async (code, expectedCode) => {
    here().host.answers(status(code));
    await expect(here().fetchIt()).rejects.toMatchObject({ code: expectedCode });
    expect(here().host.asked).toHaveLength(1);
  });
});

describe('redirects', () => {
  test('are followed, without the password where they lead to another host', async () => {
    const other = await FileHost.start(file(WEIGHTS));
    try {
      here().host.answers(status(302, { location: '/second' }), status(307, { location: other.url().href }));
      const url = here().host.url('/first');
      Object.assign(url, { username: 'me', password: 'secret' });
      await here().fetchIt({}, url);
      await here().expectWhole();
      expect(here().host.asked.map(({ path }) => path)).toEqual(['/first', '/second']);
      expect(here().host.asked[1]?.headers).toHaveProperty('authorization');
      expect(other.asked[0]?.headers).not.toHaveProperty('authorization');
    } finally {
      await other.close();
    }
  });

  test('in a circle end', async () => {
    here().host.answers(status(302, { location: '/weights.pth' }));
    await expect(here().fetchIt()).rejects.toThrow(
      `Expected a file at ${here().host.url().href} but received 11 redirects`,
    );
  });

  test.each([
    ['nowhere', {}],
    ['to a file of this machine', { location: 'file:///etc/passwd' }],
    ['to nonsense', { location: 'http://' }],
  ])('%s are refused', async (_, headers) => {
    here().host.answers(status(302, headers));
    await expect(here().fetchIt()).rejects.toThrow(/to redirect to a web address/);
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
    here().host.answers(stating(DIGEST.hex));
    expect((await here().fetchIt({ digest: 'host' })).digest).toEqual(DIGEST);
    await here().expectWhole();
    // The file that is there is right if the host still says so.
    await here().fetchIt({ digest: 'host' });
    expect(here().host.asked.filter(({ method }) => method === 'GET')).toHaveLength(2);
    await here().expectWhole();
  });

  test('is not met', async () => {
    here().host.answers(stating('0'.repeat(64)));
    await expect(here().fetchIt({ digest: 'host' })).rejects.toThrow(
      `Expected a file with SHA-256 ${'0'.repeat(64)}`,
    );
    expect(await here().leftovers()).toEqual([]);
  });

  test('is missing: refused before the body', async () => {
    here().host.answers(file(WEIGHTS, { upTo: 0 }));
    await expect(here().fetchIt({ digest: 'host' })).rejects.toThrow(/to state the file's SHA-256/);
  });
});
