// Bodies that are no photo: the status, code and detail of each, and that the gateway answers the next good one.

import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stack } from '../../cli/stack.ts';
import type { RunningGateway } from '../../services/gateway/main.ts';
import { classify, form, gatewayOf, PHOTO, problemOf, services, untilQuiet } from './running-gateway.ts';

const MAX_BODY = 1024 * 1024;
const BOTH = 'Expected Content-Type image/* or multipart/form-data but received';
const NO_URLS =
  'Expected Content-Type image/* or multipart/form-data with the photo itself, as URLs are deliberately not fetched, but received';
const FORMATS = 'Expected a JPEG, PNG, WebP, AVIF, TIFF or GIF image but received';
const OTHER_FIELD = 'Expected a form with one field, photo; options are in the query but received';

let stack: Stack;
let gateway: RunningGateway;
beforeAll(async () => {
  stack = await services();
  gateway = await gatewayOf(stack, { maxBody: MAX_BODY, maxPhotos: 2 });
});
afterAll(async () => {
  await gateway.close();
  await stack.close();
});

// A PNG that is nothing but a header of that size; libvips reads no further before it knows it.
function pngHeader(width: number, height: number): Buffer {
  const png = Buffer.from(PHOTO.subarray(0, 33));
  png.writeUInt32BE(width, 16);
  png.writeUInt32BE(height, 20);
  png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
  return Buffer.concat([png, PHOTO.subarray(33)]);
}

function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

type Case = [
  name: string,
  init: () => RequestInit | Promise<RequestInit>,
  status: number,
  code: string,
  detail: string,
];

const image = (body: string | Buffer, type = 'image/png') => ({ body, headers: { 'content-type': type } });

describe('bodies', () => {
  const cases: Case[] = [
    [
      'a truncated JPEG',
      async () => image((await sharp(PHOTO).jpeg().toBuffer()).subarray(0, 4000), 'image/jpeg'),
      400,
      'INVALID_ARGUMENT',
      'Expected a whole JPEG image but received a damaged or truncated one (photo)',
    ],
    [
      'the first bytes of a PNG',
      () => image(PHOTO.subarray(0, 20)),
      400,
      'INVALID_ARGUMENT',
      'Expected a whole PNG image but received a damaged or truncated one (photo)',
    ],
    [
      'an empty body',
      () => image(''),
      400,
      'INVALID_ARGUMENT',
      'Expected a photo as the body but received nothing (photo)',
    ],
    ['text', () => image('hello there'), 415, 'UNSUPPORTED_FORMAT', `${FORMATS} text (photo)`],
    [
      'HTML',
      () => image('<!doctype html><html><img src=x onerror=alert(1)></html>'),
      415,
      'UNSUPPORTED_FORMAT',
      `${FORMATS} an HTML page (photo)`,
    ],
    [
      'an SVG',
      () =>
        image(
          '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
          'image/svg+xml',
        ),
      415,
      'UNSUPPORTED_FORMAT',
      `${FORMATS} an SVG image (photo)`,
    ],
    ['a PDF', () => image('%PDF-1.7\n'), 415, 'UNSUPPORTED_FORMAT', `${FORMATS} a PDF file (photo)`],
    [
      'gzip',
      () => image(Buffer.from([0x1f, 0x8b, 8, 0])),
      415,
      'UNSUPPORTED_FORMAT',
      `${FORMATS} a gzip file (photo)`,
    ],
    [
      'a PNG whose header says 30000×30000',
      () => image(pngHeader(30_000, 30_000)),
      413,
      'TOO_LARGE',
      'Expected a photo with sides ≤ 16384 pixels but received 30000×30000 (photo)',
    ],
    [
      'a PNG whose header says 10000×10000',
      () => image(pngHeader(10_000, 10_000)),
      413,
      'TOO_LARGE',
      'Expected a photo of ≤ 50 megapixels but received 10000×10000 = 100.0 megapixels (photo)',
    ],
    [
      'a PNG whose header says 1×30000',
      () => image(pngHeader(1, 30_000)),
      413,
      'TOO_LARGE',
      'Expected a photo with sides ≤ 16384 pixels but received 1×30000 (photo)',
    ],
    [
      'a photo of 1×16000',
      async () =>
        image(
          await sharp({ create: { width: 1, height: 16_000, channels: 3, background: 'red' } })
            .png()
            .toBuffer(),
        ),
      413,
      'TOO_LARGE',
      'Expected planes with sides ≤ 16384 pixels and ≤ 8 megapixels but received a photo of 1×16000, whose aspect ratio makes the plane at scale 72 72×1152000 (scales[0])',
    ],
    [
      'a body over the limit',
      () => image(Buffer.alloc(MAX_BODY + 1)),
      413,
      'TOO_LARGE',
      'Expected a body of at most 1048576 bytes but received more (body)',
    ],
    [
      'a body far over the limit',
      () => image(Buffer.alloc(8 * MAX_BODY)),
      413,
      'TOO_LARGE',
      'Expected a body of at most 1048576 bytes but received more (body)',
    ],
    [
      'a body over the limit that does not say its length',
      () => ({
        body: new Blob([new Uint8Array(MAX_BODY + MAX_BODY / 2)]).stream(),
        duplex: 'half',
      }),
      413,
      'TOO_LARGE',
      'Expected a body of at most 1048576 bytes but received more (body)',
    ],
    [
      'a form whose file is over the limit',
      () => ({ body: form([['photo', new Uint8Array(MAX_BODY + 1)]]), headers: {} }),
      413,
      'TOO_LARGE',
      'Expected a photo of at most 1048576 bytes but received more (photo)',
    ],
    [
      'a form far over the limit',
      () => ({ body: form([['photo', new Uint8Array(4 * MAX_BODY)]]), headers: {} }),
      413,
      'TOO_LARGE',
      'Expected a body of at most 1048576 bytes but received more (body)',
    ],
    [
      'text/plain',
      () => image(PHOTO, 'text/plain'),
      415,
      'UNSUPPORTED_FORMAT',
      `${BOTH} text/plain (Content-Type)`,
    ],
    [
      'JSON',
      () => image('{"__proto__":{"polluted":true}}', 'application/json'),
      415,
      'UNSUPPORTED_FORMAT',
      `${NO_URLS} application/json (Content-Type)`,
    ],
    [
      'JSON with a URL',
      () => image('{"url":"http://127.0.0.1:8080/"}', 'Application/LD+json; charset=utf-8'),
      415,
      'UNSUPPORTED_FORMAT',
      `${NO_URLS} Application/LD+json; charset=utf-8 (Content-Type)`,
    ],
    [
      'a compressed body',
      () => ({
        body: gzipSync(Buffer.alloc(64 * MAX_BODY)),
        headers: { 'content-type': 'image/png', 'content-encoding': 'gzip' },
      }),
      415,
      'UNSUPPORTED_FORMAT',
      'Expected a body without Content-Encoding but received gzip (Content-Encoding)',
    ],
    [
      'a form that is compressed twice',
      () => ({
        body: form([['photo', PHOTO]]),
        headers: { 'content-encoding': 'identity, br' },
      }),
      415,
      'UNSUPPORTED_FORMAT',
      'Expected a body without Content-Encoding but received identity, br (Content-Encoding)',
    ],
    [
      'a form in the query’s way',
      () => image('photo=1', 'application/x-www-form-urlencoded'),
      415,
      'UNSUPPORTED_FORMAT',
      `${BOTH} application/x-www-form-urlencoded (Content-Type)`,
    ],
    [
      'a Content-Type that is none',
      () => image(PHOTO, ';;;'),
      415,
      'UNSUPPORTED_FORMAT',
      `${BOTH} ;;; (Content-Type)`,
    ],
    [
      'no Content-Type',
      () => ({ body: new Blob([PHOTO]), headers: {} }),
      415,
      'UNSUPPORTED_FORMAT',
      `${BOTH} nothing (Content-Type)`,
    ],
    [
      'a form without photo',
      () => image('--b--\r\n', 'multipart/form-data; boundary=b'),
      400,
      'INVALID_ARGUMENT',
      'Expected a form with a file in field photo but received none (photo)',
    ],
    [
      'a form with more photos than may be',
      () => ({
        body: form([
          ['photo', PHOTO],
          ['photo', PHOTO],
          ['photo', PHOTO],
        ]),
        headers: {},
      }),
      400,
      'INVALID_ARGUMENT',
      'Expected a form with at most 2 photos but received more (photo)',
    ],
    [
      'a form whose photos are too large together',
      () => ({
        body: form([
          ['photo', new Uint8Array(MAX_BODY / 2 + 1)],
          ['photo', new Uint8Array(MAX_BODY / 2)],
        ]),
        headers: {},
      }),
      413,
      'TOO_LARGE',
      'Expected photos of at most 1048576 bytes together but received more (photo)',
    ],
    [
      'a form with another file',
      () => ({ body: form([['picture', PHOTO]]), headers: {} }),
      400,
      'INVALID_ARGUMENT',
      `${OTHER_FIELD} picture (form)`,
    ],
    [
      'a form with an option',
      () => ({
        body: form([
          ['photo', PHOTO],
          ['model', 'x'],
        ]),
        headers: {},
      }),
      400,
      'INVALID_ARGUMENT',
      `${OTHER_FIELD} model (form)`,
    ],
    [
      'a form with an option first',
      () => ({
        body: form([
          ['top', '1'],
          ['photo', PHOTO],
        ]),
        headers: {},
      }),
      400,
      'INVALID_ARGUMENT',
      `${OTHER_FIELD} top (form)`,
    ],
    [
      'a form with a text as photo',
      () => ({ body: form([['photo', 'https://example.org/photo.jpg']]), headers: {} }),
      400,
      'INVALID_ARGUMENT',
      'Expected a file but received a text (photo)',
    ],
    [
      'a form with an empty file',
      () => ({ body: form([['photo', new Uint8Array()]]), headers: {} }),
      400,
      'INVALID_ARGUMENT',
      'Expected a photo but received no bytes (photo)',
    ],
    [
      'a form with field __proto__',
      () => ({ body: form([['__proto__', PHOTO]]), headers: {} }),
      400,
      'INVALID_ARGUMENT',
      `${OTHER_FIELD} another (form)`,
    ],
    [
      'a form that is cut short',
      () =>
        image(
          '--b\r\ncontent-disposition: form-data; name="photo"; filename="a"\r\n\r\nabc',
          'multipart/form-data; boundary=b',
        ),
      400,
      'INVALID_ARGUMENT',
      'Expected a whole multipart form but it does not parse (form)',
    ],
    [
      'a form with another boundary',
      () =>
        image(
          '--a\r\ncontent-disposition: form-data; name="photo"; filename="a"\r\n\r\nabc\r\n--a--\r\n',
          'multipart/form-data; boundary=b',
        ),
      400,
      'INVALID_ARGUMENT',
      'Expected a whole multipart form but it does not parse (form)',
    ],
    [
      'a form without a boundary',
      () => image('--a--\r\n', 'multipart/form-data'),
      400,
      'INVALID_ARGUMENT',
      'Expected a whole multipart form but it does not parse (form)',
    ],
  ];
  test.each(cases)('%s', async (_name, init, status, code, detail) => {
    const problem = await problemOf(await classify(gateway, '?protocol=center-crop', await init()));
    expect({ status: problem.status, code: problem.code, detail: problem.detail }).toEqual({
      status,
      code,
      detail,
    });
    expect(problem.errors).toHaveLength(1);
    expect(problem.errors[0]?.message).toBe(detail);
  });
});

test('after all of them nothing is left over, and a good photo is answered', async () => {
  await untilQuiet(stack, gateway);
  expect((await classify(gateway, '?protocol=center-crop')).status).toBe(200);
  const failures = (await gateway.registry.metrics())
    .split('\n')
    .filter((line) => line.includes('status="5'));
  expect(failures.filter((line) => !line.endsWith(' 0'))).toEqual([]);
});
