// Where the package's files lie (proto/, models/), from sources and from dist alike.

import { createRequire } from 'node:module';
import { dirname } from 'node:path';

/** Folder of the package's own package.json. */
export const packageRoot = dirname(createRequire(import.meta.url).resolve('vgg-serve/package.json'));
