// POST /v1/classify, from a request that has been let in to its answer: one photo or several, whole, as labels, or
// as events. Knows HTTP; answers come from `answers.ts`.

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AnswerJson, VggClient } from '../../../sdk/index.ts';
import { VggError, expected } from '../../../vgg/errors.ts';
import type { AnswerTiming } from '../arrivals.ts';
import { begun, sendDone, sendEvents } from '../events.ts';
import { EVENT_STREAM, FORMS, JSON_TYPE, LABELS_TYPE, LABEL_FORMS, formOf } from '../negotiation.ts';
import { photosOf, type FormLimits, type SentPhoto } from '../photo.ts';
import { problemOf, type Problem } from '../problem.ts';
import { readQuery } from '../query.ts';
import { fromBehind } from '../refusals.ts';
import { callOf, type Answers, type Asker, type Given } from './answers.ts';
import { eachOf, type Result } from './batch.ts';
import { cacheStatus, refusesKept, type Outcome } from './cache-status.ts';
import type { Wish } from './key.ts';
import { LABELS_PATH, labelsOf, type Label } from './labels.ts';

/** What the route stands on. */
export interface ClassifyRoute {
  client: VggClient;
  answers: Answers;
  limits: FormLimits;
  /** Whose answers a request may be given: '' where nobody has a credential. */
  spaceOf: (request: FastifyRequest) => string;
  askerOf: (request: FastifyRequest) => Asker;
  /** Where the time went, for Server-Timing. */
  timed: (request: FastifyRequest, timing: AnswerTiming) => void;
  /** A photo failed whose request goes on. */
  failed: (request: FastifyRequest, error: VggError) => void;
}

/** The answer to several photos: an item for each, in their order. */
export interface BatchJson {
  answers: (AnswerJson | { photo: string; problem: Problem })[];
}

/** What the route answers with; a reply where it is sent as events. */
export type ClassifyBody = AnswerJson | BatchJson | Label[] | Label[][] | FastifyReply;

/** The handler of the route. */
export function classifyHandler(route: ClassifyRoute) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<ClassifyBody> => {
    const { evaluation, ...rest } = readQuery(request.query as Record<string, unknown>);
    const wish: Wish = { ...evaluation, ...rest };
    const bare = request.routeOptions.url === LABELS_PATH;
    const form = formOf(request, bare ? LABEL_FORMS : FORMS) ?? JSON_TYPE;
    const labels = bare || form === LABELS_TYPE;
    const events = form === EVENT_STREAM;
    if (form === LABELS_TYPE) void reply.type(LABELS_TYPE);
    if (labels && (rest.posterior || rest.viewScores || rest.scoreMaps))
      throw expected('labels without posterior, views and scoreMaps', 'one of them', 'query');
    const photos = await photosOf(request, route.limits);
    const [first] = photos;
    if (!first) throw expected('a photo', 'none', 'photo');
    if (events) {
      if (photos.length > 1) throw expected('one photo for an answer as events', photos.length, 'photo');
      return await streamed(route, request, reply, first, wish);
    }
    const asker = route.askerOf(request);
    const ask = async ({ photo }: SentPhoto): Promise<Given> => {
      if (photo.length === 0) throw expected('a photo', 'no bytes', 'photo');
      return await route.answers.answer(questionOf(route, request, photo, wish), asker);
    };
    const results = await eachOf(photos, ask);
    // Where one failure is the request's, nothing is said of the others.
    if (labels || photos.length === 1)
      for (const [i, each] of results.entries()) required(each, photos.length > 1 ? i : undefined);
    tell(route, request, reply, results);
    if (photos.length === 1) {
      const answer = namedAnswer(first, required(results[0]));
      return labels ? labelsOf(answer) : answer;
    }
    if (labels) return results.map((result) => labelsOf(required(result).answer));
    return {
      answers: photos.map((photo, i) => {
        const result = results[i];
        if (!result || 'value' in result) return namedAnswer(photo, required(result));
        route.failed(request, result.error);
        return { photo: photo.name, problem: problemOf(result.error) };
      }),
    };
  };
}

async function streamed(
  route: ClassifyRoute,
  request: FastifyRequest,
  reply: FastifyReply,
  { photo, name }: SentPhoto,
  wish: Wish,
): Promise<FastifyReply> {
  const { client, answers } = route;
  const asker = route.askerOf(request);
  const { key, kept } = await answers.look(questionOf(route, request, photo, wish));
  const outcome: Outcome = { source: kept ? 'hit' : key === undefined ? 'bypass' : 'miss', stored: false };
  void reply.header('cache-status', cacheStatus([outcome]));
  if (kept) return sendDone(reply, { ...kept, photo: name, cached: true });
  const running = await fromBehind(() => begun(client.classifyStream(photo, { ...wish, ...callOf(asker) })));
  return sendEvents(reply, {
    ...{ name, answers: running },
    onAnswer: (answer) => {
      route.timed(request, answer.timing);
      answers.keep(key, answer);
    },
    onError: (error) => {
      route.failed(request, error);
    },
  });
}

function questionOf(route: ClassifyRoute, request: FastifyRequest, photo: Buffer, wish: Wish) {
  const anew = refusesKept(request.headers['cache-control']);
  return { photo, wish, space: route.spaceOf(request), anew };
}

function namedAnswer({ name }: SentPhoto, { answer, outcome }: Given): AnswerJson {
  // A coalesced answer is several clients': it is not changed.
  return { ...answer, photo: name, ...(outcome.source === 'hit' && { cached: true }) };
}

/** What came of a photo whose failure is its request's; `place` names it among several. */
function required<Value>(result: Result<Value> | undefined, place?: number): Value {
  if (!result) throw expected('a result', 'none', 'photo', 'INTERNAL');
  if ('error' in result) {
    if (place === undefined) throw result.error;
    const { code, message, fields, retryAfterMs } = result.error;
    const named = `${message.replace(/ \(photo\)$/, '')} (photo[${String(place)}])`;
    throw new VggError(code, named, {
      ...{ cause: result.error, fields },
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    });
  }
  return result.value;
}

// Kept answers cost no time now: theirs is not in Server-Timing.
function tell(
  route: ClassifyRoute,
  request: FastifyRequest,
  reply: FastifyReply,
  results: readonly Result<Given>[],
): void {
  const given = results.flatMap((result) => ('value' in result ? [result.value] : []));
  if (given.length > 0) {
    void reply.header('cache-status', cacheStatus(given.map(({ outcome }) => outcome)));
  }
  const computed = given.filter(({ outcome }) => outcome.source !== 'hit');
  if (computed.length === 0) return;
  const total = { prepareMs: 0, queueMs: 0, computeMs: 0 };
  for (const { answer } of computed) {
    total.prepareMs += answer.timing.prepareMs;
    total.queueMs += answer.timing.queueMs;
    total.computeMs += answer.timing.computeMs;
  }
  route.timed(request, total);
}
