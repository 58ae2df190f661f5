// HTTPS, with a certificate that is made here.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stack } from '../../cli/stack.ts';
import { gatewayOf, PHOTO, services } from './running-gateway.ts';

const folder = mkdtempSync(join(tmpdir(), 'vgg-https-'));
const [tlsCert, tlsKey] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
const made = makeCertificate();

function makeCertificate(): boolean {
  const options = [
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=IP:127.0.0.1',
  ];
  const files = ['-keyout', tlsKey, '-out', tlsCert];
  try {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', ...options, ...files], {
      stdio: 'ignore',
    });
    return true;
  } catch (error) {
    process.stderr.write(
      `HTTPS is not tested, no certificate could be made with openssl: ${String(error)}\n`,
    );
    return false;
  }
}

let stack: Stack;
beforeAll(async () => {
  stack = await services();
});
afterAll(async () => {
  await stack.close();
  rmSync(folder, { recursive: true });
});

describe.skipIf(!made)('HTTPS', () => {
  test('answers a photo', async () => {
    const gateway = await gatewayOf(stack, { tlsCert, tlsKey });
    expect(gateway.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const { status, body } = await new Promise<{ status: number | undefined; body: string }>(
      (resolve, reject) => {
        const headers = { 'content-type': 'image/png' };
        const options = { method: 'POST', ca: readFileSync(tlsCert), headers, agent: false };
        request(`${gateway.url}/v1/classify?protocol=center-crop`, options, (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.on('end', () => {
            resolve({ status: response.statusCode, body: text });
          });
        })
          .on('error', reject)
          .end(PHOTO);
      },
    );
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ model: 'caltech-101-d', views: 3 });
    await expect(fetch(gateway.url.replace('https', 'http'))).rejects.toThrow();
    await gateway.close();
  });

  test('needs both files, and files that are a certificate and its key', async () => {
    const both = 'Expected both VGG_GATEWAY_TLS_CERT and VGG_GATEWAY_TLS_KEY, or neither';
    await expect(gatewayOf(stack, { tlsCert })).rejects.toThrow(both);
    await expect(gatewayOf(stack, { tlsKey })).rejects.toThrow(both);
    const wrong = join(folder, 'wrong.pem');
    writeFileSync(wrong, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    for (const files of [
      { tlsCert: join(folder, 'missing.pem'), tlsKey },
      { tlsCert: wrong, tlsKey },
      { tlsCert, tlsKey: tlsCert },
    ]) {
      await expect(gatewayOf(stack, files)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message:
          'Expected a certificate and its key in VGG_GATEWAY_TLS_CERT and VGG_GATEWAY_TLS_KEY but cannot use them',
      });
    }
  });
});
