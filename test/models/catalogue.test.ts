// The catalogue against itself and against the networks: a wrong digit here is found by a user half a gigabyte later.

import { describe, expect, test } from 'vitest';
import { CATALOGUE, publishedBytes, publishedFile, publishedSpec } from '../../models/catalogue.ts';
import { DIGEST_DIGITS } from '../../models/digest.ts';
import { checkModelName, describeNetwork, parameterCount } from '../../vgg/index.ts';

test('names and addresses are each other’s only', () => {
  for (const facts of [CATALOGUE.map(({ name }) => name), CATALOGUE.map(({ url }) => url)])
    expect(new Set(facts).size).toBe(CATALOGUE.length);
  expect(CATALOGUE).toHaveLength(20);
});

describe.each(CATALOGUE)('$name', (release) => {
  const { name, network, batchNorm, publisher, url, bytes, digest, reported, mean, licence, page } = release;

  test('is named after what it is', () => {
    checkModelName(name);
    const depth = describeNetwork(publishedSpec(release)).weightLayers;
    const first = publisher.split(' ')[0]?.toLowerCase() ?? '';
    expect(name).toBe(`${first}-vgg${String(depth)}${batchNorm ? '-bn' : ''}`);
  });

  test('its file is named so too', () => {
    const depth = String(describeNetwork(publishedSpec(release)).weightLayers);
    const named = publisher === 'timm' ? new URL(url).pathname : publishedFile(release);
    expect(named).toMatch(new RegExp(`(vgg|VGG_ILSVRC_)${depth}${batchNorm ? '_bn' : ''}[^0-9a-z]`));
    expect(named.includes('_bn')).toBe(batchNorm);
  });

  test('comes over https, or over http with a whole digest', () => {
    const { protocol, hostname, username } = new URL(url);
    expect(username).toBe('');
    if (protocol === 'https:') return;
    expect([protocol, hostname]).toEqual(['http:', 'www.robots.ox.ac.uk']);
    expect(digest).toMatchObject({
      algorithm: 'sha1',
      hex: expect.stringMatching(/^[0-9a-f]{40}$/) as string,
    });
  });

  test('has a digest, whole or in part; a part is in the name of the file', () => {
    if (digest === 'host') {
      expect(new URL(url).hostname).toBe('huggingface.co');
      return;
    }
    expect(digest.hex).toMatch(/^[0-9a-f]+$/);
    if (digest.hex.length < DIGEST_DIGITS[digest.algorithm]) {
      expect(digest.hex).toHaveLength(8);
      expect(url).toContain(`-${digest.hex}.`);
    } else expect(digest.hex).toHaveLength(DIGEST_DIGITS[digest.algorithm]);
    if (publisher === 'torchvision') expect(url).toContain(`-${digest.hex.slice(0, 8)}.pth`);
  });

  test('is as long as its parameters, and little more', () => {
    const parameters = parameterCount(publishedSpec(release));
    expect(publishedBytes(release)).toBeGreaterThanOrEqual(4 * parameters);
    if (bytes !== undefined) expect(bytes - 4 * parameters).toBeLessThan(100_000);
  });

  test('reports errors that such networks have', () => {
    expect(['A', 'B', 'D', 'E']).toContain(network);
    expect(reported.top1).toBeGreaterThan(24);
    expect(reported.top1).toBeLessThan(31);
    expect(reported.top5).toBeGreaterThan(7);
    expect(reported.top5).toBeLessThan(11.5);
    expect(reported.measured).not.toBe('');
  });

  test('has a mean, a licence and a page', () => {
    for (const level of mean) expect(level).toBeGreaterThan(100);
    expect(mean[0]).toBeGreaterThan(mean[2]);
    expect(['BSD-3-Clause', 'CC-BY-4.0']).toContain(licence);
    expect(page).toMatch(/^https:/);
  });
});

test('batch normalisation, and depth, make a publisher’s networks better', () => {
  for (const publisher of ['torchvision', 'timm']) {
    const own = CATALOGUE.filter((release) => release.publisher === publisher);
    for (const bn of [false, true]) {
      const errors = own.filter(({ batchNorm }) => batchNorm === bn).map(({ reported }) => reported.top1);
      expect(errors).toHaveLength(4);
      expect(errors).toEqual([...errors].sort((a, b) => b - a));
    }
  }
});
