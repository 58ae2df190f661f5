// Photos to training batches, without a network: images a second with nothing and with everything in memory.
//
//     node dist/bench/loader.js [DIR] [--input-size 64] [--batch 64] [--micro-batch 32] [--threads 1,2] [--images 4000]
//
// DIR has one folder a class; without it, photos are generated. What a training step may take per image before it
// waits for photos is the inverse of these numbers; what the loader takes from the step is its CPU.

import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../proto/package-root.ts';
import { sharp } from '../services/preprocess/loaders.ts';
import { listPhotos } from '../services/trainer/photos/folder.ts';
import { createLoader, validationBatches } from '../services/trainer/photos/loader.ts';
import { splitPhotos } from '../services/trainer/photos/split.ts';
import { colourStatistics } from '../services/trainer/photos/statistics.ts';
import { paperRecipe } from '../services/trainer/recipe.ts';
import { parseOptions } from './options.ts';

const GIB = 1024 ** 3;
const { values, positionals } = parseOptions(import.meta.url, {
  allowPositionals: true,
  options: {
    'input-size': { type: 'string', default: '64' },
    batch: { type: 'string', default: '64' },
    'micro-batch': { type: 'string', default: '32' },
    threads: { type: 'string', default: '1,2' },
    images: { type: 'string', default: '4000' },
  },
});
const scratch = mkdtempSync(join(tmpdir(), 'vgg-serve-bench-'));
try {
  await bench(positionals[0] ?? (await generated()));
} finally {
  rmSync(scratch, { recursive: true });
}

async function bench(root: string): Promise<void> {
  const recipe = {
    ...paperRecipe('A', Number(values['input-size'])),
    batch: Number(values.batch),
    microBatch: Number(values['micro-batch']),
  };
  const folder = await listPhotos(root);
  const { training, validation } = splitPhotos(folder.photos, recipe.validation, recipe.seed);
  const [least, most] = recipe.scales;
  console.log(
    `${String(training.length)} training photos, ${String(validation.length)} held out; crops of ` +
      `${String(recipe.inputSize)} from S of ${String(least)} to ${String(most)}; batches of ${String(recipe.batch)}`,
  );
  const file = join(scratch, 'statistics.json');
  const common = { root: folder.root, recipe };
  const statistics = await timed('statistics, two at once', training.length, () =>
    colourStatistics({ ...common, training, file, atOnce: 2 }),
  );
  const { mean, components } = statistics;
  console.log(
    `  mean ${numbers(Object.values(mean))}; deviations ${numbers(components.values.map(Math.sqrt))}`,
  );
  for (const threads of values.threads.split(',').map(Number)) {
    const loader = createLoader({ ...common, photos: training, statistics, threads, cacheBytes: 16 * GIB });
    const pieces = Math.min(loader.batchesPerEpoch * recipe.batch, Number(values.images)) / recipe.microBatch;
    const epoch = (loader.batchesPerEpoch * recipe.batch) / recipe.microBatch;
    const read = async (count: number) => {
      for (let i = 0; i < count; i++) await loader.next();
    };
    const images = Math.floor(pieces) * recipe.microBatch;
    const before = process.memoryUsage.rss();
    await timed(`${String(threads)} thread(s), cold`, images, () => read(Math.floor(pieces)));
    // The rest of the first epoch, so that every photo is in memory.
    await read(epoch - Math.floor(pieces));
    const memory = (process.memoryUsage.rss() - before) / 1024 ** 2;
    await timed(`${String(threads)} thread(s), warm`, images, () => read(Math.floor(pieces)));
    console.log(`  memory ${memory.toFixed(0)} MiB more than before`);
    await loader.close();
  }
  const held = validationBatches({ ...common, photos: validation, statistics });
  for (const pass of ['first', 'second']) {
    await timed(`held-out photos, ${pass} pass`, validation.length, async () => {
      let images = 0;
      for await (const { classes } of held.batches()) images += classes.length;
      if (images === 0) console.log('  none could be decoded');
    });
  }
}

async function timed<Result>(what: string, images: number, work: () => Promise<Result>): Promise<Result> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const result = await work();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const busy = (user + system) / 1e6;
  console.log(
    `${what.padEnd(28)} ${(images / seconds).toFixed(0).padStart(6)} images/s, ` +
      `${((busy / images) * 1000).toFixed(2)} CPU-ms an image, ${(busy / seconds).toFixed(2)} cores`,
  );
  return result;
}

function numbers(list: readonly number[]): string {
  return list.map((each) => each.toFixed(1)).join(', ');
}

// 600 JPEGs of 500 × 375 in six classes, cut from one photo.
async function generated(): Promise<string> {
  const root = join(scratch, 'photos');
  const large = sharp(readFileSync(join(packageRoot, 'test/golden/photos/large.jpg')));
  const { width, height } = await large.metadata();
  for (let i = 0; i < 600; i++) {
    const folder = join(root, `class-${String(i % 6)}`);
    mkdirSync(folder, { recursive: true });
    const left = (i * 37) % (width - 500);
    const top = (i * 53) % (height - 375);
    await large
      .clone()
      .extract({ left, top, width: 500, height: 375 })
      .jpeg()
      .toFile(join(folder, `${String(i)}.jpg`));
  }
  return root;
}
