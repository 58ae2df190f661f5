// What a log line holds, and what it never does.

import { expect, test } from 'vitest';
import { createLogger } from '../../services/host/log.ts';
import { VggError } from '../../vgg/errors.ts';

function lineOf(write: (log: ReturnType<typeof createLogger>) => void): Record<string, unknown> {
  const lines: string[] = [];
  write(createLogger('fake', 'debug', { write: (line) => void lines.push(line) }));
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] ?? '') as Record<string, unknown>;
}

test('a line is an object with service, level, time and message', () => {
  const line = lineOf((log) => {
    log.info({ requestId: 'a' }, 'hello');
  });
  expect(line).toMatchObject({ service: 'fake', level: 'info', msg: 'hello', requestId: 'a' });
  expect(Date.parse(String(line['time']))).not.toBeNaN();
});

test.each([
  [{ authorization: 'S3CRET' }],
  [{ headers: { authorization: 'S3CRET', 'x-api-key': 'S3CRET' } }],
  [{ request: { headers: { cookie: 'S3CRET' } } }],
  [{ config: { apiKey: 'S3CRET', token: 'S3CRET' } }],
  [{ request: { photo: 'S3CRET' } }],
])('%j is not written', (fields) => {
  const line = lineOf((log) => {
    log.info(fields, 'x');
  });
  expect(JSON.stringify(line)).not.toContain('S3CRET');
  expect(JSON.stringify(line)).toContain('[redacted]');
});

test('an error is written with its causes, and without its other properties', () => {
  const deep = Object.assign(new Error('deep'), { metadata: { authorization: 'S3CRET' }, code: 14 });
  const line = lineOf((log) => {
    log.error({ err: new VggError('INTERNAL', 'outer', { cause: deep }) }, 'failed');
  });
  expect(line['err']).toMatchObject({
    type: 'VggError',
    code: 'INTERNAL',
    message: 'outer',
    cause: { message: 'deep', code: 14 },
  });
  expect(JSON.stringify(line)).not.toContain('S3CRET');
});

test('causes that go in a circle come to an end', () => {
  const error = new Error('round');
  error.cause = error;
  const line = lineOf((log) => {
    log.error({ err: error }, 'failed');
  });
  expect(JSON.stringify(line).split('"round"')).toHaveLength(7);
});
