// A photo to three planes, side by side with Pillow, on this machine:
//
//     node dist/bench/preprocess.js [--python python3] [--repeats 15]
//
// Pillow goes the fastest way whose planes are right: its JPEG decoder reduces only as far as twice
// the largest scale, and its three resizes run one after the other or in three threads.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../proto/package-root.ts';
import { sharp } from '../services/preprocess/loaders.ts';
import { preparePhoto } from '../services/preprocess/prepare.ts';
import { resolveEvaluation, type EvaluationDefaults } from '../vgg/views.ts';
import { median } from './median.ts';
import { pythonPeer, startPeer, type Peer } from './peers/peer.ts';
import { parseOptions } from './options.ts';

const MODEL: EvaluationDefaults = { inputSize: 224, scales: [256, 384, 512] };
const MEAN = { red: 123.68, green: 116.78, blue: 103.94 };

const { values } = parseOptions(import.meta.url, {
  options: { python: { type: 'string', default: 'python3' }, repeats: { type: 'string', default: '15' } },
});
const repeats = Number(values.repeats);
const folder = mkdtempSync(join(tmpdir(), 'vgg-serve-bench-'));
// Pillow's planes of its last run.
const out = join(folder, 'planes');
try {
  await bench();
} finally {
  rmSync(folder, { recursive: true });
}

async function bench(): Promise<void> {
  const pillow = await startPeer(pythonPeer(values.python, 'planes_pillow.py'), availableParallelism());
  console.log(
    'missing' in pillow
      ? `no Pillow to compare with: ${values.python}: ${pillow.missing}`
      : `Pillow ${pillow.version}`,
  );
  for (const [width, height] of [
    [4000, 3000],
    [500, 375],
  ] as const) {
    const photo = await photoOf(width, height);
    const path = join(folder, `${String(width)}.jpg`);
    writeFileSync(path, photo);
    const ways: Record<string, () => Promise<number>> = {
      'vgg-serve': () => ours(photo),
      ...(!('missing' in pillow) && {
        'Pillow, one thread': () => theirs(pillow, path, false),
        'Pillow, three threads': () => theirs(pillow, path, true),
      }),
    };
    const times = new Map(Object.keys(ways).map((way) => [way, [] as number[]]));
    // The ways take turns, so that a busy minute of the machine falls on all of them; the first is for warmth.
    for (let repeat = 0; repeat <= repeats; repeat++) {
      for (const [way, run] of Object.entries(ways)) {
        const ms = await run();
        if (repeat > 0) times.get(way)?.push(ms);
      }
    }
    const kib = (photo.length / 1024).toFixed(0);
    console.log(
      `\nJPEG ${String(width)}×${String(height)}, ${kib} KiB, to 256, 384 and 512; median of ${String(repeats)}`,
    );
    for (const [way, each] of times) {
      console.log(`${way.padEnd(22)} ${median(each).toFixed(1)} ms (least ${Math.min(...each).toFixed(1)})`);
    }
    if ('missing' in pillow) continue;
    const [own = NaN, ...others] = [...times.values()].map(median);
    console.log(`${'ratio'.padEnd(22)} ${(own / Math.min(...others)).toFixed(2)} of Pillow's faster way`);
    const difference = meanDifference(Buffer.concat(await planesOf(photo)), readFileSync(out));
    console.log(`${'planes differ by'.padEnd(22)} ${difference.toFixed(2)} levels on average`);
  }
  if (!('missing' in pillow)) await pillow.end();
}

async function planesOf(photo: Buffer): Promise<Buffer[]> {
  const preparation = { evaluation: resolveEvaluation({}, MODEL), mean: MEAN, inputSize: MODEL.inputSize };
  const planes = [];
  for await (const { plane } of preparePhoto(photo, preparation)) planes.push(plane.rgb8);
  return planes;
}

async function ours(photo: Buffer): Promise<number> {
  const start = performance.now();
  await planesOf(photo);
  return performance.now() - start;
}

// A photo scaled to the size, with noise of a sensor's kind on top, which JPEG must code.
async function photoOf(width: number, height: number): Promise<Buffer> {
  const base = sharp(readFileSync(join(packageRoot, 'test/golden/photos/large.jpg')));
  const noise = { type: 'gaussian', mean: 128, sigma: 20 } as const;
  const create = { width, height, channels: 3, background: 'grey', noise } as const;
  const grain = await sharp({ create }).png({ compressionLevel: 1 }).toBuffer();
  return base
    .resize(width, height, { fit: 'fill', kernel: 'cubic' })
    .composite([{ input: grain, blend: 'soft-light' }])
    .jpeg({ quality: 90 })
    .toBuffer();
}

async function theirs(pillow: Peer, path: string, threads: boolean): Promise<number> {
  const { ms } = (await pillow.ask('planes', { path, threads, out })) as { ms: number };
  return ms;
}

function meanDifference(a: Buffer, b: Buffer): number {
  if (a.length !== b.length) return NaN;
  return a.reduce((sum, level, i) => sum + Math.abs(level - (b[i] ?? 0)), 0) / a.length;
}
