// vgg evaluate as its users run it: photos and models in, tables out; held to what classify says of each photo.

import { execFile, spawn } from 'node:child_process';
import { watch } from 'node:fs';
import {
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../cli/evaluate/report.ts';
import { startStack, type Stack } from '../../cli/stack.ts';
import { importWeights } from '../../models/import.ts';
import { packageRoot } from '../../proto/package-root.ts';
import { createClient, type Protocol, type VggClient } from '../../sdk/index.ts';

const MAIN = join(packageRoot, 'dist/cli/main.js');
const PHOTOS = join(packageRoot, 'test/golden/photos');
// Classes of the golden networks are named 0 to 9.
const FOLDERS: Record<string, string[]> = {
  1: ['exif-3.jpg', 'grey.jpg'],
  3: ['exif-6.jpg', 'lossless.webp'],
  7: ['palette.png', 'progressive.jpg', 'alpha.png'],
};
const SETS = ['--models', 'MODELS', '--model', 'd,a', '--scales', '224,256;256', '--grid', '3'];

interface Outcome {
  status: number;
  stdout: string;
  stderr: string;
}

function vgg(args: string[], cwd = folder): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { cwd, maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code ?? 1) : 0, stdout, stderr });
    });
  });
}

async function evaluated(args: string[]): Promise<Report> {
  const { status, stdout, stderr } = await vgg(['evaluate', 'photos', '--json', ...args]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout) as Report;
}

let folder: string;
let models: string;
let stack: Stack;
let client: VggClient;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vgg-evaluate-'));
  models = join(folder, 'models');
  SETS[1] = models;
  for (const [name, network] of [
    ['d', 'D'],
    ['a', 'A'],
  ] as const) {
    const weights = join(packageRoot, 'test/golden/networks', network, 'weights.safetensors');
    await importWeights(weights, { name, network, to: models });
  }
  for (const [label, names] of Object.entries(FOLDERS)) {
    await mkdir(join(folder, 'photos', label), { recursive: true });
    for (const name of names) await copyFile(join(PHOTOS, name), join(folder, 'photos', label, name));
  }
  stack = await startStack({ models, logLevel: 'silent' });
  client = createClient({ aggregator: stack.aggregator.address });
});
afterAll(async () => {
  client.close();
  await stack.close();
  await rm(folder, { recursive: true });
});

// What classify says of every photo: its posterior.
async function posteriors(
  model: string,
  protocol: Protocol,
  scales: number[],
  align?: number,
): Promise<[truth: number, number[]][]> {
  const photos = Object.entries(FOLDERS).flatMap(([label, names]) =>
    names.map((name) => [label, name] as const),
  );
  return await Promise.all(
    photos.map(async ([label, name]): Promise<[number, number[]]> => {
      const answer = await client.classify(join(PHOTOS, name), {
        ...{ models: [model], protocol, scales, grid: 3, align, posterior: true },
      });
      return [Number(label), [...(answer.posterior ?? [])]];
    }),
  );
}

function rank([truth, posterior]: readonly [number, readonly number[]]): number {
  return posterior.filter((score) => score > (posterior[truth] ?? NaN)).length + 1;
}

function errors(answers: [number, number[]][]): { top1Error: number; top5Error: number } {
  const share = (places: number) => answers.filter((each) => rank(each) > places).length / answers.length;
  return { top1Error: Number((100 * share(1)).toFixed(4)), top5Error: Number((100 * share(5)).toFixed(4)) };
}

describe('errors', () => {
  test('are those of classify, for each model, protocol and scales; averages are means of posteriors', async () => {
    const { rows } = await evaluated([...SETS, '--fuse', '--output', 'all']);
    expect(rows).toHaveLength(3 * 2 * 4);
    for (const protocol of ['CENTER_CROP', 'DENSE_AND_MULTI_CROP'] as const) {
      const [d, a] = await Promise.all(['d', 'a'].map((name) => posteriors(name, protocol, [224, 256])));
      const mean = d?.map(([truth, posterior], i): [number, number[]] => [
        truth,
        posterior.map((score, k) => (score + (a?.[i]?.[1][k] ?? NaN)) / 2),
      ]);
      for (const [model, answers] of [
        ['d', d],
        ['a', a],
        ['d+a', mean],
      ] as const) {
        const row = rows.find(
          (each) => each.model === model && each.protocol === protocol && each.scales.join() === '224,256',
        );
        expect(row).toMatchObject({ photos: 7, failed: 0, ...errors(answers ?? []) });
      }
    }
  });

  test('every answer is in the journal: probabilities, and the place of the truth', async () => {
    const lines = (await readFile(join(folder, 'all/journal.jsonl'), 'utf8')).trimEnd().split('\n');
    expect(lines).toHaveLength(1 + 7 * 24);
    const [header, ...answers] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const rows = header?.['rows'] as { models: string[]; protocol: string; scales: number[][] }[];
    const photos = Object.entries(FOLDERS).flatMap(([label, names]) =>
      names.map((name) => `${label}/${name}`),
    );
    const [d, a] = await Promise.all(['d', 'a'].map((name) => posteriors(name, 'DENSE', [256])));
    for (const [i, photo] of photos.entries()) {
      const [truth = -1, ofD = []] = d?.[i] ?? [];
      const [, ofA = []] = a?.[i] ?? [];
      const mean = ofD.map((score, k) => (score + (ofA[k] ?? NaN)) / 2);
      for (const [models, posterior] of [
        ['d', ofD],
        ['a', ofA],
        ['d,a', mean],
      ] as const) {
        const place = rows.findIndex(
          (row) =>
            row.models.join() === models && row.protocol === 'DENSE' && row.scales[0]?.join() === '256',
        );
        const line = answers.find((each) => each['row'] === place && each['photo'] === photo);
        expect(line).toMatchObject({ truth, rank: rank([truth, posterior]) });
        const top = line?.['top'] as [number, number][];
        expect(top).toHaveLength(5);
        for (const [classIndex, score] of top) expect(score).toBeCloseTo(posterior[classIndex] ?? NaN, 5);
      }
    }
  });

  test('the report counts, compares and times', async () => {
    const report = JSON.parse(await readFile(join(folder, 'all/report.json'), 'utf8')) as Report;
    expect(report.dataset).toEqual({
      path: 'photos',
      photos: 7,
      classes: 3,
      imagenet: false,
      ignoredClasses: [],
    });
    for (const row of report.rows) {
      expect(row.msPerPhoto).toBeGreaterThan(0);
      expect(row.top1Interval[0]).toBeLessThanOrEqual(row.top1Error);
      expect(row.top1Interval[1]).toBeGreaterThanOrEqual(row.top1Error);
    }
    // Of each model and of the average: all pairs of its 8 rows.
    expect(report.mcnemar).toHaveLength((3 * 8 * 7) / 2);
    const wrong = Math.min(
      ...report.rows.filter(({ model }) => model === 'd').map(({ top1Error }) => top1Error),
    );
    const confused = report.confusions.filter(({ model }) => model === 'd');
    expect(confused.reduce((sum, { photos }) => sum + photos, 0)).toBe(Math.round((wrong / 100) * 7));
    expect(report.rows[2]).toMatchObject({ protocol: 'DENSE', scales: [224, 256] });
    const paper = report.rows
      .filter((row) => row.paper)
      .map(({ model, scales, paper }) => ({ model, scales, paper }));
    expect(paper).toEqual([
      { model: 'd', scales: [256], paper: { table: 3, top1Error: 27, top5Error: 8.8 } },
      { model: 'a', scales: [256], paper: { table: 3, top1Error: 29.6, top5Error: 10.4 } },
    ]);
    expect(await readFile(join(folder, 'all/report.md'), 'utf8')).toContain('| d | 256 | dense |');
  });
});

test('alignments are compared: each is what classify says of it, and dense passes are one row', async () => {
  const args = ['--models', models, '--model', 'd', '--scales', '256', '--grid', '3', '--output', 'aligned'];
  args.push('--protocols', 'multi-crop,dense', '--align', '1,16,8');
  const { rows, mcnemar } = await evaluated(args);
  expect(rows.map(({ protocol, align }) => [protocol, align])).toEqual([
    ['MULTI_CROP', 1],
    ['MULTI_CROP', 16],
    ['MULTI_CROP', 8],
    ['DENSE', undefined],
  ]);
  const lines = (await readFile(join(folder, 'aligned/journal.jsonl'), 'utf8'))
    .trimEnd()
    .split('\n')
    .slice(1);
  const answers = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const names = Object.entries(FOLDERS).flatMap(([label, names]) => names.map((name) => `${label}/${name}`));
  const scores = new Set<string>();
  for (const [row, align] of [1, 16, 8].entries()) {
    const asked = await posteriors('d', 'MULTI_CROP', [256], align);
    expect(rows[row]).toMatchObject(errors(asked));
    for (const [i, photo] of names.entries()) {
      const line = answers.find((each) => each['row'] === row && each['photo'] === photo);
      const [[classIndex, score]] = line?.['top'] as [[number, number]];
      expect(score).toBeCloseTo(asked[i]?.[1][classIndex] ?? NaN, 5);
    }
    scores.add(JSON.stringify(asked));
  }
  // Otherwise one alignment could stand for all.
  expect(scores.size).toBe(3);
  const [pair] = mcnemar;
  expect(mcnemar).toHaveLength(6);
  expect(pair).toMatchObject({ a: { align: 1, scales: [256] }, b: { align: 16 } });
  expect(pair?.difference).toBeCloseTo((rows[0]?.top1Error ?? NaN) - (rows[1]?.top1Error ?? NaN), 3);
  expect(pair?.interval[0]).toBeLessThanOrEqual(pair?.difference ?? NaN);
  expect(pair?.interval[1]).toBeGreaterThanOrEqual(pair?.difference ?? NaN);
  const tables = await readFile(join(folder, 'aligned/report.md'), 'utf8');
  expect(tables).toMatch(/\| test Q \| evaluation \| align \| top-1[^]*\| 256 \| multi-crop \| 16 \|/);
  expect(tables).toMatch(/\| 256 \| dense \| – \|[^]*\| 256 \| multi-crop, 1 \| multi-crop, 16 \|/);
  // The order of alignments is a part of the journal; the answers are known again.
  const again = ['--resume', '--json'];
  expect((await evaluated([...args, ...again])).rows).toEqual(rows);
  const other = await vgg(['evaluate', 'photos', ...args, ...again, '--align', '1,8']);
  expect(other).toMatchObject({ status: 1, stderr: expect.stringContaining('aligned to 16') as string });
});

test('a server’s models are evaluated as those of this process, and its journal knows them again', async () => {
  const args = ['--protocols', 'center-crop', '--scales', '256', '--model', 'd'];
  const server = ['--server', stack.aggregator.address, '--output', 'server.jsonl'];
  const [own, asked] = [
    await evaluated([...args, '--models', models, '--output', 'own.jsonl']),
    await evaluated([...args, ...server]),
  ];
  const untimed = (report: Report) => report.rows.map((row) => ({ ...row, msPerPhoto: 0 }));
  expect(untimed(asked)).toEqual(untimed(own));
  expect(await evaluated([...args, ...server, '--resume'])).toEqual(asked);
  const other = await vgg(['evaluate', 'photos', ...args, ...server, '--resume', '--model', 'a']);
  expect(other).toMatchObject({ status: 1, stderr: expect.stringContaining('of model d, a in') as string });
});

test('a photo that cannot be read is counted and named, and the others are answered', async () => {
  const photos = join(folder, 'broken');
  await cp(join(folder, 'photos'), photos, { recursive: true });
  await writeFile(join(photos, '3/text.jpg'), 'no image');
  await symlink(join(folder, 'nowhere'), join(photos, '7/gone.jpg'));
  const args = ['evaluate', photos, '--protocols', 'center-crop', '--output', 'broken.jsonl', '--json'];
  const { status, stdout, stderr } = await vgg([...args, '--models', models, '--model', 'd']);
  expect(status).toBe(1);
  const report = JSON.parse(stdout) as Report;
  expect(report.rows[0]).toMatchObject({ photos: 7, failed: 2 });
  expect(report.failures.map(({ photo }) => photo)).toEqual(['3/text.jpg', '7/gone.jpg']);
  expect(stderr.trimEnd().split('\n')).toEqual([
    '3/text.jpg: Expected a JPEG, PNG, WebP, AVIF, TIFF or GIF image but received text (photo)',
    `7/gone.jpg: Expected a readable file but received ${join(photos, '7/gone.jpg')}`,
  ]);
});

describe('journal', () => {
  test('what ended early goes on, and the end is the same', async () => {
    const args = [...SETS, '--protocols', 'center-crop', '--output', 'resumed.jsonl'];
    const whole = await evaluated(args);
    const file = join(folder, 'resumed.jsonl');
    const text = await readFile(file, 'utf8');
    // Three photos of four rows, and a piece of the next line.
    const kept = text.split('\n').slice(0, 13).join('\n');
    await writeFile(file, `${kept}\n{"photo":"3/e`);
    // Answers are the same whether views share or not: it is the same evaluation.
    const again = await evaluated([...args, '--resume', '--share', 'off']);
    const untimed = (report: Report) => ({
      ...report,
      rows: report.rows.map((row) => ({ ...row, msPerPhoto: 0 })),
    });
    expect(untimed(again)).toEqual(untimed(whole));
    expect((await readFile(file, 'utf8')).startsWith(`${kept}\n`)).toBe(true);
    expect((await readFile(file, 'utf8')).split('\n')).toHaveLength(text.split('\n').length);
    // Nothing is left to ask: the journal stays as it is.
    const { mtimeMs } = await stat(file);
    expect(untimed(await evaluated([...args, '--resume', '--limit', '3'])).dataset.photos).toBe(3);
    expect((await stat(file)).mtimeMs).toBe(mtimeMs);
  });

  // Pressed when the first photo is in the journal, and perhaps again so many milliseconds later.
  async function interrupted(name: string, againMs?: number) {
    const photos = join(folder, name, '1');
    await mkdir(photos, { recursive: true });
    for (let i = 0; i < 300; i++) await symlink(join(PHOTOS, 'grey.jpg'), join(photos, `${String(i)}.jpg`));
    const file = join(folder, `${name}.jsonl`);
    await writeFile(file, '');
    const args = ['evaluate', name, '--models', models, '--model', 'd', '--output', file];
    args.push('--protocols', 'center-crop,ten-crop');
    return await new Promise<{ file: string; status: number | null; signal: string | null; stderr: string }>(
      (resolve) => {
        const child = spawn(process.execPath, [MAIN, ...args], {
          cwd: folder,
          stdio: ['ignore', 'ignore', 'pipe'],
        });
        let stderr = '';
        child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
        child.on('close', (status, signal) => {
          resolve({ file, status, signal, stderr });
        });
        let pressed = false;
        const watcher = watch(file, () => {
          void readFile(file, 'utf8').then((text) => {
            if (pressed || text.split('\n').length < 3) return;
            pressed = true;
            watcher.close();
            child.kill('SIGINT');
            if (againMs !== undefined) setTimeout(() => child.kill('SIGINT'), againMs);
          });
        });
      },
    );
  }

  test('Ctrl-C keeps it, and says how to go on', async () => {
    const { file, stderr, ...end } = await interrupted('many');
    expect(stderr).toMatch(/of 300 photos are in .*many.jsonl: .*--resume goes on\nInterrupted\n$/);
    expect(end).toEqual({ status: 130, signal: null });
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    // All rows of every photo that was answered.
    expect(lines.length % 2).toBe(1);
  });

  test('Ctrl-C twice ends it at once, without a word of what it was computing', async () => {
    for (const againMs of [5, 10, 20]) {
      const { status, signal, stderr } = await interrupted(`twice-${String(againMs)}`, againMs);
      // Unless it was quicker.
      if (status !== 130) expect([status, signal, stderr]).toEqual([null, 'SIGINT', '']);
    }
  });

  test('is beside the current folder unless it is named, and is not overwritten unasked', async () => {
    const cwd = join(folder, 'elsewhere');
    await mkdir(cwd);
    const args = ['evaluate', join(folder, 'photos'), '--models', models, '--protocols', 'center-crop'];
    expect(await vgg(args, cwd)).toMatchObject({ status: 0, stderr: '' });
    expect(await readdir(cwd)).toEqual(['photos-evaluation.jsonl']);
    expect(await vgg(args, cwd)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('photos-evaluation.jsonl is there: --resume goes on with it') as string,
    });
    expect(await vgg([...args, '--overwrite'], cwd)).toMatchObject({ status: 0, stderr: '' });
  });
});

test('tables fit 80 columns, with the longest names too', async () => {
  const long = join(folder, 'long');
  const name = 'a-model-with-a-name-of-sixty-four-characters-which-is-the-longest';
  await importWeights(join(packageRoot, 'test/golden/networks/D/weights.safetensors'), {
    ...{ name: name.slice(0, 64), network: 'D', to: long },
  });
  await cp(join(models, 'a'), join(long, 'a'), { recursive: true });
  const { status, stdout } = await vgg([
    ...[
      'evaluate',
      'photos',
      '--models',
      long,
      '--model',
      `a,${name.slice(0, 64)}`,
      '--fuse',
      '--output',
      'long.jsonl',
    ],
    ...['--scales', '224,256,288,320;256', '--train-scales', '256', '--grid', '1', '--per-class-table'],
    ...['--align', '8,64'],
    ...['--protocols', 'center-crop,ten-crop,multi-crop,dense,dense-and-multi-crop', '--markdown', 'long.md'],
  ]);
  expect(status).toBe(0);
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  for (const table of ['Table 3', 'Table 5', 'Table 6', 'McNemar', 'confusions', 'By class'])
    expect(stdout).toContain(table);
  expect(await readFile(join(folder, 'long.md'), 'utf8')).toContain(name.slice(0, 64));
});

describe('what is wrong is one clear line', () => {
  test.each([
    [['none'], 'Expected a folder of photos or a CSV file but received none (DIR)'],
    [['photos', '--model', 'x'], /^Expected a model of a, d in .* but received x/],
    [['photos', '--model', 'd,d'], 'Expected each model once but received d (--model)'],
    [['photos', '--fuse', '--model', 'd'], 'Expected at least two models with --fuse but received 1'],
    [['photos', '--protocols', 'all'], 'but received all (--protocols)'],
    [['photos', '--align', '8,0'], 'Expected a whole number from 1 to 1000000000 but received 0 (--align)'],
    [['photos', '--align', '1,65'], 'Expected align from 1 to 64 but received 65 (align)'],
    [['photos', '--share', 'on'], 'Expected one of auto, off but received on (--share)'],
    [['photos', '--scales', '256;x'], 'Expected a number but received x (--scales[1])'],
    [['photos', '--scales', '100'], 'Expected scales ≥ 224 but received 100 (scales[0])'],
    [['photos', '--train-scales', '256;384'], 'Expected training scales for all models'],
    [['photos', '--ground-truth', 'ILSVRC2012_validation_ground_truth.txt'], '(--ilsvrc-ids)'],
    [['unknown'], 'Expected classes of the model, which lacks cat, dog (--ignore-unknown'],
    [['photos', '--server', 'localhost:1'], 'Expected --models or --server but received both'],
  ])('%j', async (args, message) => {
    const labels = join(folder, 'ILSVRC2012_validation_ground_truth.txt');
    await writeFile(labels, '1\n');
    await mkdir(join(folder, 'unknown'), { recursive: true });
    for (const label of ['cat', 'dog', '1']) {
      await mkdir(join(folder, 'unknown', label), { recursive: true });
      await copyFile(join(PHOTOS, 'grey.jpg'), join(folder, 'unknown', label, 'a.jpg'));
    }
    await copyFile(join(PHOTOS, 'grey.jpg'), join(folder, 'photos', 'ILSVRC2012_val_00000001.JPEG'));
    const { status, stdout, stderr } = await vgg([...['evaluate', ...args], '--models', models]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr.trimEnd()).toEqual(
      typeof message === 'string' ? expect.stringContaining(message) : expect.stringMatching(message),
    );
  });

  test('classes that the model lacks can be left out', async () => {
    const args = ['unknown', '--ignore-unknown', '--protocols', 'center-crop', '--json', '--models', models];
    const { status, stdout } = await vgg(['evaluate', ...args]);
    expect(status).toBe(0);
    expect((JSON.parse(stdout) as Report).dataset).toMatchObject({
      photos: 1,
      ignoredClasses: ['cat', 'dog'],
    });
  });
});
