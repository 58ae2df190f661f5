// Bundles the web page into dist/services/gateway/page: index.html, and assets whose names change with what they
// hold, so that browsers may keep them for good. Knows files; not what the page does.

import { build } from 'esbuild';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { packageRoot } from '../../proto/package-root.ts';

const SOURCE = join(packageRoot, 'services/gateway/page');
const TARGET = join(packageRoot, 'dist/services/gateway/page');

// Beside them are modules of the page that tsc compiled for tests.
await rm(join(TARGET, 'assets'), { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: { page: join(SOURCE, 'main.tsx') },
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['es2022', 'chrome123', 'firefox120', 'safari17.5'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  loader: { '.jpg': 'file' },
  outdir: join(TARGET, 'assets'),
  // Relative to index.html: the page works below any path of a proxy.
  publicPath: 'assets',
  entryNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  absWorkingDir: packageRoot,
  metafile: true,
  logLevel: 'warning',
});

const names = Object.keys(metafile.outputs).map((path) => basename(path));
const only = (ending: string): string => {
  const found = names.filter((name) => name.startsWith('page-') && name.endsWith(ending));
  if (found.length !== 1 || found[0] === undefined) {
    throw new Error(`Expected one page-*${ending} but received ${names.join(', ')}`);
  }
  return `assets/${found[0]}`;
};
const html = await readFile(join(SOURCE, 'index.html'), 'utf8');
await mkdir(TARGET, { recursive: true });
await writeFile(
  join(TARGET, 'index.html'),
  html.replace('SCRIPT', only('.js')).replace('STYLE', only('.css')).replace(/\n\s*/g, '\n'),
);
