// A photo to three planes, side by side with Pillow, on this machine:
//
//     PYTHON=python3 node dist/bench/preprocess.js [--repeats 15]
//
// Pillow goes the fastest way whose planes are right: its JPEG decoder reduces only as far as twice
// the largest scale, and its three resizes run one after the other or in three threads.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { packageRoot } from '../proto/package-root.ts';
import { sharp } from '../services/preprocess/loaders.ts';
import { preparePhoto } from '../services/preprocess/prepare.ts';
import { resolveEvaluation, type EvaluationDefaults } from '../vgg/views.ts';

const MODEL: EvaluationDefaults = { inputSize: 224, scales: [256, 384, 512] };
const MEAN = { red: 123.68, green: 116.78, blue: 103.94 };

// Reads "way\tphoto\tplanes" lines, answers with milliseconds; the planes of the last run lie at `planes`.
const PILLOW = `
import io, sys, time
from concurrent.futures import ThreadPoolExecutor
try:
    import PIL
    from PIL import Image
except ImportError:
    print('missing', flush=True); sys.exit()
print('Pillow', PIL.__version__, flush=True)
pool = ThreadPoolExecutor(3)
photos = {}
for line in sys.stdin:
    way, path, out = line.rstrip('\\n').split('\\t')
    photo = photos.setdefault(path, open(path, 'rb').read())
    start = time.perf_counter()
    image = Image.open(io.BytesIO(photo))
    width, height = image.size
    sizes = [(q, int(height * q / width + .5)) if width <= height else (int(width * q / height + .5), q) for q in (256, 384, 512)]
    image.draft('RGB', (2 * sizes[2][0], 2 * sizes[2][1]))
    image = image.convert('RGB')
    resize = lambda size: image.resize(size, Image.BILINEAR, reducing_gap=None).tobytes()
    planes = list((pool.map if way == 'threads' else map)(resize, sizes))
    taken = (time.perf_counter() - start) * 1000
    open(out, 'wb').write(b''.join(planes))
    print(taken, flush=True)
`;
import { median } from './median.ts';

const { values } = parseArgs({ options: { repeats: { type: 'string', default: '15' } } });
const repeats = Number(values.repeats);
const folder = mkdtempSync(join(tmpdir(), 'vgg-serve-bench-'));
try {
  await bench();
} finally {
  rmSync(folder, { recursive: true });
}

async function bench(): Promise<void> {
  const pillow = await startPillow();
  console.log(pillow ? pillow.version : 'Pillow is missing (set PYTHON to one that has it): no comparison');
  for (const [width, height] of [
    [4000, 3000],
    [500, 375],
  ] as const) {
    const photo = await photoOf(width, height);
    const path = join(folder, `${String(width)}.jpg`);
    writeFileSync(path, photo);
    const ways: Record<string, () => Promise<number>> = {
      'vgg-serve': () => ours(photo),
      ...(pillow && {
        'Pillow, one thread': () => pillow.run('serial', path),
        'Pillow, three threads': () => pillow.run('threads', path),
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
    if (!pillow) continue;
    const [own = NaN, ...others] = [...times.values()].map(median);
    console.log(`${'ratio'.padEnd(22)} ${(own / Math.min(...others)).toFixed(2)} of Pillow's faster way`);
    const difference = meanDifference(Buffer.concat(await planesOf(photo)), pillow.planes());
    console.log(`${'planes differ by'.padEnd(22)} ${difference.toFixed(2)} levels on average`);
  }
  pillow?.end();
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

async function startPillow() {
  const python = spawn(process.env['PYTHON'] ?? 'python3', ['-c', PILLOW], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  python.on('error', () => undefined); // No python: its output ends without a line.
  const lines = createInterface(python.stdout)[Symbol.asyncIterator]();
  const next = async () => {
    const line = await lines.next();
    return line.done === true ? 'missing' : line.value;
  };
  const version = await next();
  if (version === 'missing') return undefined;
  const out = join(folder, 'planes');
  return {
    version,
    async run(way: 'serial' | 'threads', path: string) {
      python.stdin.write(`${way}\t${path}\t${out}\n`);
      return Number(await next());
    },
    planes: () => readFileSync(out),
    end: () => python.stdin.end(),
  };
}

function meanDifference(a: Buffer, b: Buffer): number {
  if (a.length !== b.length) return NaN;
  return a.reduce((sum, level, i) => sum + Math.abs(level - (b[i] ?? 0)), 0) / a.length;
}
