// What the Dockerfile promises, held against the code: pinned bases, users, entries, variables, and that no package is
// taken out that a service loads.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../../proto/package-root.ts';
import { readConfig as aggregatorConfig } from '../../../services/aggregator/config.ts';
import { readConfig as gatewayConfig } from '../../../services/gateway/config.ts';
import { readConfig as inferenceConfig } from '../../../services/inference/config.ts';
import { readConfig as preprocessConfig } from '../../../services/preprocess/config.ts';
import { lastOf, readStages, variablesOf, wholeOf } from './dockerfile.ts';

const stages = readStages(readFileSync(join(packageRoot, 'infra/images/Dockerfile'), 'utf8'));
const whole = (name: string) => wholeOf(stages, name);

// An image, its service, where its packages come from, and what reads its variables.
const SERVICES = [
  ['preprocess', 'preprocess', 'production-preprocess', preprocessConfig],
  ['aggregator', 'aggregator', 'production-aggregator', aggregatorConfig],
  ['gateway', 'gateway', 'production-gateway', gatewayConfig],
  ['inference-cpu', 'inference', 'production-cpu', inferenceConfig],
  ['inference', 'inference', 'production-gpu', inferenceConfig],
] as const;
const IMAGES = [...SERVICES.map(([image]) => image), 'vgg', 'vgg-cpu'];

test('every base is a stage of this file, or an image by tag and digest', () => {
  const names = ['scratch', ...stages.map(({ name }) => name)];
  for (const { name, from } of stages) {
    if (names.includes(from)) continue;
    expect(from, name).toMatch(/^[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}$/);
    expect(from, name).not.toContain(':latest');
  }
  expect(stages.map(({ name }) => name)).toEqual(expect.arrayContaining([...IMAGES]));
});

describe.each(IMAGES)('image %s', (image) => {
  const instructions = whole(image);

  test('runs as nobody special, by number', () => {
    expect(lastOf(instructions, 'USER')).toBe('1000:1000');
  });

  test('its entry is a list, so that Node gets the signals, and its file is there', () => {
    const entry = JSON.parse(lastOf(instructions, 'ENTRYPOINT') ?? '') as string[];
    expect(entry[0]).toBe('node');
    expect(existsSync(join(packageRoot, entry[1] ?? ''))).toBe(true);
  });

  test('has a check of its health, unless it is a job', () => {
    const check = lastOf(instructions, 'HEALTHCHECK') ?? '';
    if (image.startsWith('vgg')) {
      expect(check).toBe('NONE');
      return;
    }
    const [, command = ''] = / CMD (.*)$/.exec(check) ?? [];
    const service = image.replace('-cpu', '');
    expect((JSON.parse(command) as string[]).slice(0, 4)).toEqual([
      ...['node', 'dist/cli/main.js', 'probe', service],
    ]);
  });

  test('says what it is', () => {
    const labels = instructions.filter(({ word }) => word === 'LABEL').map(({ rest }) => rest);
    for (const name of ['title', 'licenses', 'version', 'revision', 'base.name']) {
      expect(labels.join(' ')).toContain(`org.opencontainers.image.${name}=`);
    }
  });
});

const ignore = readFileSync(join(packageRoot, '.dockerignore'), 'utf8').split('\n');
const allowed = ignore.filter((line) => line.startsWith('!')).map((line) => line.slice(1).replace('/**', ''));
const letIn = (path: string) => allowed.some((each) => path === each || path.startsWith(`${each}/`));

test('what the sources in the context import is in the context', () => {
  const rooms = allowed.filter((each) => statSync(join(packageRoot, each)).isDirectory());
  expect(rooms).toContain('services');
  const imported = rooms.flatMap((room) =>
    readdirSync(join(packageRoot, room), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => {
        const file = join(packageRoot, room, name);
        return ts
          .preProcessFile(readFileSync(file, 'utf8'))
          .importedFiles.filter(({ fileName }) => fileName.startsWith('.'))
          .map(({ fileName }) => relative(packageRoot, resolve(dirname(file), fileName)));
      }),
  );
  expect(imported.length).toBeGreaterThan(1000);
  expect([...new Set(imported.filter((path) => !letIn(path)))]).toEqual([]);
});

test('what is copied from the repository is there, and is let into the context', () => {
  expect(ignore).toContain('*');
  for (const entry of allowed) expect(existsSync(join(packageRoot, entry)), entry).toBe(true);
  const copied = stages.flatMap(({ instructions }) =>
    instructions
      .filter(({ word, rest }) => word === 'COPY' && !rest.startsWith('--from='))
      .flatMap(({ rest }) => rest.split(' ').slice(0, -1)),
  );
  expect(copied.length).toBeGreaterThan(5);
  for (const source of copied.filter((each) => each !== '.')) {
    expect(existsSync(join(packageRoot, source)), source).toBe(true);
    expect(letIn(source), source).toBe(true);
  }
});

describe.each(SERVICES)('image %s, of %s', (image, service, packages, readConfig) => {
  const instructions = whole(image);
  const env = variablesOf(instructions);

  test('the variables that it sets are the service’s, and right', () => {
    const own = Object.keys(env).filter((name) => name.startsWith('VGG_'));
    const config = readConfig(env);
    // Whatever is set differs from the default, or would be noise.
    const plain = readConfig({});
    const changed = Object.entries(config).filter(
      ([name, value]) => String(value) !== String(plain[name as keyof typeof plain]),
    );
    expect(changed).toHaveLength(own.length);
    expect(config.host).toBe('0.0.0.0');
  });

  test('its ports are the service’s', () => {
    const { port, metricsPort } = readConfig(env) as { port: number; metricsPort?: number };
    const ports = [port, metricsPort].filter((each) => each !== undefined);
    expect(lastOf(instructions, 'EXPOSE')).toBe(ports.join(' '));
  });

  test('the packages that it loads are left in it', () => {
    const copied = instructions.filter(({ word }) => word === 'COPY').map(({ rest }) => rest);
    expect(copied).toContain(`--from=${packages} /app/node_modules node_modules`);
    const kept = keptIn(packages);
    const loaded = loadedBy(service, [`dist/services/${service}/main.js`, 'dist/cli/probe.js']);
    expect(loaded.size).toBeGreaterThan(5);
    expect([...loaded].filter((name) => !kept.has(name))).toEqual([]);
  });
});

// Production's packages, less those that the stage and its parents take out.
function keptIn(stage: string): Set<string> {
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(packageRoot, 'package.json'), 'utf8'),
  ) as Record<string, Record<string, string>>;
  const kept = new Set(Object.keys({ ...dependencies, ...optionalDependencies }));
  for (const { rest } of whole(stage)) {
    for (const [, name = ''] of rest.matchAll(/(?:dependencies|optionalDependencies)\.([@\w/.-]+)/gi)) {
      expect(kept.delete(name), `${name} is taken out but is no dependency`).toBe(true);
    }
  }
  return kept;
}

// Packages that are loaded from a file on, by imports and by worker threads. The probe loads the config of the service
// that it is told of, so those of others do not count; TensorFlow is loaded only if it is asked for.
function loadedBy(service: string, entries: readonly string[]): Set<string> {
  const another = new RegExp(`/dist/services/(?!host/|${service}/)`);
  const found = new Set<string>();
  const seen = new Set<string>();
  const next = entries.map((entry) => join(packageRoot, entry));
  for (let file = next.pop(); file !== undefined; file = next.pop()) {
    if (seen.has(file) || another.test(file)) continue;
    seen.add(file);
    const text = readFileSync(file, 'utf8');
    const imports = ts.preProcessFile(text).importedFiles.map(({ fileName }) => fileName);
    const workers = [...text.matchAll(/new URL\('(\.[^']+\.js)', import\.meta\.url\)/g)].map(
      ([, name = '']) => name,
    );
    for (const name of [...imports, ...workers]) {
      if (name.startsWith('.')) next.push(resolve(dirname(file), name));
      else if (!name.startsWith('node:')) found.add(packageOf(name));
    }
  }
  expect([...seen].map((file) => relative(packageRoot, file)).every((file) => file.startsWith('dist/'))).toBe(
    true,
  );
  found.delete('@tensorflow/tfjs-node-gpu');
  return found;
}

function packageOf(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}
