// The photos in a request: the body itself, or the fields `photo` of a multipart form.

import type {} from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { VggError, expected } from '../../vgg/errors.ts';

/** A photo, and its file name where the client gave one. */
export interface SentPhoto {
  photo: Buffer;
  name: string;
}

/** How much a request may bring. */
export interface PhotoLimits {
  /** Of all photos together. */
  bodyBytes: number;
  photos: number;
}

// Not an option that is missing, but one that there will not be.
const NO_JSON =
  'Expected a photo itself, Content-Type image/* or multipart/form-data, but received JSON: photos are never fetched ' +
  'by URL, as a server that fetches what strangers name can be turned on its own network (Content-Type)';

/**
 * Checks, before the body is read, that it is meant to be a photo or a form. What it is, its bytes decide.
 *
 * @throws VggError UNSUPPORTED_FORMAT
 */
export function checkContentType(type = ''): void {
  if (/^(image\/|application\/octet-stream|multipart\/form-data)/i.test(type)) return;
  if (/^application\/([\w.-]+\+)?json/i.test(type)) {
    const fields = [{ field: 'Content-Type', message: NO_JSON }];
    throw new VggError('UNSUPPORTED_FORMAT', NO_JSON, { fields });
  }
  throw expected('Content-Type image/* or multipart/form-data', type, 'Content-Type', 'UNSUPPORTED_FORMAT');
}

/**
 * The photos, in order, at least one. Where there are several, some may be without bytes.
 *
 * @throws VggError TOO_LARGE, INVALID_ARGUMENT
 */
export async function photosOf(request: FastifyRequest, limits: PhotoLimits): Promise<SentPhoto[]> {
  if (request.isMultipart()) return await fromForm(request, limits);
  if (!Buffer.isBuffer(request.body) || request.body.length === 0)
    throw expected('a photo as the body', 'nothing', 'photo');
  return [{ photo: request.body, name: '' }];
}

async function fromForm(request: FastifyRequest, most: PhotoLimits): Promise<SentPhoto[]> {
  const limits = { fileSize: most.bodyBytes, files: most.photos, fields: 1, fieldSize: 1024 };
  const found: SentPhoto[] = [];
  let bytes = 0;
  try {
    // To the end of the form: what else is in it must not be passed over in silence.
    for await (const part of request.parts({ limits })) {
      if (part.fieldname !== 'photo')
        throw expected('a form with fields photo alone; options are in the query', part.fieldname, 'form');
      if (part.type !== 'file') throw expected('a file', 'a text', 'photo');
      const photo = await part.toBuffer();
      bytes += photo.length;
      if (bytes > most.bodyBytes)
        throw expected(`photos of at most ${String(most.bodyBytes)} bytes`, 'more', 'form', 'TOO_LARGE');
      found.push({ photo, name: part.filename });
    }
  } catch (error) {
    throw formError(error, most);
  }
  const [first] = found;
  if (!first) throw expected('a form with a file in field photo', 'none', 'photo');
  if (found.length === 1 && first.photo.length === 0) throw expected('a photo', 'no bytes', 'photo');
  return found;
}

function formError(error: unknown, most: PhotoLimits): VggError {
  if (error instanceof VggError) return error;
  const { code } = error as { code?: string };
  if (code === 'FST_REQ_FILE_TOO_LARGE') {
    return expected(`a photo of at most ${String(most.bodyBytes)} bytes`, 'more', 'photo', 'TOO_LARGE');
  }
  if (code === 'FST_FILES_LIMIT') {
    return expected(`a form of at most ${String(most.photos)} photos`, 'more', 'form', 'TOO_LARGE');
  }
  if (code === 'FST_FIELDS_LIMIT' || code === 'FST_PARTS_LIMIT') {
    return expected('a form with files in fields photo', 'more', 'form');
  }
  if (code === 'FST_PROTO_VIOLATION') {
    return expected('a form with fields photo alone; options are in the query', 'another', 'form');
  }
  const message = 'Expected a whole multipart form but it does not parse (form)';
  return new VggError('INVALID_ARGUMENT', message, { cause: error, fields: [{ field: 'form', message }] });
}
