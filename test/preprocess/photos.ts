// Photos and damaged photos for the tests, made by code: what is awkward about each is in its name.

import { crc32 } from 'node:zlib';
import { deflateSync } from 'node:zlib';
import { sharp } from '../../services/preprocess/loaders.ts';
import type { Evaluation, Rgb } from '../../vgg/views.ts';

/** Mean of the paper's models. */
export const MEAN: Rgb = { red: 123.68, green: 116.78, blue: 103.94 };

/** An evaluation with what a test does not care about filled in. */
export function evaluation(options: Partial<Evaluation> = {}): Evaluation {
  return {
    protocol: 'CENTER_CROP',
    scales: [64],
    grid: 5,
    align: 1,
    kernel: 'linear',
    scoreOrder: 'MEAN_THEN_SOFTMAX',
    share: 'AUTO',
    stop: 'NONE',
    ...options,
  };
}

/** A deterministic photo-like texture, height × width × 3 bytes. */
export function texture(width: number, height: number): Buffer {
  const pixels = Buffer.alloc(width * height * 3);
  let state = 1;
  for (let i = 0, at = 0; at < pixels.length; i++) {
    const x = i % width;
    const y = Math.floor(i / width);
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const noise = (state >>> 24) / 8;
    pixels[at++] = 110 + 80 * Math.sin((40 * x) / width) + noise;
    pixels[at++] = 110 + 80 * Math.sin((30 * y) / height) + noise;
    pixels[at++] = 110 + 80 * Math.sin((20 * (x + y)) / width) + noise;
  }
  return pixels;
}

/** The texture as a pipeline that any format can be asked of. */
export function textured(width: number, height: number) {
  return sharp(texture(width, height), { raw: { width, height, channels: 3 } });
}

/** One colour as a pipeline. */
export function plain(width: number, height: number, red: number, green: number, blue: number) {
  return sharp({ create: { width, height, channels: 3, background: { r: red, g: green, b: blue } } });
}

/** A chunk of a PNG with its checksum. */
function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

/** A PNG whose header claims a size; the rows are there only if `data` is. */
export function claimingPng(width: number, height: number, data: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(data)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** The same PNG with the animation chunks of an APNG before its pixels. */
export function apng(png: Buffer, frames: number): Buffer {
  const control = Buffer.alloc(8);
  control.writeUInt32BE(frames, 0);
  return Buffer.concat([png.subarray(0, 33), chunk('acTL', control), png.subarray(33)]);
}

/** A WebP of the extended form that claims a canvas and holds no frame. */
export function claimingWebp(width: number, height: number): Buffer {
  const out = Buffer.alloc(30);
  out.write('RIFF', 0, 'latin1');
  out.writeUInt32LE(22, 4);
  out.write('WEBPVP8X', 8, 'latin1');
  out.writeUInt32LE(10, 16);
  out.writeUIntLE(width - 1, 24, 3);
  out.writeUIntLE(height - 1, 27, 3);
  return out;
}

/** A little-endian TIFF of one directory: [tag, type, count, value]. */
export function tiff(tags: readonly (readonly [number, number, number, number])[]): Buffer {
  const out = Buffer.alloc(14 + tags.length * 12 + 64);
  out.write('II*\0', 0, 'latin1');
  out.writeUInt32LE(8, 4);
  out.writeUInt16LE(tags.length, 8);
  for (const [i, [tag, type, count, value]] of tags.entries()) {
    out.writeUInt16LE(tag, 10 + i * 12);
    out.writeUInt16LE(type, 12 + i * 12);
    out.writeUInt32LE(count, 14 + i * 12);
    out.writeUInt32LE(value, 18 + i * 12);
  }
  return out;
}

/** Frames of one size, frame i in the colour (40·i, 0, 255 − 40·i), as pipeline of an animation. */
export async function animation(frames: number, width = 96, height = 80) {
  const images = await Promise.all(
    Array.from({ length: frames }, (_, i) =>
      plain(width, height, (40 * i) % 256, 0, 255 - ((40 * i) % 256))
        .png()
        .toBuffer(),
    ),
  );
  return sharp(images, { join: { animated: true } });
}

/** A GIF of very many frames of 1×1 in a canvas of 64×64, by hand: 20-odd bytes a frame. */
export function gifOfManyFrames(frames: number): Buffer {
  const head = Buffer.from('GIF89a\x40\0\x40\0\x80\0\0\xff\0\0\0\xff\0', 'latin1');
  const frame = Buffer.from('\x21\xf9\x04\0\x01\0\0\0\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0', 'latin1');
  return Buffer.concat([head, ...Array.from({ length: frames }, () => frame), Buffer.from(';')]);
}
