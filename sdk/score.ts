// score: planes with their views in, a score for each view out.

import { inferenceService } from '../proto/definitions.ts';
import { wireName } from '../proto/evaluation.ts';
import type { ScoreRequest } from '../proto/generated/vgg/v1/ScoreRequest.ts';
import { scoreMapOf, type ScoreMap } from './answer.ts';
import type { CallOptions } from './call-options.ts';
import { checkInteger, checkWord } from './check.ts';
import {
  PRIORITIES,
  SCORE_ORDERS,
  SHARES,
  type Priority,
  type ScoreOrder,
  type Share,
} from './evaluation.ts';
import { preparedPlaneMessage, type PreparedPlane } from './planes.ts';
import type { ServiceCalls } from './service-calls.ts';
import { float32Of } from '../proto/tensors.ts';

/** How planes are to be scored. */
export interface ScoreOptions extends CallOptions {
  /** Default: the server's. */
  model?: string | undefined;
  /** Default: MEAN_THEN_SOFTMAX. */
  scoreOrder?: ScoreOrder | undefined;
  /** Whether what the views of a plane have in common may be computed once, or never (OFF). Default: AUTO. */
  share?: Share | undefined;
  /** Whether each view's class score map is sent too. */
  scoreMaps?: boolean | undefined;
  /** Default: INTERACTIVE. */
  priority?: Priority | undefined;
  /** Views that will come, if known: the call is then refused at once, or not at all. 0 to 512. */
  views?: number | undefined;
}

/** One view's score. */
export interface Score {
  /** The view's index. */
  view: number;
  /** [classes] probabilities. */
  posterior: Float32Array;
  scoreMap?: ScoreMap;
  /** Time that the view waited for the engine. */
  queueMs: number;
  /** Time of the batch that the view was in. */
  computeMs: number;
  /** Views in that batch. */
  batchViews: number;
}

const CANCEL: ScoreRequest = { cancel: {} };
// A server that was asked to end a call and does not is reset.
const PATIENCE_MS = 5000;

export async function* score(
  calls: ServiceCalls,
  planes: AsyncIterable<PreparedPlane> | Iterable<PreparedPlane>,
  options: ScoreOptions,
): AsyncGenerator<Score, void> {
  const answered = new Answered();
  const requests = requestsOf(planes, options, answered);
  const polite = { message: CANCEL, patienceMs: PATIENCE_MS };
  for await (const message of calls.bidirectional(inferenceService.Score, requests, options, polite)) {
    answered.add();
    const { view, posterior, scoreMap, queueMs, computeMs, batchViews } = message;
    yield {
      view,
      posterior: float32Of(posterior),
      ...(scoreMap && { scoreMap: scoreMapOf(scoreMap) }),
      queueMs,
      computeMs,
      batchViews,
    };
  }
}

async function* requestsOf(
  planes: AsyncIterable<PreparedPlane> | Iterable<PreparedPlane>,
  {
    model = '',
    scoreOrder = 'MEAN_THEN_SOFTMAX',
    share = 'AUTO',
    scoreMaps = false,
    priority = 'INTERACTIVE',
    views = 0,
  }: ScoreOptions,
  answered: Answered,
): AsyncGenerator<ScoreRequest, void> {
  yield {
    options: {
      model,
      scoreOrder: wireName('SCORE_ORDER_', scoreOrder),
      share: wireName('SHARE_', share),
      scoreMaps,
      priority: wireName('PRIORITY_', priority),
      views,
    },
  };
  let sent = 0;
  for await (const prepared of planes) {
    yield { prepared: preparedPlaneMessage(prepared) };
    sent += prepared.views.length;
  }
  // As long as the requests have not ended, the call can still be ended by a message, not a reset.
  await answered.reached(sent);
}

/** @throws VggError INVALID_ARGUMENT naming the option at fault */
export function checkScoreOptions({ scoreOrder, share, priority, views }: ScoreOptions): void {
  checkWord(scoreOrder, SCORE_ORDERS, 'scoreOrder');
  checkWord(share, SHARES, 'share');
  checkWord(priority, PRIORITIES, 'priority');
  checkInteger(views, 0, 512, 'views');
}

// Counts the views that have been answered.
class Answered {
  #count = 0;
  #wanted = Infinity;
  #reached: () => void = () => {};

  add(): void {
    this.#count++;
    if (this.#count >= this.#wanted) this.#reached();
  }

  async reached(count: number): Promise<void> {
    this.#wanted = count;
    if (this.#count < count) {
      await new Promise<void>((resolve) => {
        this.#reached = resolve;
      });
    }
  }
}
