// Answers as the bare list of labels that image classification clients of Hugging Face's Inference API read.
// Knows their form alone.

import type { FastifyRequest } from 'fastify';
import type { AnswerJson } from '../../../sdk/index.ts';

/** The route whose answers have this form, whatever the client accepts. */
export const LABELS_PATH = '/v1/classify/labels';

const MEDIA_TYPE = /(^|,)\s*application\/vnd\.huggingface\+json\s*(;|,|$)/i;

/** A label and its probability. */
export interface Label {
  label: string;
  score: number;
}

/** Whether a client asks for labels alone. */
export function wantsLabels({ headers, routeOptions }: FastifyRequest): boolean {
  return routeOptions.url === LABELS_PATH || MEDIA_TYPE.test(headers.accept ?? '');
}

/** Most probable first. */
export function labelsOf({ predictions }: AnswerJson): Label[] {
  return predictions.map(({ label, score }) => ({ label, score }));
}
