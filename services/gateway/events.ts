// An answer as it forms, as server-sent events (HTML Living Standard, 9.2). Knows their form; not what is asked.

import type { FastifyReply } from 'fastify';
import { PassThrough } from 'node:stream';
import { answerJson, type AnswerJson, type RunningAnswer } from '../../sdk/index.ts';
import { VggError, asVggError } from '../../vgg/errors.ts';
import { EVENT_STREAM } from './negotiation.ts';
import { problemOf } from './problem.ts';
import { outside } from './refusals.ts';

// What is silent for longer is cut by proxies.
const HEARTBEAT_MS = 15_000;

/** What becomes of a photo, and who hears of it. */
export interface RunningAnswers {
  /** Name of the photo's file, or nothing. */
  name: string;
  /** At least one; the first has come. */
  answers: AsyncIterable<RunningAnswer>;
  onAnswer: (answer: RunningAnswer['answer']) => void;
  onError: (error: VggError) => void;
}

/**
 * Sends `answer` events, {viewsDone, viewsTotal, …answer}, each better than the one before; at the end the whole answer
 * as `done`, or `problem`.
 */
export function sendEvents(reply: FastifyReply, running: RunningAnswers): FastifyReply {
  const stream = new PassThrough();
  void writeEvents(stream, running);
  // Proxies that gather what they pass on would keep it until the end.
  return reply.type(EVENT_STREAM).header('x-accel-buffering', 'no').send(stream);
}

/** Sends an answer that is there already: `done` alone. */
export function sendDone(reply: FastifyReply, answer: AnswerJson): FastifyReply {
  return reply.type(EVENT_STREAM).header('x-accel-buffering', 'no').send(eventOf('done', answer));
}

function eventOf(type: string, data: unknown): string {
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

async function writeEvents(stream: PassThrough, { name, answers, onAnswer, onError }: RunningAnswers) {
  const heartbeat = setInterval(() => stream.write(':\n\n'), HEARTBEAT_MS);
  const event = (type: string, data: unknown) => stream.write(eventOf(type, data));
  try {
    let last: RunningAnswer | undefined;
    for await (const each of answers) {
      last = each;
      const { viewsDone, viewsTotal, answer } = each;
      const brief: typeof answer = { ...answer };
      // The last one comes again, whole.
      delete brief.viewScores;
      event('answer', { viewsDone, viewsTotal, ...answerJson(name, brief) });
    }
    if (!last) throw new VggError('INTERNAL', 'Expected an answer but none came');
    onAnswer(last.answer);
    event('done', answerJson(name, last.answer));
  } catch (thrown) {
    const error = outside(asVggError(thrown));
    onError(error);
    event('problem', problemOf(error));
  } finally {
    clearInterval(heartbeat);
    stream.end();
  }
}

/** The same items, once the first is there: whatever prevents that is thrown at once. */
export async function begun<Item>(items: AsyncIterable<Item>): Promise<AsyncIterable<Item>> {
  const iterator = items[Symbol.asyncIterator]();
  const first = await iterator.next();
  return (async function* () {
    try {
      for (let next = first; next.done !== true; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  })();
}
