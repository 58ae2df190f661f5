// The photo in a request: the body itself, or the field `photo` of a multipart form.

import type {} from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { VggError, expected } from '../../vgg/errors.ts';

/**
 * Checks, before the body is read, that it is meant to be a photo or a form. What it is, its bytes decide.
 *
 * @throws VggError UNSUPPORTED_FORMAT
 */
export function checkContentType(type = ''): void {
  if (/^(image\/|application\/octet-stream|multipart\/form-data)/i.test(type)) return;
  throw expected('Content-Type image/* or multipart/form-data', type, 'Content-Type', 'UNSUPPORTED_FORMAT');
}

/**
 * The bytes of the photo, and its file name where the client gave one.
 *
 * @throws VggError TOO_LARGE, INVALID_ARGUMENT
 */
export async function photoOf(
  request: FastifyRequest,
  maxBytes: number,
): Promise<{ photo: Buffer; name: string }> {
  if (request.isMultipart()) return await fromForm(request, maxBytes);
  if (!Buffer.isBuffer(request.body) || request.body.length === 0)
    throw expected('a photo as the body', 'nothing', 'photo');
  return { photo: request.body, name: '' };
}

async function fromForm(request: FastifyRequest, maxBytes: number): Promise<{ photo: Buffer; name: string }> {
  const limits = { fileSize: maxBytes, files: 1, fields: 1, fieldSize: 1024 };
  let found: { photo: Buffer; name: string } | undefined;
  try {
    // To the end of the form: what else is in it must not be passed over in silence.
    for await (const part of request.parts({ limits })) {
      if (part.fieldname !== 'photo')
        throw expected('a form with one field, photo; options are in the query', part.fieldname, 'form');
      if (part.type !== 'file') throw expected('a file', 'a text', 'photo');
      found = { photo: await part.toBuffer(), name: part.filename };
    }
  } catch (error) {
    throw formError(error, maxBytes);
  }
  if (!found) throw expected('a form with a file in field photo', 'none', 'photo');
  if (found.photo.length === 0) throw expected('a photo', 'no bytes', 'photo');
  return found;
}

function formError(error: unknown, maxBytes: number): VggError {
  if (error instanceof VggError) return error;
  const { code } = error as { code?: string };
  if (code === 'FST_REQ_FILE_TOO_LARGE') {
    return expected(`a photo of at most ${String(maxBytes)} bytes`, 'more', 'photo', 'TOO_LARGE');
  }
  if (code === 'FST_FILES_LIMIT' || code === 'FST_FIELDS_LIMIT' || code === 'FST_PARTS_LIMIT') {
    return expected('a form with one file', 'several', 'form');
  }
  if (code === 'FST_PROTO_VIOLATION') {
    return expected('a form with one field, photo; options are in the query', 'another', 'form');
  }
  const message = 'Expected a whole multipart form but it does not parse (form)';
  return new VggError('INVALID_ARGUMENT', message, { cause: error, fields: [{ field: 'form', message }] });
}
