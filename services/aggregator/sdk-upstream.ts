// The other services as the road needs them, over gRPC. Facts of models are kept for a while.

import type { VggClient } from '../../sdk/index.ts';
import { timeLeft } from '../host/deadline.ts';
import type { ModelFacts, Upstream } from './upstream.ts';

/** What keeps facts, and for how long. */
export interface UpstreamOptions {
  /** Milliseconds for which facts of a model are kept. */
  modelsAgeMs: number;
  /** Monotonic milliseconds. */
  now: () => number;
}

// Names come from callers: only so many are remembered.
const MOST_NAMES = 1000;

/** An upstream of a client with addresses of preprocess and inference. */
export function sdkUpstream(client: VggClient, { modelsAgeMs, now }: UpstreamOptions): Upstream {
  const known = new Map<string, { facts: ModelFacts; until: number }>();
  return {
    async model(name, scope) {
      const kept = known.get(name);
      if (kept && now() < kept.until) return kept.facts;
      const facts = await client.model(name, callOf(scope));
      if (known.size >= MOST_NAMES) known.clear();
      known.set(name, { facts, until: now() + modelsAgeMs });
      return facts;
    },
    prepare: (photo, { evaluation, mean, inputSize }, scope) =>
      client.prepare(photo, { ...evaluation, mean, inputSize, ...callOf(scope) }),
    score: (scoring, planes, scope) => client.score(planes, { ...scoring, ...callOf(scope) }),
  };
}

// A call's context has more than an upstream may see.
function callOf({ signal, deadline, requestId }: Parameters<Upstream['model']>[1]) {
  return { signal, deadlineMs: timeLeft(deadline), requestId };
}
