// The site as it is built: every page is in it, every link in it leads somewhere, and nothing comes from another host.

import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { targetOf } from '../../docs/site/links.ts';
import { PAGES, sitePath } from '../../docs/site/map.ts';
import { packageRoot } from '../../proto/package-root.ts';

const BUILD_MS = 180_000;
const site = mkdtempSync(join(tmpdir(), 'vgg-site-'));
let files: string[] = [];

beforeAll(async () => {
  const vitepress = join(packageRoot, 'node_modules/vitepress/bin/vitepress.js');
  const env = { ...process.env, NODE_ENV: 'production' };
  const args = [vitepress, 'build', 'docs', '--outDir', site];
  await promisify(execFile)(process.execPath, args, { cwd: packageRoot, env, timeout: BUILD_MS });
  files = readdirSync(site, { recursive: true, encoding: 'utf8' });
}, BUILD_MS);
afterAll(() => {
  rmSync(site, { recursive: true });
});

const read = (file: string) => readFileSync(join(site, file), 'utf8');
const htmlOf = (file: string) => sitePath(file).replace(/md$/, 'html');

describe('pages', () => {
  test('every page under docs/ is in the sidebar, and every page of the sidebar is there', () => {
    const written = readdirSync(join(packageRoot, 'docs'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.md'))
      .map((file) => `docs/${file}`);
    const listed = PAGES.map(({ file }) => file);
    expect(written.filter((file) => !listed.includes(file))).toEqual([]);
    expect(listed.filter((file) => !existsSync(join(packageRoot, file)))).toEqual([]);
    expect(files).toEqual(expect.arrayContaining(listed.map(htmlOf)));
  });

  test('links lead to pages and headings that exist', () => {
    const lost: string[] = [];
    for (const { file } of PAGES) {
      const from = htmlOf(file);
      for (const [, href = ''] of read(from).matchAll(/<a [^>]*?href="([^"]*)"/g)) {
        if (/^[a-z]+:/.test(href)) continue;
        const [path = '', anchor = ''] = href.split('#');
        const at =
          path === '' ? from : path.startsWith('/') ? path.slice(1) : posix.join(dirname(from), path);
        const target =
          at === '' || at.endsWith('/') ? `${at}index.html` : at.endsWith('.html') ? at : `${at}.html`;
        const there = files.includes(target) && (anchor === '' || hasId(target, decodeURIComponent(anchor)));
        if (!there) lost.push(`${file}: ${href}`);
      }
    }
    expect(lost).toEqual([]);
  });

  test('the search index holds words of the pages', () => {
    const index = files.find((file) => /@localSearchIndex/.test(file));
    // Words are those between signs: vgg_inference_backlog_views is four.
    for (const word of ['/reference/metrics.html#inference', '["backlog"', '/tutorial.html#ask-it'])
      expect(read(index ?? '').includes(word), word).toBe(true);
  });
});

function hasId(file: string, id: string): boolean {
  return new RegExp(`id="${id.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}"`).test(read(file));
}

test('nothing is loaded from another host', () => {
  const foreign: string[] = [];
  for (const file of files) {
    if (file.endsWith('.html'))
      for (const [tag] of read(file).matchAll(/<(script|link|img|source|iframe|object|image)\b[^>]*>/g))
        if (/(src|href|srcset|data)="(https?:)?\/\//.test(tag)) foreign.push(`${file}: ${tag}`);
    if (file.endsWith('.css') && /(url\(|@import)\s*['"]?(https?:)?\/\//.test(read(file))) foreign.push(file);
    if (file.endsWith('.svg') && /(href|src)="https?:/.test(read(file))) foreign.push(file);
  }
  expect(files.filter((file) => file.endsWith('.html')).length).toBeGreaterThan(20);
  expect(foreign).toEqual([]);
});

describe('links in Markdown', () => {
  const pages = new Map([['docs/a.md', 'a.md']]);
  const folder = mkdtempSync(join(tmpdir(), 'vgg-links-'));
  writeFileSync(join(folder, 'code.ts'), '');
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test('lead to a page, to a file by its name, or elsewhere; and a lost one stops the build', () => {
    const to = (href: string) => targetOf(folder, join(folder, 'docs/b.md'), href, pages);
    expect(to('https://example.org/a')).toEqual({ kind: 'elsewhere' });
    expect(to('#here')).toEqual({ kind: 'elsewhere' });
    expect(to('../code.ts')).toEqual({ kind: 'file', file: 'code.ts' });
    expect(() => to('a.md')).toThrow('docs/b.md links to docs/a.md, which does not exist');
    const real = (href: string) =>
      targetOf(packageRoot, join(packageRoot, 'docs/x.md'), href, new Map([['docs/align.md', 'align.md']]));
    expect(real('align.md#what-it-costs')).toEqual({ kind: 'page', path: '/align.md#what-it-costs' });
  });
});
