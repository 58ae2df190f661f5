// A placeholder: the panel comes from elsewhere.

import type { AnswerJson } from '../../../../sdk/answer-json.ts';

interface WhyProps {
  photo: { url: string; width: number; height: number };
  answer: AnswerJson;
  classIndex: number;
  labels: readonly string[];
  onClass: (classIndex: number) => void;
}

/** Nothing yet. */
export function Why({ classIndex, labels }: WhyProps) {
  return <p hidden>{labels[classIndex]}</p>;
}
