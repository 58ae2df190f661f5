// Queries, paths, methods and bytes that are no question: the status, code and detail of each, and that the
// gateway answers the next good one.

import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stack } from '../../cli/stack.ts';
import type { RunningGateway } from '../../services/gateway/main.ts';
import {
  classify,
  gatewayOf,
  metric,
  PHOTO,
  problemOf,
  raw,
  services,
  until,
  untilQuiet,
} from './running-gateway.ts';

let stack: Stack;
let gateway: RunningGateway;
beforeAll(async () => {
  stack = await services();
  gateway = await gatewayOf(stack);
});
afterAll(async () => {
  await gateway.close();
  await stack.close();
});

const WHOLE_SCALE = 'Expected a whole number from 1 to 16384 but received';
const WHOLE_GRID = 'Expected a whole number from 1 to 16 but received';
const WHOLE_TOP = 'Expected a whole number from 1 to 1048576 but received';
const NAMES =
  'Expected parameters model, protocol, scales, grid, align, kernel, scoreOrder, share, stop, top, posterior, views, scoreMaps but received';

describe('queries', () => {
  test.each(
    [
      ['scales=NaN', 'Expected a number but received NaN (scales[0])'],
      ['scales=Infinity', 'Expected a number but received Infinity (scales[0])'],
      ['scales=-1', `${WHOLE_SCALE} -1 (scales[0])`],
      ['scales=0', `${WHOLE_SCALE} 0 (scales[0])`],
      ['scales=1e9', `${WHOLE_SCALE} 1000000000 (scales[0])`],
      ['scales=1e999', `${WHOLE_SCALE} Infinity (scales[0])`],
      ['scales=100.5', `${WHOLE_SCALE} 100.5 (scales[0])`],
      ['scales=63', 'Expected scales ≥ 64 but received 63 (scales[0])'],
      ['scales=100,225', 'Expected scales ≤ 224 but received 225 (scales[1])'],
      ['scales=80,', 'Expected a number but received nothing (scales[1])'],
      ['scales=eighty', 'Expected a number but received eighty (scales[0])'],
      ['scales=0x50', 'Expected a number but received 0x50 (scales[0])'],
      ['scales=80&scales=90', 'Expected scales once but received it 2 times (scales)'],
      ['scales=70,80,90,100,110', 'Expected at most 4 scales but received 5 (scales)'],
      ['grid=NaN', 'Expected a number but received NaN (grid)'],
      ['grid=-1', `${WHOLE_GRID} -1 (grid)`],
      ['grid=0', `${WHOLE_GRID} 0 (grid)`],
      ['grid=1e9', `${WHOLE_GRID} 1000000000 (grid)`],
      ['grid=5&grid=5', 'Expected grid once but received it 2 times (grid)'],
      ['grid=five', 'Expected a number but received five (grid)'],
      ['grid=16&protocol=multi-crop', 'Expected at most 512 views but received 1536 (evaluation)'],
      ['align=0', 'Expected a whole number from 1 to 64 but received 0 (align)'],
      ['top=NaN', 'Expected a number but received NaN (top)'],
      ['top=Infinity', 'Expected a number but received Infinity (top)'],
      ['top=-1', `${WHOLE_TOP} -1 (top)`],
      ['top=0', `${WHOLE_TOP} 0 (top)`],
      ['top=1e9', `${WHOLE_TOP} 1000000000 (top)`],
      ['top=2.5', `${WHOLE_TOP} 2.5 (top)`],
      ['top=1&top=2', 'Expected top once but received it 2 times (top)'],
      ['posterior=yes', 'Expected posterior to be true or false but received yes (posterior)'],
      [
        'protocol=hundred-crop',
        'Expected protocol to be one of CENTER_CROP, TEN_CROP, MULTI_CROP, DENSE, DENSE_AND_MULTI_CROP, GOOGLENET_144 but received HUNDRED_CROP (protocol)',
      ],
      [
        'kernel=mitchell',
        'Expected kernel to be one of nearest, linear, cubic, lanczos3 but received mitchell (kernel)',
      ],
      [
        'scoreOrder=median',
        'Expected scoreOrder to be one of MEAN_THEN_SOFTMAX, SOFTMAX_THEN_MEAN but received MEDIAN (scoreOrder)',
      ],
      ['share=on', 'Expected share to be one of AUTO, OFF but received ON (share)'],
      ['stop=early', 'Expected stop to be one of NONE, EXACT but received EARLY (stop)'],
      ['stop=none&stop=exact', 'Expected stop once but received it 2 times (stop)'],
      ['share=off&share=off', 'Expected share once but received it 2 times (share)'],
      ['size=3', `${NAMES} size (query)`],
      ['Top=3', `${NAMES} Top (query)`],
      ['__proto__=1', `${NAMES} __proto__ (query)`],
      ['__proto__[polluted]=1', `${NAMES} __proto__[polluted] (query)`],
      ['constructor=1', `${NAMES} constructor (query)`],
      ['hasOwnProperty=1', `${NAMES} hasOwnProperty (query)`],
      [`${'x'.repeat(5000)}=1`, `${NAMES} ${'x'.repeat(77)}… (query)`],
      ['model=a,a,a,a,a,a,a,a,a', 'Expected at most 8 models but received 9 (models)'],
      [
        'model=caltech-101-d&model=caltech-101-d',
        'Expected each model once but received caltech-101-d (models[1])',
      ],
    ].map(([query = '', detail]) => [query.slice(0, 60), query, detail]),
  )('?%s', async (_name, query, detail) => {
    const problem = await problemOf(await classify(gateway, `?${query}`));
    expect(problem).toMatchObject({ status: 400, title: 'Bad Request', code: 'INVALID_ARGUMENT', detail });
    expect(problem.errors[0]?.message).toBe(detail);
    expect({}).not.toHaveProperty('polluted');
  });

  test.each([
    'nothing-like-it',
    '../../etc/passwd',
    '..%2f..%2fetc%2fpasswd',
    '%00',
    '__proto__',
    'x'.repeat(9000),
  ])('unknown model %s', async (_name, model) => {
    const problem = await problemOf(await classify(gateway, `?model=${model}`));
    expect(problem).toMatchObject({ status: 404, title: 'Not Found', code: 'NOT_FOUND' });
    expect(problem.detail).toMatch(/^Expected a model of caltech-101-d but received .+ \(model\)$/s);
    expect(problem.detail.length).toBeLessThan(200);
  });
});

describe('paths and methods', () => {
  test.each([
    ['GET', '/v1/classify', 'POST'],
    ['PUT', '/v1/classify', 'POST'],
    ['DELETE', '/v1/models', 'GET, HEAD'],
    ['POST', '/v1/models/caltech-101-d', 'GET, HEAD'],
    ['PATCH', '/v1/classify/labels', 'POST'],
    ['PROPFIND', '/', 'GET, HEAD'],
    ['POST', '/healthz', 'GET, HEAD'],
  ])('%s %s is not allowed', async (method, path, allow) => {
    const body = method === 'POST' || method === 'PUT' ? { body: PHOTO } : {};
    const response = await fetch(gateway.url + path, { method, ...body });
    expect(response.headers.get('allow')).toBe(`${allow}, OPTIONS`);
    const detail = `Expected method ${allow.replace(', ', ' or ')} but received ${method} (method)`;
    expect(await problemOf(response)).toMatchObject({
      status: 405,
      title: 'Method Not Allowed',
      code: 'INVALID_ARGUMENT',
      detail,
    });
  });

  test.each(
    [
      ['GET', '/nope', '/nope'],
      ['POST', '/v1/classify/', '/v1/classify/'],
      ['GET', '/V1/models', '/V1/models'],
      ['GET', '/v1/models/', '/v1/models/'],
      ['GET', '/v1/models/a/b', '/v1/models/a/b'],
      ['POST', '/__proto__', '/__proto__'],
      ['GET', `/${'y'.repeat(9000)}`, `/${'y'.repeat(76)}…`],
    ].map(([method = '', path = '', shown = '']) => [method, shown, path]),
  )('%s %s is not there', async (method, shown, path) => {
    const body = method === 'POST' ? { body: '{', headers: { 'content-type': 'application/json' } } : {};
    const problem = await problemOf(await fetch(gateway.url + path, { method, ...body }));
    const detail = `Expected a path that GET / names but received ${shown} (path)`;
    expect(problem).toMatchObject({ status: 404, title: 'Not Found', code: 'NOT_FOUND', detail });
  });

  test('a path that does not decode', async () => {
    const answer = await raw(gateway, 'GET /v1/models/%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(answer.status).toBe(400);
    expect(answer.headers.get('x-request-id')).toMatch(/^[\w-]+$/);
    expect(answer.headers.get('server-timing')).toMatch(/^total;dur=/);
    expect(JSON.parse(answer.body)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      detail: 'Expected a path in percent-encoding but it does not decode (path)',
    });
  });
});

describe('what is no HTTP', () => {
  const NO_HTTP = 'Expected an HTTP/1.1 request but it does not parse';
  const OVERFLOW = 'Expected a request line and headers of at most 16 KiB';
  const chunked =
    'POST /v1/classify HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked';
  test.each([
    ['noise', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400, NO_HTTP],
    ['a request line that is none', 'GET\r\n\r\n', 400, NO_HTTP],
    ['a header without a colon', 'GET / HTTP/1.1\r\nHost\r\n\r\n', 400, NO_HTTP],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
      NO_HTTP,
    ],
    ['a length and chunks', `${chunked}\r\nContent-Length: 3\r\n\r\n0\r\n\r\n`, 400, NO_HTTP],
    ['a chunk without a size', `${chunked}\r\n\r\nzz\r\n`, 400, NO_HTTP],
    ['a long URL', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431, OVERFLOW],
    ['a long header', `GET / HTTP/1.1\r\nHost: a\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`, 431, OVERFLOW],
  ])('%s', async (_name, request, status, detail) => {
    const answer = await raw(gateway, request);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.headers.get('x-request-id')).toMatch(/^[\w-]+$/);
    expect(answer.headers.get('server-timing')).toBe('total;dur=0.0');
    expect(Number(answer.headers.get('content-length'))).toBe(Buffer.byteLength(answer.body));
    expect(JSON.parse(answer.body)).toMatchObject({ status, code: 'INVALID_ARGUMENT', detail, errors: [] });
  });

  test('a connection that says nothing, or leaves in the midst of a photo, harms nobody', async () => {
    const head =
      'POST /v1/classify HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: 1000\r\n\r\nabc';
    await Promise.all([leave(''), leave('POST /v1'), leave(head)]);
    await until('no request in flight', async () => (await metric(gateway, 'vgg_http_in_flight')) === 0);
  });
});

async function leave(begun: string): Promise<void> {
  const { hostname, port } = new URL(gateway.url);
  await new Promise<void>((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(begun, () => socket.destroy());
    });
    socket.once('close', () => {
      resolve();
    });
  });
}

test('after all of them nothing is left over, and a good photo is answered', async () => {
  await untilQuiet(stack, gateway);
  expect((await classify(gateway, '?protocol=center-crop')).status).toBe(200);
  const failures = (await gateway.registry.metrics())
    .split('\n')
    .filter((line) => line.includes('status="5'));
  expect(failures.filter((line) => !line.endsWith(' 0'))).toEqual([]);
});
