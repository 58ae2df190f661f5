// Answers as the bare list of labels that image classification clients of Hugging Face's Inference API read.
// Knows their form alone.

import type { AnswerJson } from '../../../sdk/index.ts';

/** The route whose answers have this form, whatever the client accepts. */
export const LABELS_PATH = '/v1/classify/labels';

/** A label and its probability. */
export interface Label {
  label: string;
  score: number;
}

/** Most probable first. */
export function labelsOf({ predictions }: AnswerJson): Label[] {
  return predictions.map(({ label, score }) => ({ label, score }));
}
