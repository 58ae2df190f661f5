// Variables: right ones become values, wrong ones are named.

import { describe, expect, test } from 'vitest';
import { describeEnv, envName, readEnv } from '../../services/host/env.ts';
import { hostDefaults, hostVariables } from '../../services/host/host-variables.ts';
import { bytes, choice, duration, flag, integer, list, path, text } from '../../services/host/variables.ts';

const spec = {
  ...hostVariables({ port: 50_051 }),
  engine: choice({ description: 'Engine.', default: 'auto', of: ['auto', 'onnx'], shared: true }),
  queueSize: integer({ description: 'Queue.', default: 10, min: 1, max: 100 }),
  wait: duration({ description: 'Wait.', default: 1500, max: 60_000 }),
  photo: bytes({ description: 'Photo.', default: 20 * 1024 ** 2, min: 1, max: 1024 ** 3 }),
  verify: flag({ description: 'Verify.', default: true }),
  folder: path({ description: 'Folder.', default: undefined }),
  names: list({ description: 'Names.', default: [], matches: /^\w+$/ }),
  token: text({ description: 'Token.', default: '', matches: /^\S*$/, expects: 'text without spaces' }),
};
const read = (env: Record<string, string>) => readEnv(env, 'preprocess', spec);

test('what is not set, or empty, has its default', () => {
  expect(read({ VGG_PREPROCESS_QUEUE_SIZE: '', PATH: '/bin' })).toMatchObject({
    host: '127.0.0.1',
    port: 50_051,
    metricsPort: undefined,
    queueSize: 10,
    wait: 1500,
    verify: true,
    folder: undefined,
    names: [],
  });
});

test('each kind is read', () => {
  const values = read({
    VGG_PREPROCESS_QUEUE_SIZE: '7',
    VGG_PREPROCESS_WAIT: '1.5s',
    VGG_PREPROCESS_PHOTO: '64KiB',
    VGG_PREPROCESS_VERIFY: 'false',
    VGG_PREPROCESS_FOLDER: '/models',
    VGG_PREPROCESS_NAMES: 'a, b,',
    VGG_ENGINE: 'onnx',
  });
  expect(values).toMatchObject({
    queueSize: 7,
    wait: 1500,
    photo: 65_536,
    verify: false,
    folder: '/models',
    names: ['a', 'b'],
    engine: 'onnx',
  });
});

test("a service's own value wins over the project's", () => {
  expect(read({ VGG_LOG_LEVEL: 'warn' }).logLevel).toBe('warn');
  expect(read({ VGG_LOG_LEVEL: 'warn', VGG_PREPROCESS_LOG_LEVEL: 'debug' }).logLevel).toBe('debug');
});

test.each([
  ['VGG_PREPROCESS_QUEUE_SIZE', '0', 'a whole number from 1 to 100'],
  ['VGG_PREPROCESS_QUEUE_SIZE', '1e1', 'a whole number from 1 to 100'],
  ['VGG_PREPROCESS_QUEUE_SIZE', 'ten', 'a whole number from 1 to 100'],
  ['VGG_PREPROCESS_WAIT', '5', 'a duration from 0ms to 1m, such as 500ms, 60s or 5m'],
  ['VGG_PREPROCESS_WAIT', '61s', 'a duration from 0ms to 1m, such as 500ms, 60s or 5m'],
  ['VGG_PREPROCESS_PHOTO', '20MB', 'a size from 1 to 1GiB, such as 20MiB'],
  ['VGG_PREPROCESS_VERIFY', 'yes', 'true or false'],
  ['VGG_PREPROCESS_NAMES', 'a,b c', 'values between commas'],
  ['VGG_PREPROCESS_TOKEN', 'a b', 'text without spaces'],
  ['VGG_ENGINE', 'cuda', 'one of auto, onnx'],
])('%s=%s is refused', (name, value, expects) => {
  expect(() => read({ [name]: value })).toThrow(`Expected ${expects} but received ${value} (${name})`);
});

describe('unknown names', () => {
  test.each([
    ['VGG_PREPROCESS_QUEUESIZE', 'VGG_PREPROCESS_QUEUE_SIZE'],
    ['VGG_PREPROCESS_PROT', 'VGG_PREPROCESS_PORT'],
    ['VGG_LOGLEVEL', 'VGG_LOG_LEVEL'],
    ['VGG_ENGIN', 'VGG_ENGINE'],
  ])('%s stops the start and names %s', (name, nearest) => {
    expect(() => read({ [name]: '1' })).toThrow(`Unknown variable ${name}; did you mean ${nearest}?`);
  });

  test('of other services and other tools are not judged', () => {
    expect(() => read({ VGG_GATEWAY_ANYTHING: '1', VGG_TRAINER_SEED: '2', OTHER: '3' })).not.toThrow();
  });

  test('all problems are told at once', () => {
    const both = { VGG_PREPROCESS_PROT: '1', VGG_PREPROCESS_WAIT: 'x' };
    expect(() => read(both)).toThrow(/PROT.*; Expected a duration.*WAIT/);
  });
});

test('the manual has each variable with its default', () => {
  const lines = describeEnv('preprocess', spec);
  expect(lines).toContainEqual({
    name: 'VGG_PREPROCESS_PORT',
    expects: 'a whole number from 0 to 65535',
    default: '50051',
    description: 'Port to listen at; 0 takes any free one.',
  });
  const defaults = Object.fromEntries(lines.map((line) => [line.name, line.default]));
  expect(defaults).toMatchObject({
    VGG_LOG_LEVEL: 'info',
    VGG_PREPROCESS_METRICS_PORT: '—',
    VGG_PREPROCESS_WAIT: '1500ms',
    VGG_PREPROCESS_DRAIN: '30s',
    VGG_PREPROCESS_PHOTO: '20MiB',
  });
  expect(lines.every(({ description }) => description.endsWith('.'))).toBe(true);
});

test('every default could be set by hand', () => {
  const lines = describeEnv('preprocess', spec).filter((line) => line.default !== '—' && line.default !== '');
  const env = Object.fromEntries(lines.map((line) => [line.name, line.default]));
  expect(read(env)).toEqual(read({}));
});

test('the host has defaults without an environment', () => {
  expect(hostDefaults({ drain: 5 })).toMatchObject({
    port: 0,
    drain: 5,
    deadline: 60_000,
    maxMessage: 67_108_864,
  });
});

test('names are for those who set them', () => {
  expect(envName('preprocess', spec, 'queueSize')).toBe('VGG_PREPROCESS_QUEUE_SIZE');
  expect(envName('preprocess', spec, 'engine')).toBe('VGG_ENGINE');
  expect(() => envName('preprocess', spec, 'none')).toThrow('none');
});
