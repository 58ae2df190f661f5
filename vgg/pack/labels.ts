// labels.txt: one class name a line, in order of the class index.

import { expected } from '../errors.ts';

/** Class names by index. @throws VggError INVALID_ARGUMENT unless there are just `classes` of them */
export function parseLabels(text: string, classes: number): string[] {
  const labels = text.replace(/\r?\n$/, '').split(/\r?\n/);
  if (labels.length !== classes) throw expected(`${String(classes)} labels`, labels.length, 'labels.txt');
  return labels;
}

/** The text of a labels.txt. @throws VggError INVALID_ARGUMENT if a name has a line break */
export function formatLabels(labels: readonly string[]): string {
  const broken = labels.findIndex((label) => /[\r\n]/.test(label));
  if (broken >= 0) throw expected('labels of one line', labels[broken], `labels[${String(broken)}]`);
  return labels.join('\n') + '\n';
}
