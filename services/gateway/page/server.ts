// Requests to the gateway that serves this page. Knows paths, credentials and what each failure means;
// nothing of what is shown.

import type { AnswerJson } from '../../../sdk/answer-json.ts';
import type { Model } from '../../../sdk/models.ts';
import type { ErrorCode } from '../../../vgg/errors.ts';
import { eventsOf } from './event-stream.ts';

/** The body of an error answer (RFC 9457). */
export interface Problem {
  title: string;
  status: number;
  code: ErrorCode;
  detail: string;
  errors: readonly { field: string; message: string }[];
}

/** Why there is no answer, as far as a visitor can do something about it. */
export type Trouble =
  /** Asking the same again would fail again. */
  | { kind: 'refused'; problem: Problem }
  /** Too much to do; there may be room after some seconds. */
  | { kind: 'busy'; problem: Problem; seconds: number }
  /** The services are not ready yet. */
  | { kind: 'starting' }
  /** Nobody answers at all. */
  | { kind: 'offline' }
  /** An API key is asked for; refused: the one that was sent is wrong. */
  | { kind: 'key'; refused: boolean };

/** A running answer, of some of the views. */
export interface Forming extends AnswerJson {
  viewsDone: number;
  viewsTotal: number;
}

/** A {@link Trouble} that is thrown. */
export class Refusal extends Error {
  readonly trouble: Trouble;

  constructor(trouble: Trouble) {
    super(trouble.kind);
    this.trouble = trouble;
  }
}

/** The models, the default one first. @throws Refusal */
export async function listModels(key: string, signal: AbortSignal): Promise<Model[]> {
  const response = await send('v1/models', key, { signal });
  return ((await response.json()) as { models: Model[] }).models;
}

/** One model. @throws Refusal */
export async function getModel(name: string, key: string, signal: AbortSignal): Promise<Model> {
  return (await (await send(`v1/models/${encodeURIComponent(name)}`, key, { signal })).json()) as Model;
}

/** Whether the gateway, and all that is behind it, takes requests; undefined: nobody answers. */
export async function isReady(): Promise<boolean | undefined> {
  try {
    return (await fetch('readyz', { cache: 'no-store' })).ok;
  } catch {
    return undefined;
  }
}

/**
 * Asks what is in a photo: running answers while views are scored, at last the whole answer.
 *
 * @throws Refusal
 */
export async function ask(
  photo: Blob,
  query: URLSearchParams,
  key: string,
  forming: (answer: Forming) => void,
  signal: AbortSignal,
): Promise<AnswerJson> {
  const response = await send(`v1/classify?${query.toString()}`, key, {
    method: 'POST',
    body: photo,
    headers: { accept: 'text/event-stream', 'content-type': photo.type || 'application/octet-stream' },
    signal,
  });
  try {
    return await lastAnswer(response, key, forming);
  } catch (error) {
    if (error instanceof Refusal || signal.aborted) throw error;
    // The connection broke in the middle.
    throw new Refusal({ kind: 'offline' });
  }
}

async function lastAnswer(
  response: Response,
  key: string,
  forming: (answer: Forming) => void,
): Promise<AnswerJson> {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream') || !response.body) {
    return (await response.json()) as AnswerJson;
  }
  for await (const { name, data } of eventsOf(response.body)) {
    if (name === 'answer') forming(JSON.parse(data) as Forming);
    else if (name === 'done') return JSON.parse(data) as AnswerJson;
    else if (name === 'problem') throw new Refusal(await troubleOf(JSON.parse(data) as Problem, null, key));
  }
  throw new Refusal({ kind: 'offline' });
}

async function send(path: string, key: string, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers);
  if (key !== '') headers.set('authorization', `Bearer ${key}`);
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers, cache: 'no-store' });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Refusal({ kind: 'offline' });
  }
  if (response.ok) return response;
  throw new Refusal(await troubleOf(await problemOf(response), response.headers.get('retry-after'), key));
}

async function problemOf(response: Response): Promise<Problem> {
  const { status, statusText } = response;
  try {
    const problem = (await response.json()) as Partial<Problem>;
    if (typeof problem.detail === 'string') return { errors: [], ...problem } as Problem;
  } catch {
    // A proxy in between speaks for itself.
  }
  const title = statusText || `Status ${String(status)}`;
  return { title, status, code: 'INTERNAL', detail: `The server answered ${title}`, errors: [] };
}

async function troubleOf(problem: Problem, retryAfter: string | null, key: string): Promise<Trouble> {
  const { status } = problem;
  if (status === 401) return { kind: 'key', refused: key !== '' };
  if (status !== 429 && status !== 503) return { kind: 'refused', problem };
  if (status === 503 && (await isReady()) === false) return { kind: 'starting' };
  const seconds = Number(retryAfter);
  return { kind: 'busy', problem, seconds: Number.isFinite(seconds) && seconds > 0 ? seconds : 1 };
}
