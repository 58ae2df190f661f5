// What form of an answer a client takes (RFC 9110, 12.5.1), and what forms of a request the gateway does.

import type { FastifyReply, FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import { expected } from '../../vgg/errors.ts';

/** The answer as JSON. */
export const JSON_TYPE = 'application/json';
/** The answer as it forms. */
export const EVENT_STREAM = 'text/event-stream';
/** [{label, score}] alone, as Hugging Face's image classification has it. */
export const LABELS_TYPE = 'application/vnd.huggingface+json';

/** Forms of an answer; of those that a client likes as well as each other, the first. */
export const FORMS = [JSON_TYPE, EVENT_STREAM, LABELS_TYPE] as const;
/** Forms of labels alone. */
export const LABEL_FORMS = [JSON_TYPE, LABELS_TYPE] as const;

/** The form that a client likes best of those that there are; undefined: it takes none of them. */
export function formOf<Form extends string>(
  request: FastifyRequest,
  forms: readonly Form[],
): Form | undefined {
  // Parameters beside q make no difference to what there is.
  const accept = request.headers.accept?.replace(/;\s*(?!q\s*=)[^;,]*/gi, '');
  const negotiator = new Negotiator({ headers: { ...(accept !== undefined && { accept }) } });
  // What cannot be read excludes nothing.
  const readable = /\//.test(accept ?? '');
  const form = negotiator.mediaType([...forms]) ?? (readable ? undefined : forms[0]);
  return forms.find((each) => each === form);
}

/** @throws VggError UNSUPPORTED_FORMAT for a compressed body: a few bytes of it can be gigabytes */
export function checkEncoding({ headers }: FastifyRequest, reply: FastifyReply): void {
  const encoding = headers['content-encoding'];
  if (encoding === undefined || /^\s*(identity)?\s*$/i.test(encoding)) return;
  void reply.header('accept-encoding', 'identity');
  throw expected('a body without Content-Encoding', encoding, 'Content-Encoding', 'UNSUPPORTED_FORMAT');
}
