// What docs/sharing.md shows is what the code draws and counts.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { productsTable, sharingPictures, SUBJECT } from '../../bench/sharing/pictures.ts';
import { packageRoot } from '../../proto/package-root.ts';
import { NETWORK_NAMES } from '../../vgg/networks.ts';

const docs = (...path: string[]) => readFileSync(join(packageRoot, 'docs', ...path), 'utf8');

test('pictures and figures are drawn afresh: node dist/bench/sharing-pictures.js', () => {
  for (const [file, svg] of sharingPictures(SUBJECT)) {
    expect(docs('sharing', file), file).toBe(svg);
    expect(docs('sharing.md')).toContain(`](sharing/${file})`);
  }
  expect(docs('sharing.md')).toContain(productsTable(SUBJECT));
});

test('any network and any photo can be drawn', () => {
  for (const network of NETWORK_NAMES) {
    const subject = {
      ...SUBJECT,
      spec: { ...SUBJECT.spec, network },
      photo: { width: 301, height: 417 },
      align: 1,
    };
    for (const [file, svg] of sharingPictures(subject))
      expect(svg, file).not.toMatch(/NaN|undefined|Infinity/);
  }
});
