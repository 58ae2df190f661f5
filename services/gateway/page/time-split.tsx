// Where the time of an answer went. Knows four spans.

import type { AnswerJson } from '../../../sdk/answer-json.ts';

/** The spans of an answer in milliseconds; computing and queueing may overlap with preparing. */
export function spansOf({ prepareMs, queueMs, computeMs, totalMs }: AnswerJson['timing']) {
  const rest = Math.max(0, totalMs - prepareMs - queueMs - computeMs);
  return [
    { name: 'prepare', ms: prepareMs },
    { name: 'queue', ms: queueMs },
    { name: 'compute', ms: computeMs },
    { name: 'rest', ms: rest },
  ];
}

/** A stacked bar with its numbers below. */
export function TimeSplit({ timing }: { timing: AnswerJson['timing'] }) {
  const spans = spansOf(timing);
  const sum = spans.reduce((total, { ms }) => total + ms, 0) || 1;
  return (
    <div class="time">
      <div class="stack" aria-hidden="true">
        {spans.map(({ name, ms }) => (
          <span key={name} class={`span ${name}`} style={{ width: `${String((100 * ms) / sum)}%` }} />
        ))}
      </div>
      <dl>
        {spans.map(({ name, ms }) => (
          <div key={name}>
            <dt class={name}>{name}</dt>
            <dd>{milliseconds(ms)}</dd>
          </div>
        ))}
        <div class="total">
          <dt>in all</dt>
          <dd>{milliseconds(timing.totalMs)}</dd>
        </div>
      </dl>
    </div>
  );
}

function milliseconds(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(2)} s`;
}
