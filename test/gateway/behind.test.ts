// What becomes of errors of the services behind, and of wrong variables. Knows neither sockets nor services.

import { describe, expect, test } from 'vitest';
import { readConfig } from '../../services/gateway/config.ts';
import { fromBehind } from '../../services/gateway/refusals.ts';
import { VggError, type ErrorCode } from '../../vgg/errors.ts';

const refused = (code: ErrorCode) =>
  new VggError(code, 'connect ECONNREFUSED 10.0.0.7:50051', { retryAfterMs: 7 });
const lost = () => new VggError('UNAVAILABLE', 'connect ECONNREFUSED 10.0.0.7:50051');

// Fails with these, one a call, then answers.
function failing(...errors: Error[]) {
  const calls = { made: 0 };
  const ask = async () => {
    const error = errors[calls.made++];
    await Promise.resolve();
    if (error) throw error;
    return 'answer';
  };
  return { calls, ask };
}

describe('a call to the services behind', () => {
  test('that is lost is made once more', async () => {
    const { calls, ask } = failing(lost());
    expect(await fromBehind(ask)).toBe('answer');
    expect(calls.made).toBe(2);
  });

  test('is not made a third time', async () => {
    const { calls, ask } = failing(lost(), lost());
    await expect(fromBehind(ask)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(calls.made).toBe(2);
  });

  test('that is told to come back is not made again: the caller hears when', async () => {
    const { calls, ask } = failing(refused('UNAVAILABLE'));
    await expect(fromBehind(ask)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryAfterMs: 7,
      message: expect.stringContaining('starting') as string,
    });
    expect(calls.made).toBe(1);
  });

  test.each<ErrorCode>(['RESOURCE_EXHAUSTED', 'DEADLINE_EXCEEDED', 'CANCELLED', 'INTERNAL', 'NOT_FOUND'])(
    'that fails with %s is not made again',
    async (code) => {
      const { calls, ask } = failing(refused(code));
      await expect(fromBehind(ask)).rejects.toMatchObject({ code, retryAfterMs: 7 });
      expect(calls.made).toBe(1);
    },
  );

  test.each<ErrorCode>(['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'INTERNAL'])(
    'that fails with %s tells no address, but keeps it as the cause for the log',
    async (code) => {
      const cause = refused(code);
      const error = await fromBehind(failing(cause, cause).ask).catch(
        (thrown: unknown) => thrown as VggError,
      );
      expect(error).toMatchObject({ code, cause });
      expect((error as VggError).message).not.toContain('10.0.0.7');
    },
  );

  test('that fails with what is no VggError is INTERNAL', async () => {
    const { ask } = failing(new TypeError('x is not a function'));
    await expect(fromBehind(ask)).rejects.toMatchObject({ code: 'INTERNAL', message: 'Internal error' });
  });
});

describe('variables', () => {
  test('are read by name, with units', () => {
    const { port, maxBody, deadline, logLevel } = readConfig({
      VGG_GATEWAY_PORT: '0',
      VGG_GATEWAY_MAX_BODY: '5MiB',
      VGG_GATEWAY_DEADLINE: '10s',
      VGG_LOG_LEVEL: 'warn',
    });
    expect({ port, maxBody, deadline, logLevel }).toEqual({
      port: 0,
      maxBody: 5 * 1024 ** 2,
      deadline: 10_000,
      logLevel: 'warn',
    });
  });

  test('have the documented limits where they are not set', () => {
    expect(readConfig({})).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      maxBody: 20 * 1024 ** 2,
      deadline: 60_000,
    });
  });

  test.each([
    ['VGG_GATEWAY_PROT', '80', 'Unknown variable VGG_GATEWAY_PROT; did you mean VGG_GATEWAY_PORT?'],
    ['VGG_GATEWAY_PORT', '65536', '(VGG_GATEWAY_PORT)'],
    ['VGG_GATEWAY_MAX_BODY', 'much', '(VGG_GATEWAY_MAX_BODY)'],
    ['VGG_GATEWAY_DEADLINE', '0s', '(VGG_GATEWAY_DEADLINE)'],
  ])('%s=%s stops the start', (name, value, message) => {
    expect(() => readConfig({ [name]: value })).toThrow(message);
  });
});
