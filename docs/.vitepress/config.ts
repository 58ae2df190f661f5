// The site: which Markdown files it has, and how it looks. Built from the repository's root, so that pages beside docs/
// are in it; nothing in it is loaded from another host.

import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { defineConfig } from 'vitepress';
import { repositoryLinks } from '../site/links.ts';
import { PAGES, PARTS, sitePath } from '../site/map.ts';
import { slug } from '../site/reference/markdown.ts';

const root = resolve(import.meta.dirname, '../..');
const addresses = new Map(PAGES.map(({ file }) => [file, sitePath(file)]));

export default defineConfig({
  lang: 'en',
  title: 'vgg-serve',
  description:
    'VGG networks, evaluated as the paper evaluates them, as gRPC microservices with an HTTP gateway',
  // Where the site is not at the top of its host: DOCS_BASE=/vgg-serve/ npm run docs
  base: process.env['DOCS_BASE'] ?? '/',
  srcDir: root,
  srcExclude: markdownFiles('').filter((file) => !addresses.has(file)),
  rewrites: Object.fromEntries(addresses),
  outDir: resolve(root, 'out/site'),
  cacheDir: resolve(root, 'out/site-cache'),
  cleanUrls: false,
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  markdown: {
    anchor: { slugify: slug },
    headers: { slugify: slug },
    config: (parser) => {
      parser.use(repositoryLinks(root, addresses));
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: { level: [2, 3] },
    externalLinkIcon: true,
    nav: [
      { text: 'Start', link: '/tutorial' },
      { text: 'Command line', link: '/reference/cli' },
      { text: 'Configuration', link: '/configuration' },
      { text: 'Method', link: '/explanation/method' },
    ],
    sidebar: PARTS.map(({ text, pages }) => ({
      text,
      collapsed: false,
      items: pages.map(({ file, text: name }) => ({
        text: name,
        link: `/${sitePath(file).replace(/(index)?\.md$/, '')}`,
      })),
    })),
    footer: { message: 'Apache-2.0. Photos and the default model: CC BY 4.0, from Caltech-101.' },
  },
});

// Every Markdown file of the repository but those of what is built or installed.
function markdownFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isFile()) return entry.name.endsWith('.md') ? [path] : [];
    return entry.isDirectory() && !/^(\.git|node_modules|dist|out|coverage)$/.test(entry.name)
      ? markdownFiles(path)
      : [];
  });
}
