// The vgg command as its users run it: a process, its output, its exit status.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configurationPage } from '../../cli/config.ts';
import { startStack } from '../../cli/stack.ts';
import { packageRoot } from '../../proto/package-root.ts';
import type { AnswerJson } from '../../sdk/index.ts';
import { serveFakes } from '../sdk/fake-services.ts';

const PHOTO = join(packageRoot, 'test/golden/photo.png');
const WEIGHTS = join(packageRoot, 'test/golden/networks/D/weights.safetensors');
const MAIN = join(packageRoot, 'dist/cli/main.js');

interface Outcome {
  status: number;
  stdout: string;
  stderr: string;
}

function vgg(args: string[], options: { cwd?: string; signal?: AbortSignal } = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [MAIN, ...args],
      { ...options, maxBuffer: 1 << 28 },
      (error, stdout, stderr) => {
        resolve({ status: error ? Number(error.code ?? 1) : 0, stdout, stderr });
      },
    );
  });
}

let folder: string;
let models: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vgg-cli-'));
  models = join(folder, 'models');
  const imported = await vgg(['models', 'import', WEIGHTS, '--name', 'd', '--to', models]);
  expect(imported).toMatchObject({ status: 0, stdout: `${join(models, 'd')}\n` });
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('classify', () => {
  test('--json prints one object a line and photo', async () => {
    const { status, stdout, stderr } = await vgg([
      'classify',
      PHOTO,
      PHOTO,
      '--json',
      '--top',
      '2',
      '--protocol',
      'ten-crop',
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as AnswerJson);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toEqual({
      photo: PHOTO,
      model: 'caltech-101-d',
      network: 'D',
      protocol: 'TEN_CROP',
      scales: [72, 92, 112],
      views: 30,
      engine: 'onnx',
      predictions: [
        {
          label: expect.any(String) as string,
          classIndex: expect.any(Number) as number,
          score: expect.any(Number) as number,
        },
        {
          label: expect.any(String) as string,
          classIndex: expect.any(Number) as number,
          score: expect.any(Number) as number,
        },
      ],
      timing: {
        prepareMs: expect.any(Number) as number,
        queueMs: expect.any(Number) as number,
        computeMs: expect.any(Number) as number,
        totalMs: expect.any(Number) as number,
      },
    });
  });

  test('--posterior, --views and --score-maps add what they say', async () => {
    const { stdout } = await vgg([
      ...['classify', PHOTO, '--models', models, '--model', 'd', '--protocol', 'dense', '--scales', '256'],
      ...['--json', '--posterior', '--views', '--score-maps'],
    ]);
    const { posterior, viewScores } = JSON.parse(stdout) as AnswerJson;
    expect(posterior?.reduce((a, b) => a + b)).toBeCloseTo(1, 6);
    expect(viewScores).toHaveLength(2);
    expect(viewScores?.[1]).toMatchObject({
      model: 'd',
      ...{ index: 1, plane: 0, scale: 256, x: 0, y: 0, width: 320, height: 256, mirrored: true, weight: 0.5 },
      scoreMap: { shape: [2, 4, 10] },
    });
    expect(viewScores?.[1]?.scoreMap?.values).toHaveLength(80);
  });

  test('one photo that cannot be answered does not stop the others, but the status is 1', async () => {
    const text = join(folder, 'text.jpg');
    await writeFile(text, 'no image');
    const missing = join(folder, 'missing.jpg');
    const { status, stdout, stderr } = await vgg([
      'classify',
      text,
      missing,
      PHOTO,
      '--json',
      '--protocol',
      'center-crop',
    ]);
    expect(status).toBe(1);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr.trimEnd().split('\n')).toEqual([
      `${text}: Expected a JPEG, PNG, WebP, AVIF, TIFF or GIF image but received text (photo)`,
      `${missing}: Expected a readable file but received ${missing} (photo)`,
    ]);
  });

  test.each([
    [['--scales', '256,NaN'], 'Expected a number but received NaN (--scales[1])'],
    [['--scales', '32'], `${PHOTO}: Expected scales ≥ 64 but received 32 (scales[0])`],
    [
      ['--protocol', 'all'],
      'Expected one of center-crop, ten-crop, multi-crop, dense, dense-and-multi-crop, googlenet-144 but received all (--protocol)',
    ],
    [['--grid', '17'], `${PHOTO}: Expected a whole number from 1 to 16 but received 17 (grid)`],
    [['--stop', 'early'], 'Expected one of none, exact but received early (--stop)'],
    [['--share', 'on'], 'Expected one of auto, off but received on (--share)'],
    [['--top', '0'], 'Expected a whole number from 1 to 1000000 but received 0 (--top)'],
    [['--model', 'none'], 'Expected a model of caltech-101-d but received none (model)'],
    [['--server', 'nowhere'], 'Expected HOST:PORT'],
  ])('%j is one clear line, status 1', async (flags, message) => {
    const { status, stdout, stderr } = await vgg(['classify', PHOTO, ...flags]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  test('--share and --stop are asked for as they are said', async () => {
    const asked: unknown[] = [];
    const server = await serveFakes({
      aggregator: {
        Classify({ evaluation }) {
          asked.push([evaluation?.share, evaluation?.stop]);
          return { answer: {} };
        },
      },
    });
    try {
      for (const flags of [[], ['--share', 'auto', '--stop', 'none'], ['--share', 'off', '--stop', 'exact']])
        expect(await vgg(['classify', PHOTO, '--server', server.address, ...flags])).toMatchObject({
          status: 0,
        });
    } finally {
      await server.close();
    }
    expect(asked).toEqual([
      ['SHARE_UNSPECIFIED', 'STOP_UNSPECIFIED'],
      ['SHARE_AUTO', 'STOP_NONE'],
      ['SHARE_OFF', 'STOP_EXACT'],
    ]);
  });

  test('--stop exact says how many views it took, for people and as JSON', async () => {
    const args = ['classify', PHOTO, '--stop', 'exact', '--top', '1'];
    const [told, json] = await Promise.all([vgg(args), vgg([...args, '--json'])]);
    expect(told.stdout).toMatch(/multi-crop at 72, 92, 112: \d+ of 150 views in [\d.]+ s\n$/);
    const { views, viewsTotal, predictions } = JSON.parse(json.stdout) as AnswerJson;
    expect(viewsTotal).toBe(150);
    expect(views).toBeLessThan(150);
    expect(told.stdout).toContain(predictions[0]?.label ?? 'a label');
  });

  test('--server asks an aggregator, and gives the same answer', async () => {
    const stack = await startStack({ models, logLevel: 'silent' });
    try {
      // To the bit, as long as neither process finds that sharing pays and the other does not.
      const how = ['--protocol', 'ten-crop', '--scales', '256', '--share', 'off'];
      const args = ['classify', PHOTO, '--json', '--posterior', ...how];
      const [asked, own] = await Promise.all([
        vgg([...args, '--server', stack.aggregator.address]),
        vgg([...args, '--models', models]),
      ]);
      const [a, b] = [asked, own].map(({ stdout }) => JSON.parse(stdout) as AnswerJson);
      expect({ ...a, timing: undefined }).toEqual({ ...b, timing: undefined });
    } finally {
      await stack.close();
    }
  });
});

describe('prepare', () => {
  test('writes each plane, the views and a contact sheet', async () => {
    const out = join(folder, 'views');
    const sheet = join(folder, 'sheet.png');
    const flags = [
      '--models',
      models,
      '--protocol',
      'ten-crop',
      '--scales',
      '256,300',
      '--out',
      out,
      '--sheet',
      sheet,
    ];
    expect(await vgg(['prepare', PHOTO, ...flags])).toMatchObject({ status: 0, stderr: '' });
    expect((await readdir(out)).sort()).toEqual(['256.png', '300.png', 'views.json']);
    const plane = await sharp(join(out, '256.png')).raw().toBuffer();
    expect(plane.equals(await sharp(PHOTO).removeAlpha().raw().toBuffer())).toBe(true);
    const { views, planes } = JSON.parse(await readFile(join(out, 'views.json'), 'utf8')) as {
      views: object[];
      planes: object[];
    };
    expect(views).toHaveLength(20);
    expect(planes[1]).toEqual({ file: '300.png', index: 1, scale: 300, width: 375, height: 300 });
    expect((await sharp(sheet).metadata()).width).toBeGreaterThan(900);
  });
});

describe('models', () => {
  test('list and show', async () => {
    const list = await vgg(['models', 'list', '--models', models, '--installed']);
    expect(list.stdout.split('\n')).toHaveLength(3);
    expect(list.stdout).toMatch(/^d +D +0\.0625 +10 +224 +163,054/m);
    const show = await vgg(['models', 'show', 'd', '--models', models]);
    expect(show.stdout).toContain('network D: 16 weight layers, 163,054 parameters');
    expect(await vgg(['models', 'show', 'e', '--models', models])).toMatchObject({
      status: 1,
      stderr: `Expected a model of d in ${models} but received e (model)\n`,
    });
  });

  test('describe gives the paper’s numbers', async () => {
    const { stdout } = await vgg(['models', 'describe', 'vgg16']);
    expect(stdout).toContain('network D: 16 weight layers, 138,357,544 parameters, 15.470 GMAC');
    expect(stdout).toMatch(/^fc6 +conv 7×7 +1×1×4096 +404 +32 +102,764,544/m);
  });

  test('describe shows what the views of a photo share', async () => {
    const asked = ['models', 'describe', 'D', '--photo', '640x480', '--align', '8'];
    const { stdout } = await vgg(asked);
    // By hand: of 256 rows 254 are clean in some crop, and 5 crops have 2 edges: 264; 334 and 10 columns, both flips.
    expect(stdout).toMatch(/^conv1_1 +2,508,800 +181,632 +264×688 +13,248 +4\.34 +1\.08 +0\.09 +47\.34×$/m);
    expect(stdout).toMatch(/^all +150 +2320\.54 +609\.97 +301\.13 +7\.71×$/m);
    const json = await vgg([...asked, '--protocol', 'dense-and-multi-crop', '--scales', '256', '--json']);
    const described = JSON.parse(json.stdout) as { planes: { steps: { layers: string[] }[] }[] };
    expect(described).toMatchObject({
      photo: { width: 640, height: 480 },
      evaluation: { protocol: 'DENSE_AND_MULTI_CROP', scales: [256], grid: 5, align: 8 },
      planes: [{ plane: { width: 341, height: 256 }, views: 52 }],
    });
    expect(described.planes[0]?.steps.map(({ layers }) => layers)[1]).toEqual(['conv1_2', 'pool1']);
    expect(await vgg([...asked, '--size', '224x224'])).toMatchObject({ status: 1, stdout: '' });
  });

  test('import says what is wrong in one line', async () => {
    expect(await vgg(['models', 'import', PHOTO, '--name', 'x', '--to', models])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(
        /^Expected weights of PyTorch .* but received a file that begins with 0x89504e47.*\n$/,
      ) as string,
    });
    expect(await readdir(models)).toEqual(['d']);
  });
});

test('doctor finds nothing bad here', async () => {
  const { status, stdout } = await vgg(['doctor', '--json']);
  const findings = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { what: string; state: string });
  expect(findings.filter(({ state }) => state === 'bad')).toEqual([]);
  expect(status).toBe(0);
  expect(findings.map(({ what }) => what)).toEqual(
    expect.arrayContaining(['Node', 'engine onnx', 'model caltech-101-d']),
  );
});

test('docs/configuration.md is what the services declare', async () => {
  const page = await readFile(join(packageRoot, 'docs/configuration.md'), 'utf8');
  expect(page).toBe(`${configurationPage()}\n`);
});

test('--help of every command', async () => {
  for (const command of [[], ['classify'], ['prepare'], ['serve'], ['models'], ['config'], ['doctor']]) {
    const { status, stdout } = await vgg([...command, '--help']);
    expect(status).toBe(0);
    expect(stdout).toContain(`Usage: vgg ${command.join(' ')}`.trimEnd());
  }
});
