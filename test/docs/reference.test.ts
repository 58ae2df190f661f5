// Pages and pictures that code makes are those that are committed.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { methodPictures } from '../../docs/site/pictures/method.ts';
import { referencePages } from '../../docs/site/reference/pages.ts';
import { packageRoot } from '../../proto/package-root.ts';
import { ERROR_CODES } from '../../vgg/errors.ts';

const read = (file: string) => readFileSync(join(packageRoot, 'docs', file), 'utf8');
const pages = await referencePages();

test.each(pages)('docs/%s is what its subject says: npm run docs:reference', (file, text) => {
  expect(read(file)).toBe(text);
});

test('nothing is left out', () => {
  const lacking = (file: string, words: readonly string[]) => {
    const text = new Map(pages).get(file) ?? '';
    return words.filter((word) => !text.includes(word));
  };
  const commands = ['## vgg classify', '## vgg models import', '`--score-maps`', '`--host <address>`'];
  expect(lacking('reference/cli.md', commands)).toEqual([]);
  expect(
    lacking(
      'reference/errors.md',
      ERROR_CODES.map((code) => `| \`${code}\` |`),
    ),
  ).toEqual([]);
  const series = [
    'vgg_http_requests_total',
    'vgg_inference_plane_bytes',
    'vgg_rpc_duration_seconds',
    'vgg_ready',
  ];
  expect(
    lacking(
      'reference/metrics.md',
      series.map((name) => `| \`${name}\` |`),
    ),
  ).toEqual([]);
  const messages = [
    '### ClassifyRequest',
    '### Protocol',
    '`PROTOCOL_DENSE`',
    '| One of `options`, `posterior`. ',
  ];
  expect(lacking('reference/proto.md', messages)).toEqual([]);
  expect(lacking('reference/open-inference.md', ['### ModelInferRequest.InferInputTensor'])).toEqual([]);
});

test('pictures of the method are drawn afresh, but for the last digits: npm run docs:pictures', async () => {
  // Numbers are of a run, and pixels are a library's: neither is the same to the last bit on every machine.
  const shape = (svg: string) => svg.replace(/base64,[^"]+/g, 'base64,').replace(/-?\d+(\.\d+)?/g, '#');
  for (const [file, svg] of await methodPictures()) {
    expect(shape(read(`explanation/method/${file}`)), file).toBe(shape(svg));
    expect(svg, file).not.toMatch(/NaN|undefined|Infinity/);
    expect(read('explanation/method.md')).toContain(`](method/${file})`);
  }
});
