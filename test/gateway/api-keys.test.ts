// Keys: who may ask, who may not, and that no key is ever written down.

import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stack } from '../../cli/stack.ts';
import { readApiKeys } from '../../services/gateway/api-keys.ts';
import type { RunningGateway } from '../../services/gateway/main.ts';
import { createLogger } from '../../services/host/log.ts';
import { VggError } from '../../vgg/errors.ts';
import { classify, gatewayOf, metric, PHOTO, services, until } from './running-gateway.ts';

const KEY = 'the-key-of-the-web-page-5f3a';
const OTHER = 'the-key-of-the-phone-app-77c1';
const WRONG = 'a-key-that-nobody-was-given-0e';

let folder: string;
let stack: Stack;
let gateway: RunningGateway;
const logged: string[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vgg-keys-'));
  const apiKeys = join(folder, 'keys');
  await writeFile(apiKeys, `# who may ask\n\n${hash(KEY)} web page\r\n${hash(OTHER).toUpperCase()}  phone\n`);
  stack = await services();
  const log = createLogger('gateway', 'debug', { write: (line) => void logged.push(line) });
  gateway = await gatewayOf(stack, { apiKeys }, { log });
});
afterAll(async () => {
  await gateway.close();
  await stack.close();
  await rm(folder, { recursive: true });
});

function hash(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

const ask = (headers: Record<string, string>) =>
  classify(gateway, '?protocol=center-crop', { headers: { 'content-type': 'image/png', ...headers } });

describe('a request', () => {
  test.each([
    ['Authorization: Bearer', { authorization: `Bearer ${KEY}` }],
    ['Authorization: bearer', { authorization: `bearer  ${KEY}` }],
    ['X-API-Key', { 'x-api-key': KEY }],
    ['the other key', { 'x-api-key': OTHER }],
  ])('with a key in %s is answered', async (_name, headers) => {
    expect((await ask(headers)).status).toBe(200);
  });

  const NONE = 'Expected an API key in Authorization: Bearer or X-API-Key but received none';
  const UNKNOWN = 'Expected a known API key but received another';
  test.each<[string, Record<string, string>, string]>([
    ['without a key', {}, NONE],
    ['with an empty key', { 'x-api-key': '' }, NONE],
    ['with Basic', { authorization: `Basic ${btoa(`user:${KEY}`)}` }, NONE],
    ['with a bare key', { authorization: KEY }, NONE],
    ['with another key', { authorization: `Bearer ${WRONG}` }, UNKNOWN],
    ['with another key in X-API-Key', { 'x-api-key': WRONG }, UNKNOWN],
    ['with a part of a key', { 'x-api-key': KEY.slice(1) }, UNKNOWN],
    ['with the hash of a key', { 'x-api-key': hash(KEY) }, UNKNOWN],
  ])('%s is not', async (_name, headers, detail) => {
    const response = await ask(headers);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="vgg-serve"');
    expect(response.headers.get('server-timing')).toMatch(/^total;dur=/);
    expect(await response.json()).toEqual({
      type: 'about:blank',
      title: 'Unauthorized',
      status: 401,
      code: 'UNAUTHENTICATED',
      detail,
      errors: [],
    });
  });

  test('is refused before its photo is read, and its client can read the refusal', async () => {
    const response = await fetch(`${gateway.url}/v1/classify?nonsense`, {
      method: 'POST',
      body: Buffer.concat(Array.from({ length: 60 }, () => PHOTO)),
      headers: { 'content-type': 'text/plain' },
    });
    expect(response.status).toBe(401);
  });

  test('for a model asks for a key, too; probes and help do not', async () => {
    for (const path of ['/v1/models', '/v1/models/caltech-101-d']) {
      expect((await fetch(gateway.url + path)).status).toBe(401);
      expect((await fetch(gateway.url + path, { headers: { 'x-api-key': KEY } })).status).toBe(200);
    }
    for (const path of ['/', '/healthz', '/readyz', '/metrics']) {
      expect((await fetch(gateway.url + path)).status).toBe(200);
    }
  });
});

test('no key is in the logs, though every request is', async () => {
  await fetch(`${gateway.url}/v1/models?key=${KEY}`, {
    headers: { 'x-request-id': 'last', 'x-api-key': WRONG },
  });
  await until('no request in flight', async () => (await metric(gateway, 'vgg_http_in_flight')) === 0);
  const all = logged.join('');
  expect(all).toContain('"requestId":"last"');
  expect(all).toContain('UNAUTHENTICATED');
  for (const secret of [KEY, OTHER, WRONG, hash(KEY), hash(OTHER)]) expect(all).not.toContain(secret);
});

describe('a file of keys', () => {
  async function fault(text: string): Promise<VggError> {
    const path = join(folder, 'faulty');
    await writeFile(path, text);
    return await readApiKeys(path).then(
      () => expect.fail('Expected the file to be refused'),
      (error: unknown) => error as VggError,
    );
  }

  test.each([
    ['a key by mistake', `${hash(KEY)} web\n${KEY} phone\n`, 2],
    ['a hash without a name', `\n# note\n${hash(KEY)}\n`, 3],
    ['a short hash', `${hash(KEY).slice(1)} web\n`, 1],
    ['another separator', `${hash(KEY)}:web\n`, 1],
  ])('with %s is refused by line, without showing it', async (_name, text, line) => {
    const error = await fault(text);
    expect(error).toBeInstanceOf(VggError);
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toBe(
      `Expected a SHA-256 in hexadecimal, then a name but received another line (${join(folder, 'faulty')}:${String(line)})`,
    );
    expect(error.message).not.toContain(KEY);
  });

  test('without a key is refused', async () => {
    expect((await fault('# nobody\n')).message).toContain('Expected at least one API key but received none');
  });

  test('that is not there stops the start', async () => {
    const missing = gatewayOf(stack, { apiKeys: join(folder, 'missing') });
    await expect(missing).rejects.toThrow(/^Expected a file of API key hashes but cannot read .*missing$/);
  });
});

test('keys may come as a variable, with the same lines; not as both', async () => {
  const apiKeyLines = `# who may ask\n${hash(KEY)} web page`;
  const other = await gatewayOf(stack, { apiKeyLines });
  const ask = (key: string) => fetch(`${other.url}/v1/models`, { headers: { 'x-api-key': key } });
  expect((await ask(KEY)).status).toBe(200);
  expect((await ask(OTHER)).status).toBe(401);
  await other.close();
  await expect(gatewayOf(stack, { apiKeyLines, apiKeys: '/dev/null' })).rejects.toThrow('not both');
  await expect(gatewayOf(stack, { apiKeyLines: KEY })).rejects.toThrow('VGG_GATEWAY_API_KEY_LINES:1');
});
