// Links between Markdown files, as GitHub follows them, made those of the site: to a page's address there, or, of a file
// that is no page, to nothing but its name. A link to a file that does not exist stops the build.

import { existsSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';

/** Where a link leads. */
export type Target =
  | { kind: 'elsewhere' }
  | { kind: 'page'; path: string }
  /** A file of the repository, by its path there, that the site has not. */
  | { kind: 'file'; file: string };

/**
 * Where a link in a Markdown file leads.
 *
 * @param root folder of the repository
 * @param from the Markdown file, absolute
 * @param href as it is written
 * @param pages path in the repository → path in the site
 * @throws Error if it leads to a file that does not exist
 */
export function targetOf(
  root: string,
  from: string,
  href: string,
  pages: ReadonlyMap<string, string>,
): Target {
  if (/^([a-z][a-z0-9+.-]*:|#|\/)/i.test(href)) return { kind: 'elsewhere' };
  const [, path = '', rest = ''] = /^([^?#]*)(.*)$/.exec(href) ?? [];
  const absolute = resolve(dirname(from), decodeURIComponent(path));
  const file = relative(root, absolute);
  if (!existsSync(absolute))
    throw new Error(`${relative(root, from)} links to ${file}, which does not exist`);
  const page = pages.get(file);
  return page === undefined ? { kind: 'file', file } : { kind: 'page', path: `/${page}${rest}` };
}

// Of markdown-it's tokens and parser, what is used here; VitePress brings the library itself.
interface Token {
  type: string;
  content: string;
  children: Token[] | null;
  attrGet(name: string): string | null;
  attrSet(name: string, value: string): void;
}
interface Parser {
  core: { ruler: { push(name: string, rule: (state: { tokens: Token[]; env: unknown }) => void): void } };
}

/** A plugin of markdown-it that sends links where {@link targetOf} says. */
export function repositoryLinks(root: string, pages: ReadonlyMap<string, string>) {
  return (parser: Parser): void => {
    parser.core.ruler.push('repository-links', ({ tokens, env }) => {
      const { realPath, path } = env as { realPath?: string; path?: string };
      const from = realPath ?? path;
      if (from === undefined) return;
      for (const { children } of tokens) follow(children ?? [], root, from, pages);
    });
  };
}

function follow(tokens: Token[], root: string, from: string, pages: ReadonlyMap<string, string>): void {
  let named = false;
  for (const token of tokens) {
    if (token.type === 'link_open') {
      const target = targetOf(root, from, token.attrGet('href') ?? '', pages);
      named = target.kind === 'file';
      if (target.kind === 'page') token.attrSet('href', target.path);
      else if (target.kind === 'file')
        becomes(token, `<span class="in-repository" title="In the repository: ${target.file}">`);
    } else if (token.type === 'link_close' && named) {
      becomes(token, '</span>');
      named = false;
    }
  }
}

function becomes(token: Token, html: string): void {
  token.type = 'html_inline';
  token.content = html;
}
