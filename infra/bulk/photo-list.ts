// A list of photos that somebody else made, such as an inventory of a bucket, as the manifest wants it. Knows its three
// forms: JSON Lines, CSV, or a name a line.

import { expected } from '../../vgg/errors.ts';
import { photoOrder, type PhotoEntry } from './photos.ts';

/**
 * Photos of a list, in order.
 *
 * @param text lines `{"photo": …, "size": …, "etag": …}`, `photo,size,etag` or just names; size and etag may be left out
 * @param name of the list, for messages
 * @throws VggError INVALID_ARGUMENT naming the line at fault
 */
export function listedPhotos(text: string, name: string): PhotoEntry[] {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  const entries = lines.flatMap((line, i) =>
    line.trim() === '' || (i === 0 && HEADER.test(line)) ? [] : [entryOf(line, `${name}:${String(i + 1)}`)],
  );
  entries.sort((a, b) => photoOrder(a.photo, b.photo));
  for (const [i, { photo }] of entries.entries()) {
    if (photo === entries[i + 1]?.photo) throw expected('each photo once', `${photo} twice`, name);
  }
  if (entries.length === 0) throw expected('photos', 'none', name);
  return entries;
}

const HEADER = /^"?(photo|key|file|path)"?(,|$)/i;
// A name is quoted if it has a comma or quotes in it (RFC 4180).
const CSV = /^(?:"((?:[^"]|"")*)"|([^,]*))(?:,"?(\d*)"?)?(?:,"?([^",]*)"?)?$/;

function entryOf(line: string, field: string): PhotoEntry {
  const entry = line.startsWith('{') ? fromJson(line) : fromCsv(line);
  if (!entry?.photo) throw expected('{"photo": …} or photo,size,etag', line, field);
  const { photo } = entry;
  if (photo.startsWith('/') || photo.split('/').includes('..')) {
    throw expected('a name within SOURCE', photo, field);
  }
  return entry;
}

function fromJson(line: string): PhotoEntry | undefined {
  try {
    const { photo, size = -1, etag = '' } = JSON.parse(line) as Partial<PhotoEntry>;
    const fits = typeof photo === 'string' && Number.isInteger(size) && typeof etag === 'string';
    return fits ? { photo, size, etag } : undefined;
  } catch {
    return undefined;
  }
}

function fromCsv(line: string): PhotoEntry | undefined {
  const found = CSV.exec(line);
  if (!found) return undefined;
  const [, quoted, plain = '', size = '', etag = ''] = found;
  return { photo: quoted?.replaceAll('""', '"') ?? plain, size: size === '' ? -1 : Number(size), etag };
}
