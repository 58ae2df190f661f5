// Draws the pictures of docs/explanation/method.md afresh:
//
//     node dist/docs/site/pictures.js [--to docs/explanation/method]

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { methodPictures } from './pictures/method.ts';

const { values } = parseArgs({ options: { to: { type: 'string', default: 'docs/explanation/method' } } });
mkdirSync(values.to, { recursive: true });
for (const [file, svg] of await methodPictures()) {
  writeFileSync(join(values.to, file), svg);
  console.log(join(values.to, file));
}
