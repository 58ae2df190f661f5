// API keys, kept as SHA-256 hashes in a file or a variable: one a line, "HASH name". Keys themselves are never
// stored or logged.

import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { VggError, expected } from '../../vgg/errors.ts';

/** Names whom a credential belongs to. */
export type Authenticate = (headers: Record<string, unknown>) => string;

/**
 * Reads a file of key hashes.
 *
 * @throws VggError INVALID_ARGUMENT for a file that cannot be read, or naming the line at fault
 */
export async function readApiKeys(path: string): Promise<Authenticate> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new VggError('INVALID_ARGUMENT', `Expected a file of API key hashes but cannot read ${path}`, {
      cause,
    });
  });
  return parseApiKeys(text, path);
}

/**
 * What a text of key hashes lets in. A line is 64 hexadecimal digits (`printf %s KEY | sha256sum`), a space and a
 * name; empty lines and those that begin with # are passed over.
 *
 * @param origin names the text in errors
 * @throws VggError INVALID_ARGUMENT naming the line at fault
 */
export function parseApiKeys(text: string, origin: string): Authenticate {
  const keys = text.split(/\r?\n/).flatMap((line, i) => {
    if (line.trim() === '' || line.startsWith('#')) return [];
    const [, hash, name] = /^([0-9a-f]{64})\s+(\S.*)$/i.exec(line) ?? [];
    // The line may hold a key by mistake: it is not shown.
    if (!hash || !name)
      throw expected('a SHA-256 in hexadecimal, then a name', 'another line', `${origin}:${String(i + 1)}`);
    return [{ hash: Buffer.from(hash, 'hex'), name: name.trim() }];
  });
  if (keys.length === 0) throw expected('at least one API key', 'none', origin);
  return (headers) => {
    const key = keyOf(headers);
    if (key === undefined) {
      throw new VggError(
        'UNAUTHENTICATED',
        'Expected an API key in Authorization: Bearer or X-API-Key but received none',
      );
    }
    const hash = createHash('sha256').update(key).digest();
    // Every key is compared, so that time tells nothing.
    const found = keys.filter((each) => timingSafeEqual(each.hash, hash));
    if (!found[0]) throw new VggError('UNAUTHENTICATED', 'Expected a known API key but received another');
    return found[0].name;
  };
}

/** SHA-256 of the key in a request, hexadecimal: tells credentials apart without naming them; '' for none. */
export function keyHash(headers: Record<string, unknown>): string {
  const key = keyOf(headers);
  return key === undefined ? '' : createHash('sha256').update(key).digest('hex');
}

function keyOf(headers: Record<string, unknown>): string | undefined {
  const { authorization, 'x-api-key': key } = headers;
  if (typeof key === 'string' && key !== '') return key;
  const [, bearer] = (typeof authorization === 'string' && /^Bearer +(\S+)$/i.exec(authorization)) || [];
  return bearer;
}
