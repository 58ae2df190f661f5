// Draws what the views of a photo share (docs/sharing.md): along one axis, in two dimensions, and what it saves; and
// prints the table of what it saves.
//
//     node dist/bench/sharing-pictures.js [--network D] [--photo 640x480] [--align 8] [--to docs/sharing]

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NETWORK_NAMES } from '../vgg/networks.ts';
import { productsTable, sharingPictures, SUBJECT } from './sharing/pictures.ts';
import { parseOptions } from './options.ts';

const { values } = parseOptions(import.meta.url, {
  options: {
    network: { type: 'string', default: SUBJECT.spec.network },
    photo: { type: 'string', default: `${String(SUBJECT.photo.width)}x${String(SUBJECT.photo.height)}` },
    align: { type: 'string', default: String(SUBJECT.align) },
    to: { type: 'string', default: 'docs/sharing' },
  },
});
const network = NETWORK_NAMES.find((name) => name === values.network);
const [width = NaN, height = NaN] = values.photo.split('x').map(Number);
if (!network) throw new Error(`Expected --network to be one of ${NETWORK_NAMES.join(', ')}`);

mkdirSync(values.to, { recursive: true });
const subject = {
  ...{ ...SUBJECT, spec: { ...SUBJECT.spec, network } },
  ...{ photo: { width, height }, align: Number(values.align) },
};
for (const [file, svg] of sharingPictures(subject)) {
  writeFileSync(join(values.to, file), svg);
  console.log(join(values.to, file));
}
console.log(`\n${productsTable(subject)}`);
