// Errors as JSON: RFC 9457, with the project's codes.

import { ERROR_CODES, type FieldViolation } from '../../../vgg/errors.ts';
import type { Problem } from '../problem.ts';
import { exactly, type JsonSchema } from './json-schema.ts';

/** An example of a problem. */
export const PROBLEM_EXAMPLE = {
  type: 'about:blank',
  title: 'Bad Request',
  status: 400,
  code: 'INVALID_ARGUMENT',
  detail: 'Expected scales ≥ 64 but received 63 (scales[0])',
  errors: [{ field: 'scales[0]', message: 'Expected scales ≥ 64 but received 63 (scales[0])' }],
};

/** The schema by the name that the document gives it. */
export const problemSchemas: Readonly<Record<string, JsonSchema>> = {
  Problem: exactly<keyof Problem>(
    {
      type: { type: 'string', const: 'about:blank' },
      title: { type: 'string', description: 'The status in words.' },
      status: { type: 'integer', minimum: 400, maximum: 599 },
      code: { type: 'string', enum: [...ERROR_CODES], description: 'What went wrong; never renamed.' },
      detail: { type: 'string', description: 'What was expected, what came, and where.' },
      errors: {
        type: 'array',
        items: exactly<keyof FieldViolation>({
          field: { type: 'string', description: 'Path of the field at fault.' },
          message: { type: 'string' },
        }),
      },
    },
    { description: 'Why there is no answer (RFC 9457).', examples: [PROBLEM_EXAMPLE] },
  ),
};
