// Fetching metrics from whatever answers: bounded in time and size, and never an accident for the test.

import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { metricsUrl, scrape } from '../../../loadtest/server-side/scrape.ts';
import { systemClock } from '../../../sdk/clock.ts';
import { fakeClock } from '../../sdk/fake-clock.ts';

describe('an address', () => {
  test.each([
    ['127.0.0.1:9090', 'http://127.0.0.1:9090/metrics'],
    ['http://127.0.0.1:9090', 'http://127.0.0.1:9090/metrics'],
    ['http://127.0.0.1:9090/', 'http://127.0.0.1:9090/metrics'],
    ['https://host/other?x=1#top', 'https://host/other?x=1'],
    ['[::1]:9090', 'http://[::1]:9090/metrics'],
    ['localhost:9090', 'http://localhost:9090/metrics'],
  ])('%s', (text, url) => {
    expect(metricsUrl(text).href).toBe(url);
  });

  test.each(['', 'ftp://host', 'file:///etc/passwd', 'http://', 'http://user:secret@host', 'a b'])(
    '%j is none',
    (text) => {
      expect(() => metricsUrl(text)).toThrow('Expected an address of metrics');
    },
  );
});

describe('metrics', () => {
  const serve = async (listener: RequestListener) => {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return metricsUrl(`127.0.0.1:${String((server.address() as AddressInfo).port)}`);
  };

  test('come as samples, however they are cut into chunks', async () => {
    const url = await serve((_, response) => {
      const bytes = Buffer.from('a{x="é"} 1\nb 2\n');
      for (let i = 0; i < bytes.length; i++) response.write(bytes.subarray(i, i + 1));
      response.end();
    });
    const samples = await scrape(url, fetch, systemClock);
    expect(samples.map(({ labels, value }) => [labels['x'], value])).toEqual([
      ['é', 1],
      [undefined, 2],
    ]);
  });

  test.each<[string, RequestListener, string]>([
    ['an error', (_, response) => response.writeHead(503).end('a 1'), 'HTTP 503'],
    [
      'another address',
      (_, response) => response.writeHead(302, { location: '/elsewhere' }).end(),
      'redirect',
    ],
    ['a page', (_, response) => response.end('<html>'), 'Expected the name of a metric'],
    ['no HTTP', (request) => request.socket.end('hello\r\n\r\n'), 'HTTP'],
    [
      'half an answer',
      (_, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('a 1\n', () => response.socket?.destroy());
      },
      'closed',
    ],
  ])('are not %s', async (_, listener, why) => {
    const url = await serve(listener);
    await expect(scrape(url, fetch, systemClock)).rejects.toThrow(why);
  });

  test('are not without an end', async () => {
    let sent = 0;
    const url = await serve((_, response) => {
      const more = () => {
        sent += 65_536;
        if (!response.destroyed) response.write('x'.repeat(65_536), more);
      };
      more();
    });
    await expect(scrape(url, fetch, systemClock)).rejects.toThrow('more than 8 MiB');
    expect(sent).toBeLessThan(32 * 1024 * 1024);
  });

  test.each(['before the head', 'after it'])('are not waited for without an end, %s', async (when) => {
    let asked = () => {};
    const arrived = new Promise<void>((resolve) => (asked = resolve));
    const url = await serve((_, response) => {
      if (when === 'after it') response.writeHead(200).write('a 1\n');
      asked();
    });
    const { clock, advance } = fakeClock();
    const reading = expect(scrape(url, fetch, clock)).rejects.toThrow('no answer within 3 s');
    await arrived;
    advance(3000);
    await reading;
  });

  test('are not waited for if fetch itself does not listen', async () => {
    const { clock } = fakeClock({ leap: true });
    const deaf = () => new Promise<Response>(() => {});
    await expect(scrape(metricsUrl('host'), deaf, clock)).rejects.toThrow('no answer within 3 s');
  });

  test('are not where nobody listens', async () => {
    const url = await serve(() => {});
    url.port = '1';
    await expect(scrape(url, fetch, systemClock)).rejects.toThrow();
  });
});
