// The service's variables: defaults, names, and what stops the start.

import { expect, test } from 'vitest';
import { describeEnv } from '../../services/host/env.ts';
import { limitsOf, preprocessVariables, readConfig } from '../../services/preprocess/config.ts';
import { DEFAULT_LIMITS } from '../../services/preprocess/limits.ts';

test('the limits have their defaults', () => {
  expect(limitsOf(readConfig({}))).toEqual(DEFAULT_LIMITS);
});

test('every limit has a variable', () => {
  const config = readConfig({
    VGG_PREPROCESS_MAX_PHOTO: '1MiB',
    VGG_PREPROCESS_MAX_MEGAPIXELS: '2',
    VGG_PREPROCESS_MAX_SIDE: '3000',
    VGG_PREPROCESS_MAX_PLANE_MEGAPIXELS: '4',
    VGG_PREPROCESS_MAX_VIEWS: '5',
    VGG_PREPROCESS_STEP_TIME: '6s',
    VGG_PREPROCESS_DECODES: '7',
    VGG_PREPROCESS_QUEUE: '8',
  });
  expect(limitsOf(config)).toEqual({
    photoBytes: 1024 * 1024,
    photoMegapixels: 2,
    side: 3000,
    planeMegapixels: 4,
    views: 5,
    stepSeconds: 6,
  });
  expect([config.decodes, config.queue]).toEqual([7, 8]);
});

test.each([
  [{ VGG_PREPROCESS_QUEU: '1' }, 'Unknown variable VGG_PREPROCESS_QUEU; did you mean VGG_PREPROCESS_QUEUE?'],
  [
    { VGG_PREPROCESS_DECODES: '0' },
    'Expected a whole number from 1 to 1024 but received 0 (VGG_PREPROCESS_DECODES)',
  ],
])('%o stops the start', (env, message) => {
  expect(() => readConfig(env)).toThrow(message);
});

test('every variable is described', () => {
  for (const { name, description, expects } of describeEnv('preprocess', preprocessVariables)) {
    expect(name).toMatch(/^VGG_[A-Z_]+$/);
    expect(description).toMatch(/\.$/);
    expect(expects).not.toBe('');
  }
});
