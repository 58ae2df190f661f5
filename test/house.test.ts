// Who may import whom, and how large a file may be: the house holds itself to its rules.

import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../proto/package-root.ts';

const ROOMS = ['proto', 'vgg', 'services', 'sdk', 'cli', 'models', 'drawing', 'loadtest', 'infra'];
const SERVICES = ['preprocess', 'inference', 'aggregator', 'gateway'];

// Runs in browsers: of this project it may have what is pure, and the SDK's types.
const PAGE = 'services/gateway/page';

// Path prefixes that each room may import from, beside itself.
const ALLOWED: Record<string, string[]> = {
  vgg: [],
  proto: ['vgg/errors.ts', 'vgg/views/evaluation.ts'],
  // How anything is shown, whatever it is.
  drawing: [],
  models: ['vgg/', 'proto/package-root.ts'],
  sdk: ['proto/', 'vgg/errors.ts', 'vgg/views/evaluation.ts'],
  'services/host': ['proto/', 'vgg/errors.ts'],
  'services/preprocess': ['vgg/', 'services/host/', 'proto/', 'sdk/'],
  'services/inference': ['vgg/', 'services/host/', 'proto/', 'sdk/', 'models/'],
  'services/aggregator': ['vgg/', 'services/host/', 'proto/', 'sdk/'],
  // Its photos are decoded and rescaled by the code that prepares those of requests.
  'services/trainer': [
    'vgg/',
    'drawing/',
    'services/host/',
    'proto/',
    'models/',
    'services/preprocess/loaders.ts',
    'services/preprocess/prepare.ts',
    'services/preprocess/planes.ts',
    'services/preprocess/resample.ts',
  ],
  'services/gateway': ['vgg/', 'services/host/', 'proto/', 'sdk/'],
  [PAGE]: ['vgg/'],
  // Asks through the SDK, reads metrics by their names, and simulates with the code that serves.
  loadtest: [
    'vgg/',
    'drawing/',
    'sdk/',
    'proto/package-root.ts',
    'infra/scaling.ts',
    'infra/scaling/',
    'infra/prices.ts',
    'services/host/metrics.ts',
    // What the simulation puts into virtual time: pure, without sockets and libraries.
    'services/inference/batcher.ts',
    'services/inference/worker/plan.ts',
    'services/inference/worker/batch-limit.ts',
    'services/preprocess/slots.ts',
    'services/aggregator/absence.ts',
    'services/aggregator/retries.ts',
    'services/gateway/retries.ts',
    // And its bounds: the services' variables, and what a deployment sets.
    'services/host/env.ts',
    'infra/settings.ts',
    ...SERVICES.flatMap((name) => [`services/${name}/config.ts`, `services/${name}/metrics.ts`]),
  ],
  // Deploys services by the names that they have for their variables and metrics.
  infra: [
    'vgg/',
    'drawing/',
    'models/store.ts',
    'sdk/',
    'proto/package-root.ts',
    'services/host/',
    ...SERVICES.flatMap((name) => [`services/${name}/config.ts`, `services/${name}/metrics.ts`]),
  ],
  // The CLI starts services; how they work is theirs.
  cli: [
    'vgg/',
    'drawing/',
    'sdk/',
    'models/',
    'loadtest/',
    'infra/bulk/',
    'infra/scaling.ts',
    'infra/prices.ts',
    'proto/package-root.ts',
    'services/host/',
    ...SERVICES.flatMap((name) => [`services/${name}/main.ts`, `services/${name}/config.ts`]),
    'services/inference/engines.ts',
    ...['main.ts', 'config.ts', 'recipe.ts'].map((file) => `services/trainer/${file}`),
  ],
};

const files = ROOMS.flatMap((room) =>
  readdirSync(join(packageRoot, room), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file))
    .map((file) => join(room, file)),
).filter((file) => !file.startsWith('proto/generated/'));

function roomOf(file: string): string {
  if (file.startsWith(`${PAGE}/`)) return PAGE;
  const [first = '', second = ''] = file.split('/');
  return first === 'services' ? `${first}/${second}` : first;
}

function importsOf(file: string): string[] {
  const source = readFileSync(join(packageRoot, file), 'utf8');
  return ts.preProcessFile(source).importedFiles.map(({ fileName }) => fileName);
}

// What a file imports only types of.
function typesOf(file: string): string[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(join(packageRoot, file), 'utf8'),
    ts.ScriptTarget.Latest,
  );
  return source.statements
    .filter((each) => ts.isImportDeclaration(each))
    .filter(({ importClause }) => importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword)
    .map(({ moduleSpecifier }) => (moduleSpecifier as ts.StringLiteral).text);
}

describe('imports', () => {
  test.each(files)('%s', (file) => {
    const room = roomOf(file);
    const allowed = ALLOWED[room];
    expect(allowed, `a room that the table does not know: ${room}`).toBeDefined();
    for (const name of importsOf(file)) {
      if (!name.startsWith('.')) {
        if (room === 'vgg') expect.unreachable(`vgg is pure, but ${file} imports ${name}`);
        if (room === PAGE) expect(name, `${file} runs in browsers`).toMatch(/^preact(\/|$)/);
        continue;
      }
      const target = relative('.', normalize(join(dirname(file), name)));
      if (room === PAGE && target.startsWith('sdk/')) {
        expect(typesOf(file), `${file} may import types of ${target} only`).toContain(name);
        continue;
      }
      if (room === 'services/gateway') expect(roomOf(target), `${file} runs in Node.js`).not.toBe(PAGE);
      const inside = target.startsWith(`${room}/`) || target === `${room}.ts`;
      const fits = inside || allowed?.some((prefix) => target.startsWith(prefix));
      expect(fits, `${file} may not import ${target}`).toBe(true);
    }
  });
});

test('the four services have the same four files', () => {
  for (const service of SERVICES) {
    const names = readdirSync(join(packageRoot, 'services', service));
    expect(names).toEqual(expect.arrayContaining(['main.ts', 'config.ts', 'service.ts', 'metrics.ts']));
  }
});

describe('files', () => {
  const lines = (file: string) => readFileSync(join(packageRoot, file), 'utf8').split('\n').length;

  test('none is longer than 500 lines', () => {
    expect(files.filter((file) => lines(file) > 500)).toEqual([]);
  });

  test('each opens with what it knows', () => {
    const silent = files.filter(
      (file) => !/^(#!.*\n)?(\/\/|\/\*)/.test(readFileSync(join(packageRoot, file), 'utf8')),
    );
    expect(silent).toEqual([]);
  });

  test('only config.ts and env.ts read the environment', () => {
    const readers = files.filter(
      (file) =>
        /process\.env/.test(readFileSync(join(packageRoot, file), 'utf8')) &&
        !/(config|env|main)\.ts$/.test(file) &&
        !file.startsWith('cli/') &&
        !file.startsWith('sdk/examples/'),
    );
    expect(readers).toEqual([]);
  });
});
