// The photo in a request: the body itself, or the field `photo` of a multipart form.

import type {} from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { VggError, expected } from '../../vgg/errors.ts';

/**
 * The bytes of the photo, and its file name where the client gave one.
 *
 * @throws VggError UNSUPPORTED_FORMAT, TOO_LARGE, INVALID_ARGUMENT
 */
export async function photoOf(
  request: FastifyRequest,
  maxBytes: number,
): Promise<{ photo: Buffer; name: string }> {
  if (request.isMultipart()) return await fromForm(request, maxBytes);
  const type = request.headers['content-type'] ?? '';
  // The bytes decide what it is; the header only says that it is meant to be an image.
  if (!/^(image\/|application\/octet-stream)/i.test(type)) {
    throw expected('Content-Type image/* or multipart/form-data', type, 'Content-Type', 'UNSUPPORTED_FORMAT');
  }
  if (!Buffer.isBuffer(request.body) || request.body.length === 0)
    throw expected('a photo as the body', 'nothing', 'photo');
  return { photo: request.body, name: '' };
}

async function fromForm(request: FastifyRequest, maxBytes: number): Promise<{ photo: Buffer; name: string }> {
  try {
    for await (const part of request.parts({ limits: { fileSize: maxBytes, files: 1, fields: 0 } })) {
      if (part.type !== 'file') continue;
      if (part.fieldname !== 'photo') throw expected('the photo in field photo', part.fieldname, 'field');
      const photo = await part.toBuffer();
      if (photo.length === 0) throw expected('a photo', 'no bytes', 'photo');
      return { photo, name: part.filename };
    }
  } catch (error) {
    throw formError(error, maxBytes);
  }
  throw expected('a form with field photo', 'none', 'photo');
}

function formError(error: unknown, maxBytes: number): Error {
  if (error instanceof VggError) return error;
  const { code } = error as { code?: string };
  if (code === 'FST_REQ_FILE_TOO_LARGE') {
    return expected(`a photo of at most ${String(maxBytes)} bytes`, 'more', 'photo', 'TOO_LARGE');
  }
  if (code === 'FST_FILES_LIMIT' || code === 'FST_FIELDS_LIMIT' || code === 'FST_PARTS_LIMIT') {
    return expected('a form with one field, photo', 'more', 'form');
  }
  return new VggError('INVALID_ARGUMENT', 'Expected a whole multipart form but it does not parse', {
    cause: error,
  });
}
