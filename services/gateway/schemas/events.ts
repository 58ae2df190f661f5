// The events of an answer as it forms. Knows the data of each; how they are sent, events.ts of the gateway knows.

import { answerProperties, OPTIONAL } from './answer.ts';
import { exactly, the, type JsonSchema } from './json-schema.ts';

/** The schemas by the names that the document gives them. */
export const eventSchemas: Readonly<Record<string, JsonSchema>> = {
  AnswerEvent: exactly(
    {
      viewsDone: { type: 'integer', minimum: 0, description: 'Views so far; never falls.' },
      ...answerProperties,
      viewsTotal: { type: 'integer', minimum: 1, description: 'Views that the whole answer will have.' },
    },
    {
      optional: OPTIONAL.filter((name) => name !== 'viewsTotal'),
      description: 'Data of the event answer: the answer over the views so far.',
    },
  ),
  DoneEvent: {
    allOf: [the('Answer')],
    description: 'Data of the event done, the last one: the whole answer.',
  },
  ProblemEvent: {
    allOf: [the('Problem')],
    description: 'Data of the event problem, the last one: why there is no answer.',
  },
};
