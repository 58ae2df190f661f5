// Draws the pictures of docs/explanation/method.md and of docs/how-to/deploy.md afresh:
//
//     node dist/docs/site/pictures.js [--to docs/explanation/method] [--deployment docs/how-to/deployment.svg]

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { deploymentSvg } from './pictures/deployment.ts';
import { methodPictures } from './pictures/method.ts';

const { values } = parseArgs({
  options: {
    to: { type: 'string', default: 'docs/explanation/method' },
    deployment: { type: 'string', default: 'docs/how-to/deployment.svg' },
  },
});
writeFileSync(values.deployment, deploymentSvg());
console.log(values.deployment);
mkdirSync(values.to, { recursive: true });
for (const [file, svg] of await methodPictures()) {
  writeFileSync(join(values.to, file), svg);
  console.log(join(values.to, file));
}
