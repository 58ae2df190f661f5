// Digests of files, and whether one is what a publisher states.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** A published digest of a file. */
export interface Digest {
  algorithm: 'sha256' | 'sha1' | 'md5';
  /** Lower-case hexadecimal: the whole digest, or its first digits where no more is published. */
  hex: string;
}

/** Hexadecimal digits of a whole digest. */
export const DIGEST_DIGITS: Record<Digest['algorithm'], number> = { sha256: 64, sha1: 40, md5: 32 };

/** The whole digest of a file. @throws Error of the file system, or the signal's reason */
export async function digestOfFile(
  path: string,
  algorithm: Digest['algorithm'],
  signal?: AbortSignal,
): Promise<Digest> {
  const hash = createHash(algorithm);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    signal?.throwIfAborted();
    hash.update(chunk as Buffer);
  }
  return { algorithm, hex: hash.digest('hex') };
}

/** Whether a whole digest is the stated one, or begins with its digits. */
export function digestFits(stated: Digest, whole: Digest): boolean {
  return stated.algorithm === whole.algorithm && whole.hex.startsWith(stated.hex);
}

/** `SHA-256 397923af…`; a digest that is known in part ends with an ellipsis. */
export function digestText({ algorithm, hex }: Digest): string {
  const name = { sha256: 'SHA-256', sha1: 'SHA-1', md5: 'MD5' }[algorithm];
  return `${name} ${hex}${hex.length < DIGEST_DIGITS[algorithm] ? '…' : ''}`;
}
