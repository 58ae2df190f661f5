// What the page makes without a browser: events out of pieces, addresses, the same question in other languages, and
// how much there is to download.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../../proto/package-root.ts';
import { readQuery } from '../../../services/gateway/query.ts';
import { EventReader } from '../../../services/gateway/page/event-stream.ts';
import {
  DEFAULTS,
  hashOf,
  queryOf,
  settingsOf,
  type Settings,
} from '../../../services/gateway/page/settings.ts';
import { cli, curl, python, typescript, type Question } from '../../../services/gateway/page/snippets.ts';
import { PROTOCOLS } from '../../../vgg/views.ts';

const BUDGET = 100_000;

test('code, style and document are at most 100 kB compressed', () => {
  const folder = join(packageRoot, 'dist/services/gateway/page');
  const assets = readdirSync(join(folder, 'assets')).filter((file) => !file.endsWith('.jpg'));
  const files = ['index.html', ...assets.map((file) => `assets/${file}`)];
  expect(files.map((file) => file.replace(/-[A-Z0-9]{8}\./, '.')).sort()).toEqual([
    'assets/page.css',
    'assets/page.js',
    'index.html',
  ]);
  const sizes = files.map((file) => gzipSync(readFileSync(join(folder, file))).length);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(BUDGET);
});

test('example photos are at most 60 kB each', () => {
  const folder = join(packageRoot, 'services/gateway/page/photos');
  const photos = readdirSync(folder).filter((file) => file.endsWith('.jpg'));
  expect(photos.length).toBeGreaterThan(1);
  for (const photo of photos) expect(readFileSync(join(folder, photo)).length, photo).toBeLessThan(60_000);
});

describe('events', () => {
  const TEXT =
    'event: answer\ndata: {"a":1}\n\n: alive\n\nevent: done\r\ndata: x\r\ndata:y\r\n\r\ndata: last\n\n';
  const EVENTS = [
    { name: 'answer', data: '{"a":1}' },
    { name: 'done', data: 'x\ny' },
    { name: 'message', data: 'last' },
  ];

  test('are the same in whatever pieces they come', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: TEXT.length }), { maxLength: 12 }), (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), TEXT.length];
        const reader = new EventReader();
        const read = places.slice(1).flatMap((end, i) => reader.read(TEXT.slice(places[i], end)));
        expect(read).toEqual(EVENTS);
      }),
    );
  });

  test('that are not whole do not count', () => {
    expect(new EventReader().read('event: done\ndata: {"a":1}\n')).toEqual([]);
  });
});

const anySettings: fc.Arbitrary<Settings> = fc.record({
  protocols: fc
    .uniqueArray(fc.constantFrom(...PROTOCOLS), { minLength: 1, maxLength: 2 })
    .map((names) => names as unknown as Settings['protocols']),
  scales: fc.constantFrom('', '256', '256,384'),
  grid: fc.option(fc.integer({ min: 1, max: 16 }), { nil: undefined }),
  align: fc.option(fc.integer({ min: 1, max: 64 }), { nil: undefined }),
  exact: fc.boolean(),
  models: fc.uniqueArray(fc.constantFrom('d', 'e', 'a b&c'), { maxLength: 2 }),
  top: fc.integer({ min: 1, max: 20 }),
});

describe('settings', () => {
  test('come back from their address', () => {
    fc.assert(
      fc.property(anySettings, (settings) => {
        expect(settingsOf(hashOf(settings))).toEqual(settings);
      }),
    );
    expect(hashOf(DEFAULTS)).toBe('');
  });

  test('an address that is none is the defaults', () => {
    expect(settingsOf('protocol=best&grid=x&top=-3&compare=none')).toEqual({ ...DEFAULTS, top: 5 });
  });

  test('are a query that the gateway reads', () => {
    fc.assert(
      fc.property(anySettings, (settings) => {
        const query: Record<string, string[]> = {};
        for (const [name, value] of queryOf(settings, settings.protocols[0]))
          (query[name] ??= []).push(value);
        const { models, evaluation, top } = readQuery(query);
        expect({ models, protocol: evaluation.protocol, top: top ?? DEFAULTS.top }).toEqual({
          models: settings.models,
          protocol: settings.protocols[0],
          top: settings.top,
        });
        expect(evaluation.stop).toBe(settings.exact ? 'EXACT' : undefined);
      }),
    );
  });
});

describe('elsewhere', () => {
  const question: Question = {
    settings: { ...DEFAULTS, scales: '72, 92', grid: 3, align: 1, exact: true, models: ['d', 'e'], top: 3 },
    protocol: 'MULTI_CROP',
    photo: { name: "my dog's photo.png", type: 'image/png' },
    origin: 'http://localhost:8080',
    keyed: true,
  };

  test('curl', () => {
    expect(curl(question)).toBe(
      `curl \\
  -H "Authorization: Bearer $VGG_API_KEY" \\
  -H 'Content-Type: image/png' \\
  --data-binary '@my dog'\\''s photo.png' \\
  'http://localhost:8080/v1/classify?model=d&model=e&protocol=multi-crop&scales=72,92&grid=3&align=1&stop=exact&top=3'`,
    );
  });

  test('vgg', () => {
    expect(cli(question)).toBe(
      `vgg classify 'my dog'\\''s photo.png' \\
  --server localhost:50051 \\
  --model d \\
  --model e \\
  --protocol multi-crop \\
  --scales 72,92 \\
  --grid 3 \\
  --align 1 \\
  --stop exact \\
  --top 3`,
    );
  });

  test('TypeScript is what the SDK takes', () => {
    const name = join(packageRoot, 'test/gateway/page/snippet.ts');
    const text = typescript(question).replace("'vgg-serve'", "'../../../sdk/index.ts'");
    const { options } = ts.parseJsonConfigFileContent(
      ts.readConfigFile(join(packageRoot, 'tsconfig.json'), (path) => ts.sys.readFile(path)).config,
      ts.sys,
      packageRoot,
    );
    const host = ts.createCompilerHost(options);
    const real = host.getSourceFile.bind(host);
    host.getSourceFile = (file, ...rest) =>
      file === name ? ts.createSourceFile(file, text, ts.ScriptTarget.Latest) : real(file, ...rest);
    const lib = ['lib.es2023.d.ts', 'lib.dom.d.ts'];
    const checked = { ...options, incremental: false, lib, noEmit: true };
    const program = ts.createProgram([name], checked, host);
    const found = ts.getPreEmitDiagnostics(program, program.getSourceFile(name));
    expect(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([]);
  });

  test('Python', () => {
    expect(python(question)).toBe(`import os

import requests

with open("my dog's photo.png", "rb") as photo:
    response = requests.post(
        "http://localhost:8080/v1/classify",
        params={
            "model": ["d","e"],
            "protocol": "multi-crop",
            "scales": "72,92",
            "grid": "3",
            "align": "1",
            "stop": "exact",
            "top": "3",
        },
        headers={"Content-Type": "image/png", "Authorization": f"Bearer {os.environ['VGG_API_KEY']}"},
        data=photo,
    )
response.raise_for_status()
for prediction in response.json()["predictions"]:
    print(f"{prediction['score']:.3f}  {prediction['label']}")`);
  });
});
