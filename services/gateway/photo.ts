// The photos in a request: the body itself, or the fields `photo` of a multipart form.

import type {} from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { VggError, expected } from '../../vgg/errors.ts';

/** A photo as it came. */
export interface SentPhoto {
  photo: Buffer;
  /** Name of its file, or nothing. */
  name: string;
}

/** How much a request may hold. */
export interface FormLimits {
  /** Most bytes of a body, or of all photos of a form together. */
  bodyBytes: number;
  /** Most photos of a form. */
  photos: number;
}

/**
 * Checks, before the body is read, that it is meant to be a photo or a form. What it is, its bytes decide.
 *
 * @throws VggError UNSUPPORTED_FORMAT
 */
export function checkContentType(type = ''): void {
  if (/^(image\/|application\/octet-stream|multipart\/form-data)/i.test(type)) return;
  const wanted = 'Content-Type image/* or multipart/form-data';
  // Whoever sends JSON means to send a URL: to fetch it would let anybody reach what this server can.
  const what = /^application\/([\w.-]+\+)?json\b/i.test(type)
    ? `${wanted} with the photo itself, as URLs are deliberately not fetched,`
    : wanted;
  throw expected(what, type, 'Content-Type', 'UNSUPPORTED_FORMAT');
}

/**
 * The photos, at least one, in their order. Of several, some may be empty.
 *
 * @throws VggError TOO_LARGE, INVALID_ARGUMENT
 */
export async function photosOf(request: FastifyRequest, limits: FormLimits): Promise<SentPhoto[]> {
  if (request.isMultipart()) return await fromForm(request, limits);
  if (!Buffer.isBuffer(request.body) || request.body.length === 0)
    throw expected('a photo as the body', 'nothing', 'photo');
  return [{ photo: request.body, name: '' }];
}

async function fromForm(request: FastifyRequest, formLimits: FormLimits): Promise<SentPhoto[]> {
  const { bodyBytes, photos } = formLimits;
  const limits = { fileSize: bodyBytes, files: photos, fields: 1, fieldSize: 1024 };
  const found: SentPhoto[] = [];
  let bytes = 0;
  try {
    // To the end of the form: what else is in it must not be passed over in silence.
    for await (const part of request.parts({ limits })) {
      if (part.fieldname !== 'photo')
        throw expected('a form with one field, photo; options are in the query', part.fieldname, 'form');
      if (part.type !== 'file') throw expected('a file', 'a text', 'photo');
      const photo = await part.toBuffer();
      bytes += photo.length;
      if (bytes > bodyBytes)
        throw expected(`photos of at most ${String(bodyBytes)} bytes together`, 'more', 'photo', 'TOO_LARGE');
      found.push({ photo, name: part.filename });
    }
  } catch (error) {
    throw formError(error, formLimits);
  }
  if (found.length === 0) throw expected('a form with a file in field photo', 'none', 'photo');
  if (found.length === 1 && found[0]?.photo.length === 0) throw expected('a photo', 'no bytes', 'photo');
  return found;
}

function formError(error: unknown, { bodyBytes, photos }: FormLimits): VggError {
  if (error instanceof VggError) return error;
  const { code } = error as { code?: string };
  if (code === 'FST_REQ_FILE_TOO_LARGE') {
    return expected(`a photo of at most ${String(bodyBytes)} bytes`, 'more', 'photo', 'TOO_LARGE');
  }
  if (code === 'FST_FILES_LIMIT' || code === 'FST_FIELDS_LIMIT' || code === 'FST_PARTS_LIMIT') {
    return expected(`a form with at most ${String(photos)} photos`, 'more', 'photo');
  }
  if (code === 'FST_PROTO_VIOLATION') {
    return expected('a form with one field, photo; options are in the query', 'another', 'form');
  }
  const message = 'Expected a whole multipart form but it does not parse (form)';
  return new VggError('INVALID_ARGUMENT', message, { cause: error, fields: [{ field: 'form', message }] });
}
