// What people and attackers send as photos: each is answered, or refused with one exact message, and
// the process lives on.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { packageRoot } from '../../proto/package-root.ts';
import { sharp } from '../../services/preprocess/loaders.ts';
import { preparePhoto } from '../../services/preprocess/prepare.ts';
import type { VggError } from '../../vgg/errors.ts';
import type { Evaluation } from '../../vgg/views.ts';
import * as photos from './photos.ts';

const golden = (name: string) => readFileSync(join(packageRoot, 'test/golden/photos', name));
const text = (content: string) => Buffer.from(content, 'utf8');

async function planesOf(photo: Uint8Array, options: Partial<Evaluation> = {}) {
  const preparation = { evaluation: photos.evaluation(options), mean: photos.MEAN, inputSize: 64 };
  const planes = [];
  for await (const { plane } of preparePhoto(photo, preparation)) planes.push(plane);
  return planes;
}

async function refusal(photo: Uint8Array, options: Partial<Evaluation> = {}): Promise<string> {
  const error = (await planesOf(photo, options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )) as VggError | undefined;
  return error ? `${error.code}: ${error.message}` : 'no error';
}

// Level of a pixel of a plane of one colour.
async function colourOf(photo: Uint8Array): Promise<number[]> {
  const [plane] = await planesOf(photo);
  const at = plane ? (Math.floor(plane.height / 2) * plane.width + Math.floor(plane.width / 2)) * 3 : 0;
  return [...(plane?.rgb8.subarray(at, at + 3) ?? [])];
}

function near(came: number[], wanted: number[], within: number): void {
  expect(came).toHaveLength(wanted.length);
  for (const [i, level] of wanted.entries())
    expect(Math.abs((came[i] ?? -999) - level)).toBeLessThanOrEqual(within);
}

afterEach(async () => {
  // Whatever came before, the next photo is answered.
  const [plane] = await planesOf(golden('progressive.jpg'));
  expect(plane?.rgb8.length).toBe(96 * 64 * 3);
});

const IMAGE = 'a JPEG, PNG, WebP, AVIF, TIFF or GIF image';
const unsupported = (what: string) => `UNSUPPORTED_FORMAT: Expected ${IMAGE} but received ${what} (photo)`;
const damaged = (name: string) =>
  `INVALID_ARGUMENT: Expected a whole ${name} image but received a damaged or truncated one (photo)`;

describe('what is not one of the formats is named', () => {
  const entities =
    '<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><svg>&b;</svg>';
  test.each([
    ['a text file', text('just some words\n'), 'text'],
    ['HTML', text('\n<!DOCTYPE html><title>404</title>'), 'an HTML page'],
    ['SVG', text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'), 'an SVG image'],
    ['an SVG bomb', text(`<?xml version="1.0"?>${entities}`), 'an SVG image'],
    ['an SVG after a BOM', text('\ufeff<svg width="999999" height="999999"/>'), 'an SVG image'],
    ['XML', text('<?xml version="1.0"?><feed/>'), 'an XML document'],
    ['PDF', text('%PDF-1.7\n'), 'a PDF file'],
    ['PostScript', text('%!PS-Adobe-3.0 EPSF-3.0\n'), 'a PostScript file'],
    ['ZIP', text('PK\x03\x04'), 'a ZIP file'],
    ['BMP', Buffer.concat([text('BM'), Buffer.alloc(60)]), 'a BMP image'],
    ['HEIC', Buffer.concat([Buffer.from([0, 0, 0, 24]), text('ftypheic\0\0\0\0mif1heic')]), 'a HEIC image'],
    ['MP4', Buffer.concat([Buffer.from([0, 0, 0, 24]), text('ftypisom\0\0\0\0isommp42')]), 'a video'],
    ['a short container', Buffer.from('\0\0\0\x08ftyp', 'latin1'), 'a video'],
    ['an ImageMagick script', text('push graphic-context\nviewbox 0 0 640 480\n'), 'text'],
    ['a Netpbm image', text('P6 1 1 255\n\0\0\0'), 'data of an unknown format'],
    ['libvips’ own format', Buffer.from('08f2a6b600000001', 'hex'), 'data of an unknown format'],
    ['zeros', Buffer.alloc(5000), 'data of an unknown format'],
    ['RIFF that is no WebP', text('RIFF\0\0\0\0WAVEfmt '), 'data of an unknown format'],
  ])('%s', async (_, photo, what) => {
    expect(await refusal(photo)).toBe(unsupported(what));
  });

  test('nothing', async () => {
    const message = `INVALID_ARGUMENT: Expected ${IMAGE} but received nothing (photo)`;
    expect(await refusal(Buffer.alloc(0))).toBe(message);
  });

  test.each(['VipsForeignLoadSvgBuffer', 'VipsForeignLoadVipsSource', 'VipsForeignLoadPpmBuffer'])(
    '%s does not run even for the library itself',
    async () => {
      for (const photo of [
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        'P6 1 1 255\n\0\0\0',
      ]) {
        await expect(sharp(text(photo)).metadata()).rejects.toThrow('unsupported image format');
      }
    },
  );
});

describe('damaged photos', () => {
  const flipped = (photo: Buffer, from: number, count = 1) => {
    const copy = Buffer.from(photo);
    for (let i = from; i < from + count; i++) copy[i] = (copy[i] ?? 0) ^ 0xff;
    return copy;
  };
  test.each([
    ['a truncated JPEG', golden('grey.jpg').subarray(0, 12_000), 'JPEG'],
    ['a truncated progressive JPEG', golden('progressive.jpg').subarray(0, 10_000), 'JPEG'],
    ['the first bytes of a JPEG', golden('grey.jpg').subarray(0, 4), 'JPEG'],
    ['a truncated PNG', golden('palette.png').subarray(0, 15_000), 'PNG'],
    ['a PNG with a wrong checksum', flipped(golden('palette.png'), 20_000), 'PNG'],
    ['a PNG with a wrong header checksum', flipped(golden('palette.png'), 30), 'PNG'],
    ['a PNG without rows', photos.claimingPng(100, 100), 'PNG'],
    ['a truncated WebP', golden('lossless.webp').subarray(0, 30_000), 'WebP'],
    ['a WebP that claims 16384×16384 and has nothing', photos.claimingWebp(16384, 16384), 'WebP'],
    ['a truncated TIFF', golden('lzw.tiff').subarray(0, 60_000), 'TIFF'],
    ['a TIFF without tags', photos.tiff([]), 'TIFF'],
    [
      'a TIFF of absurd tags',
      photos.tiff([
        [256, 4, 1, 9],
        [257, 4, 0xffffffff, 9],
        [273, 4, 0x7fffffff, 0xfffffff0],
      ]),
      'TIFF',
    ],
    ['a GIF that is JavaScript', text('GIF89a/*comment*/=1;alert(1)//'), 'GIF'],
    ['an AVIF of its first box', Buffer.from('\0\0\0\x18ftypavif\0\0\0\0avifmif1', 'latin1'), 'AVIF'],
  ])('%s', async (_, photo, name) => {
    expect(await refusal(photo)).toBe(damaged(name));
  });

  test('a progressive JPEG of a thousand scans more', async () => {
    const photo = await photos.textured(96, 80).jpeg({ progressive: true }).toBuffer();
    const end = photo.length - 2;
    const scan = photo.subarray(photo.lastIndexOf(Buffer.from([0xff, 0xda])), end);
    const scans = Array.from({ length: 1000 }, () => scan);
    expect(await refusal(Buffer.concat([photo.subarray(0, end), ...scans, photo.subarray(end)]))).toBe(
      damaged('JPEG'),
    );
  });

  test('bytes after the end of a JPEG are not looked at', async () => {
    const photo = golden('progressive.jpg');
    const [plain] = await planesOf(photo);
    const [polyglot] = await planesOf(Buffer.concat([photo, text('PK\x03\x04'), Buffer.alloc(999, 7)]));
    expect(polyglot?.rgb8.equals(plain?.rgb8 ?? Buffer.alloc(0))).toBe(true);
  });

  test('a corrupt colour profile is done without', async () => {
    const photo = await photos.plain(96, 80, 200, 120, 60).withIccProfile('p3').png().toBuffer();
    const profiled = await photos
      .plain(96, 80, 200, 120, 60)
      .withIccProfile('p3')
      .jpeg({ quality: 100 })
      .toBuffer();
    near(await colourOf(photo), [200, 120, 60], 2);
    const at = profiled.indexOf('ICC_PROFILE');
    expect(at).toBeGreaterThan(0);
    expect(await colourOf(flipped(profiled, at + 20, 100))).toHaveLength(3);
  });
});

describe('sizes are checked before a pixel is decoded', () => {
  const sides = (came: string) =>
    `TOO_LARGE: Expected a photo with sides ≤ 16384 pixels but received ${came} (photo)`;
  const area = (came: string) =>
    `TOO_LARGE: Expected a photo of ≤ 50 megapixels but received ${came} megapixels (photo)`;
  test.each([
    ['a PNG bomb', photos.claimingPng(30_000, 30_000), sides('30000×30000')],
    ['a PNG of 2³¹ columns', photos.claimingPng(0x7fffffff, 1), damaged('PNG')],
    ['51 megapixels', photos.claimingPng(10_000, 5_100), area('10000×5100 = 51.0')],
    ['a strip', photos.claimingPng(1, 30_000), sides('1×30000')],
    ['a WebP that claims 16383×16383', webpHeader(16_383, 16_383), area('16383×16383 = 268.4')],
  ])('%s', async (_, photo, message) => {
    expect(await refusal(photo)).toBe(message);
  });

  test('more than 20 MiB', async () => {
    const photo = Buffer.alloc(20 * 1024 * 1024 + 1);
    golden('grey.jpg').copy(photo);
    expect(await refusal(photo)).toBe(
      'TOO_LARGE: Expected a photo of at most 20971520 bytes but received 20971521 bytes (photo)',
    );
    expect(await refusal(photo.subarray(0, 20 * 1024 * 1024))).toBe('no error');
  });

  test.each([
    [photos.claimingPng(16_000, 1), '16000×1', '1024000×64'],
    [photos.claimingPng(1, 16_000), '1×16000', '64×1024000'],
  ])('an aspect ratio that makes a huge plane (%#)', async (photo, size, plane) => {
    expect(await refusal(photo)).toBe(
      'TOO_LARGE: Expected planes with sides ≤ 16384 pixels and ≤ 8 megapixels but received a photo of ' +
        `${size}, whose aspect ratio makes the plane at scale 64 ${plane} (scales[0])`,
    );
  });

  test('a scale that makes a huge plane', async () => {
    expect(await refusal(golden('grey.jpg'), { scales: [64, 4_294_967_295] })).toMatch(
      /^TOO_LARGE: .* the plane at scale 4294967295 4294967295×5259143627 \(scales\[1\]\)$/,
    );
  });

  test('too many views', async () => {
    const options = { protocol: 'MULTI_CROP', grid: 16, scales: [64, 65] } as const;
    expect(await refusal(golden('grey.jpg'), options)).toBe(
      'INVALID_ARGUMENT: Expected an evaluation of at most 512 views but received 1024 (grid)',
    );
  });

  test('one pixel is enough', async () => {
    const photo = await photos.plain(1, 1, 10, 200, 30).png().toBuffer();
    const [plane] = await planesOf(photo);
    expect([plane?.width, plane?.height]).toEqual([64, 64]);
    expect(new Set(plane?.rgb8)).toEqual(new Set([10, 200, 30]));
  });
});

describe('unusual but honest photos', () => {
  test.each(['gif', 'webp'] as const)('an animated %s shows its first frame', async (format) => {
    const photo = await (await photos.animation(5)).toFormat(format, { quality: 100 }).toBuffer();
    const [plane] = await planesOf(photo);
    expect([plane?.width, plane?.height]).toEqual([77, 64]);
    near(await colourOf(photo), [0, 0, 255], 4);
  });

  test('a GIF of 20,000 frames is one photo', async () => {
    const [plane] = await planesOf(photos.gifOfManyFrames(20_000));
    expect(plane?.rgb8.length).toBe(64 * 64 * 3);
  });

  test('an APNG shows its default image', async () => {
    const png = await photos.plain(96, 80, 200, 120, 60).png().toBuffer();
    expect(await colourOf(photos.apng(png, 1_000_000))).toEqual([200, 120, 60]);
  });

  test('a TIFF of several pages shows its first page', async () => {
    const photo = await (await photos.animation(3)).tiff({ compression: 'lzw' }).toBuffer();
    expect(await colourOf(photo)).toEqual([0, 0, 255]);
  });

  test('an AVIF', async () => {
    const photo = await photos.plain(96, 80, 200, 120, 60).avif({ quality: 90 }).toBuffer();
    near(await colourOf(photo), [200, 120, 60], 3);
  });

  test.each(['jpeg', 'tiff'] as const)('a CMYK %s', async (format) => {
    const photo = await photos.plain(96, 80, 192, 128, 64).toColourspace('cmyk').toFormat(format).toBuffer();
    near(await colourOf(photo), [192, 128, 64], 25);
  });

  test.each([
    ['16 bits', false, 96],
    ['16 bits with a profile', true, 96],
    ['16 bits with a profile, reduced', true, 480],
  ])('%s', async (_, profiled, side) => {
    const image = photos.plain(side, side, 200, 90, 30).toColourspace('rgb16');
    const photo = await (profiled ? image.withIccProfile('p3') : image).png().toBuffer();
    near(await colourOf(photo), [200, 90, 30], 2);
  });

  // The same numbers would be a paler colour if the profile were ignored.
  test('a wide-gamut profile is left for sRGB', async () => {
    const marked = await photos.plain(96, 80, 200, 90, 60).withIccProfile('p3').png().toBuffer();
    near(await colourOf(marked), [200, 90, 60], 2);
  });

  test.each([
    ['8 bits', 'srgb', [124 * 0.5 + 100, 117 * 0.5 + 45, 104 * 0.5 + 15]],
    ['16 bits', 'rgb16', [124 * 0.5 + 100, 117 * 0.5 + 45, 104 * 0.5 + 15]],
    ['grey', 'b-w', [124 * 0.5 + 57, 117 * 0.5 + 57, 104 * 0.5 + 57]],
  ])('transparency of %s lies over the mean colour', async (_, space, wanted) => {
    const background = { r: 200, g: 90, b: 30, alpha: 0.5 };
    const photo = await sharp({ create: { width: 96, height: 80, channels: 4, background } })
      .toColourspace(space)
      .png()
      .toBuffer();
    near(await colourOf(photo), wanted, 4);
  });

  test.each(['srgb', 'b-w'])(
    'a large transparent photo (%s) is laid over the mean before it is reduced',
    async (space) => {
      // Columns in turn opaque white and transparent: each plane pixel sees many of both.
      const rgba = Buffer.alloc(480 * 400 * 4, Buffer.from([255, 255, 255, 255, 255, 255, 255, 0]));
      const photo = await sharp(rgba, { raw: { width: 480, height: 400, channels: 4 } })
        .toColourspace(space)
        .png()
        .toBuffer();
      near(await colourOf(photo), [(255 + 124) / 2, (255 + 117) / 2, (255 + 104) / 2], 8);
    },
  );

  test('a grey photo of one bit', async () => {
    const photo = await photos
      .plain(96, 80, 255, 255, 255)
      .toColourspace('b-w')
      .tiff({ bitdepth: 1 })
      .toBuffer();
    expect(await colourOf(photo)).toEqual([255, 255, 255]);
  });
});

// A lossless WebP's header: signature, then 14 bits each of width − 1 and height − 1.
function webpHeader(width: number, height: number): Buffer {
  const out = Buffer.alloc(60);
  out.write('RIFF', 0, 'latin1');
  out.writeUInt32LE(52, 4);
  out.write('WEBPVP8L', 8, 'latin1');
  out.writeUInt32LE(40, 16);
  out[20] = 0x2f;
  out.writeUInt32LE(width - 1 + (height - 1) * 2 ** 14, 21);
  return out;
}
