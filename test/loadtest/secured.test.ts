// vgg loadtest before real services that speak TLS, ask for certificates, or ask for keys; and what it says, before any
// load, where it was not told what it needs.

import { createHash } from 'node:crypto';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stack } from '../../cli/stack.ts';
import type { LoadTestResult } from '../../loadtest/result.ts';
import { packageRoot } from '../../proto/package-root.ts';
import { readConfig } from '../../services/aggregator/config.ts';
import { startAggregator } from '../../services/aggregator/main.ts';
import type { RunningGateway } from '../../services/gateway/main.ts';
import type { RunningServer } from '../../services/host/serve.ts';
import { Authority, withoutOpenssl } from '../faults/certificates.ts';
import { gatewayOf, services } from '../gateway/running-gateway.ts';
import { runLoadtest } from './running-command.ts';

const KEY = 'key-of-this-test';

const without = withoutOpenssl();
if (without !== undefined) process.stderr.write(`TLS of load tests is not tested: ${without}\n`);

describe.skipIf(without !== undefined)('vgg loadtest', () => {
  let folder: string;
  let stack: Stack;
  let mutual: RunningServer;
  let gateway: RunningGateway;
  // Paths of what the authority signed, and of another authority that nobody trusts.
  const own = (name: string) => join(folder, 'own', name);
  const other = (name: string) => join(folder, 'other', name);
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vgg-secured-'));
    new Authority(join(folder, 'own'));
    new Authority(join(folder, 'other'));
    await copyFile(join(packageRoot, 'test/golden/photo.png'), join(folder, 'photo.png'));
    const pair = { VGG_TLS_CERT: own('aggregator-0.pem'), VGG_TLS_KEY: own('aggregator-0.key') };
    const env = { ...pair, VGG_AGGREGATOR_UPSTREAM_CA: own('ca.pem') };
    stack = await services(env);
    mutual = await startAggregator({
      ...readConfig({ ...env, VGG_TLS_CLIENT_CA: own('ca.pem') }),
      ...{ port: 0, logLevel: 'silent' },
      ...{ preprocess: stack.preprocess.address, inference: stack.inference.address },
    });
    gateway = await gatewayOf(stack, {
      ...{ tlsCert: pair.VGG_TLS_CERT, tlsKey: pair.VGG_TLS_KEY, upstreamCa: own('ca.pem') },
      apiKeyLines: `${createHash('sha256').update(KEY).digest('hex')} test`,
    });
  });
  afterAll(async () => {
    await gateway.close();
    await Promise.all([mutual.close(), stack.close()]);
    await rm(folder, { recursive: true });
  });

  // Half a minute of load, unless it is refused before.
  const run = (target: string, args: readonly string[], seconds = '30', env = {}) =>
    runLoadtest(
      [
        ...[target, ...args, '--photos', join(folder, 'photo.png'), '--protocol', 'center-crop'],
        ...['--rate', '5', '--duration', seconds, '--warm-up', '0', '--json'],
      ],
      env,
    );
  const served = async (target: string, args: readonly string[], env = {}) => {
    const { status, stdout, stderr } = await run(target, args, '2', env);
    expect(stderr).not.toMatch(/could not be read|Deprecation/);
    expect(status, stderr).toBe(0);
    const result = JSON.parse(stdout) as LoadTestResult;
    expect(result.steps[0]?.requests).toMatchObject({ failed: 0, abandoned: 0 });
    expect(result.steps[0]?.requests.answered).toBeGreaterThan(0);
    expect(result.command).not.toContain(KEY);
    return result;
  };
  const refused = async (target: string, args: readonly string[], message: RegExp) => {
    const { status, stdout, stderr } = await run(target, args);
    expect(stderr).toMatch(message);
    // Before any load, and in words: a sentence, and what to try.
    expect(stderr).not.toMatch(/step 1|Deprecation|^ +at /m);
    expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
    expect([status, stdout]).toEqual([1, '']);
  };
  const ca = () => ['--ca', own('ca.pem')];
  const shown = (name = 'inference-0', key = name) => [
    '--cert',
    own(`${name}.pem`),
    '--key',
    own(`${key}.key`),
  ];

  describe('over TLS', () => {
    const target = () => `grpcs://${stack.aggregator.address}`;

    test('asks an aggregator whose authority it is told', async () => {
      await served(target(), ca());
    });

    test('says that it does not trust the certificate, and how it would', async () => {
      for (const args of [[], ['--ca', other('ca.pem')]]) {
        await refused(
          target(),
          args,
          /^Cannot reach the service: unable to verify .*certificate\n.* --ca\.$/m,
        );
      }
    });

    test('takes no certificate of another name, unless told that name', async () => {
      const named = (name: string) => [...ca(), '--server-name', name];
      await refused(target(), named('nobody.example'), /altnames: .*nobody\.example.*\n.* --server-name\.$/m);
    });

    test('says that the server may speak TLS where it was asked without', async () => {
      await refused(stack.aggregator.address, [], /^Cannot reach the service: .*\n.* grpcs:\/\/…$/m);
    });
  });

  describe('over mutual TLS', () => {
    const target = () => `grpcs://${mutual.address}`;

    test('shows its certificate', async () => {
      await served(target(), [...ca(), ...shown()]);
    });

    test('says that the server asks for one', async () => {
      await refused(
        target(),
        ca(),
        /^Cannot reach the service: .*(certificate required\n|\n.*asks for a certificate)/,
      );
    });

    test('says that the server does not take it', async () => {
      const foreign = ['--cert', other('inference-0.pem'), '--key', other('inference-0.key')];
      await refused(target(), [...ca(), ...foreign], /^Cannot reach the service: /);
    });
  });

  describe('files', () => {
    test.each(['grpcs', 'https'])('of %s that are none are named', async (scheme) => {
      const target = `${scheme}://127.0.0.1:1`;
      const photo = join(folder, 'photo.png');
      await refused(
        target,
        ['--ca', 'nowhere.pem'],
        /^Expected a readable file but .*nowhere\.pem \(--ca\)$/m,
      );
      await refused(target, ['--ca', photo], /^Expected certificates in PEM but .*photo\.png \(--ca\)$/m);
      await refused(target, shown('inference-0').slice(0, 2), /^Expected both --cert and --key, or neither/);
      await refused(
        target,
        shown('inference-0', 'inference-1'),
        /^Expected the private key of .*\(--key\)$/m,
      );
    });

    test('of TLS mean nothing to a gateway in plain text', async () => {
      await refused('http://127.0.0.1:1', ca(), /^Expected https:\/\/ with --ca/);
    });
  });

  describe('over HTTPS with a key', () => {
    const key = ['--api-key', KEY];

    test('asks the gateway, and reads its metrics too', async () => {
      const { steps } = await served(gateway.url, [...ca(), ...key]);
      expect(steps[0]?.server?.stages).toMatchObject([{ stage: 'http' }]);
      await served(gateway.url, ca(), { VGG_API_KEY: KEY });
    });

    test('says that the key is missing or wrong', async () => {
      await refused(gateway.url, ca(), /^Expected an API key .* received none\n.*--api-key.*VGG_API_KEY/);
      await refused(gateway.url, [...ca(), '--api-key', 'guessed'], /^Expected a known API key/);
    });

    test('says that it does not trust the certificate', async () => {
      for (const args of [key, [...key, '--ca', other('ca.pem')]]) {
        await refused(gateway.url, args, /unable to verify .*certificate\n.* --ca\.$/m);
      }
      await refused(
        gateway.url,
        [...ca(), ...key, '--server-name', 'nobody'],
        /altnames: .*\n.* --server-name\.$/m,
      );
    });

    test('says which of the two speaks TLS', async () => {
      await refused(gateway.url.replace('https', 'http'), key, /\n.* https:\/\/…$/m);
      const plain = createServer((_, response) => response.end());
      await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
      const place = `127.0.0.1:${String((plain.address() as AddressInfo).port)}`;
      await refused(`https://${place}`, key, /seems to speak no TLS: http:\/\//);
      await refused(`grpcs://${place}`, [], /seems to speak no TLS: grpc:\/\//);
      await new Promise((resolve) => plain.close(resolve));
    });
  });

  test('keys are in none of its reports', async () => {
    const [csv, report] = [join(folder, 'steps.csv'), join(folder, 'report.html')];
    await served(gateway.url, [...ca(), `--api-key=${KEY}`, '--csv', csv, '--report', report]);
    for (const file of [csv, report]) expect(await readFile(file, 'utf8')).not.toContain(KEY);
  });
});
