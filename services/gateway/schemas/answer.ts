// The answer to a photo as JSON, and what it is made of. The compiler holds its names to those of the SDK's answerJson.

import type { AnswerJson, ViewScoreJson } from '../../../sdk/index.ts';
import type { Label } from '../answers/labels.ts';
import { PROTOCOLS } from '../../../vgg/views.ts';
import { exactly, numbersOf, the, type JsonSchema } from './json-schema.ts';

const pixels = { type: 'integer', minimum: 0 };
const milliseconds = (description: string): JsonSchema => ({ type: 'number', minimum: 0, description });

const rectangle = { x: pixels, y: pixels, width: pixels, height: pixels };

const probability: JsonSchema = { type: 'number', minimum: 0, description: 'Probability, 0 to 1.' };

const prediction = exactly<keyof AnswerJson['predictions'][number]>(
  {
    label: { type: 'string', description: 'Name of the class.' },
    classIndex: { type: 'integer', minimum: 0, description: 'Index of the class, from 0.' },
    score: probability,
  },
  { examples: [{ label: 'elephant', classIndex: 35, score: 0.87 }] },
);

const timing = exactly<keyof AnswerJson['timing']>({
  prepareMs: milliseconds('Until the last plane was ready.'),
  queueMs: milliseconds('Mean time of a view in the queue.'),
  computeMs: milliseconds('Time of the engine, shared out by view.'),
  totalMs: milliseconds("From the call's arrival to the answer."),
});

const viewScore = exactly<keyof ViewScoreJson>(
  {
    model: { type: 'string' },
    index: { type: 'integer', minimum: 0, description: 'Place of the view among all views.' },
    plane: {
      type: 'integer',
      minimum: 0,
      description: 'Index of the rescaled photo that the view is cut from.',
    },
    scale: { type: 'integer', minimum: 1, description: 'Smallest side of that photo, in pixels.' },
    ...rectangle,
    mirrored: { type: 'boolean', description: 'Whether the rectangle is mirrored after it is cut.' },
    weight: { type: 'number', minimum: 0, description: "Share in its model's answer; all weights sum to 1." },
    posterior: numbersOf('Probability of each class.'),
    scoreMap: exactly(
      {
        shape: {
          type: 'array',
          items: { type: 'integer', minimum: 1 },
          minItems: 3,
          maxItems: 3,
          description: 'Height, width, classes.',
        },
        values: numbersOf('In the order of the shape.'),
      },
      { description: 'Class scores by location, before any softmax: of dense views, with scoreMaps=true.' },
    ),
    square: exactly(rectangle, {
      description: 'The square of the rescaled photo that the view is, resized: with GOOGLENET_144.',
    }),
  },
  { optional: ['scoreMap', 'square'] },
);

/** Names and schemas of an answer's properties. */
export const answerProperties: Readonly<Record<keyof AnswerJson, JsonSchema>> = {
  photo: { type: 'string', description: "Name of the photo's file, where there is one." },
  model: { type: 'string', description: 'Models that were averaged, joined by +.' },
  network: { type: 'string', description: 'Their networks, joined by +: A, A-LRN, B, C, D, E or B-5x5.' },
  protocol: { type: 'string', enum: [...PROTOCOLS], description: 'Which views were scored.' },
  scales: {
    type: 'array',
    items: { type: 'integer', minimum: 1 },
    description: 'Scales of the first model, in pixels.',
  },
  views: {
    type: 'integer',
    minimum: 1,
    description: 'Views that the answer is the mean of, over all models.',
  },
  viewsTotal: {
    type: 'integer',
    minimum: 1,
    description:
      'With stop=exact: views of the whole answer. Where views is less, the answer was known early.',
  },
  engine: { type: 'string', description: 'Engine that scored the views: onnx or tensorflow.' },
  predictions: { type: 'array', items: the('Prediction'), description: 'Most probable first.' },
  posterior: numbersOf('Probability of each class, with posterior=true.'),
  timing: the('Timing'),
  viewScores: { type: 'array', items: the('ViewScore'), description: 'Of each view, with views=true.' },
  cached: {
    const: true,
    description:
      'The answer was kept from an earlier request, and timing is of that one; absent where it was not.',
  },
};

/** Of an answer, what is there only where it was asked for, or is so. */
export const OPTIONAL = ['viewsTotal', 'posterior', 'viewScores', 'cached'] as const;

/** An answer of a real model, shortened. */
export const ANSWER_EXAMPLE = {
  photo: 'photo.png',
  model: 'caltech-101-d',
  network: 'D',
  protocol: 'MULTI_CROP',
  scales: [72, 92, 112],
  views: 150,
  engine: 'onnx',
  predictions: [{ label: 'elephant', classIndex: 35, score: 0.87 }],
  timing: { prepareMs: 6.1, queueMs: 1.4, computeMs: 31.2, totalMs: 48.9 },
};

/** The schemas by the names that the document gives them. */
export const answerSchemas: Readonly<Record<string, JsonSchema>> = {
  Prediction: prediction,
  Timing: timing,
  ViewScore: viewScore,
  Answer: exactly(answerProperties, {
    optional: OPTIONAL,
    description: 'What is in the photo.',
    examples: [ANSWER_EXAMPLE],
  }),
  BatchAnswer: exactly(
    {
      answers: {
        type: 'array',
        items: { anyOf: [the('Answer'), the('RefusedPhoto')] },
        description: 'In the order of the photos.',
      },
    },
    { description: 'Answers to the photos of a form with several.' },
  ),
  RefusedPhoto: exactly(
    { photo: answerProperties.photo, problem: the('Problem') },
    { description: 'A photo of several that was not answered, and why.' },
  ),
  Label: exactly<keyof Label>(
    {
      label: { type: 'string', description: 'Name of the class.' },
      score: probability,
    },
    { description: 'A label and its probability.' },
  ),
  Labels: {
    anyOf: [
      { type: 'array', items: the('Label') },
      { type: 'array', items: { type: 'array', items: the('Label') } },
    ],
    description: 'The most probable first; of several photos, a list of each.',
    examples: [[{ label: 'accordion', score: 0.87 }]],
  },
};
