// Writes the reference pages: `npm run docs:reference`.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../proto/package-root.ts';
import { referencePages } from './reference/pages.ts';

for (const [file, text] of await referencePages()) {
  writeFileSync(join(packageRoot, 'docs', file), text);
  console.log(`docs/${file}`);
}
