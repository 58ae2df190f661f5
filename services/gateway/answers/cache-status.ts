// What HTTP says of kept answers: whether a request wants one (RFC 9111, Section 5.2.1), and what became of it
// (RFC 9211). Knows headers alone.

/** Where an answer came from. */
export type Source =
  /** It was kept. */
  | 'hit'
  /** It was computed for this request. */
  | 'miss'
  /** It was computed for an earlier request that had not ended. */
  | 'coalesced'
  /** The request, or the config, wants it computed in any case. */
  | 'bypass';

/** What became of a photo. */
export interface Outcome {
  source: Source;
  /** Whether it is kept from now on. */
  stored: boolean;
}

const CACHE = 'vgg-serve';

/** Whether a request refuses kept answers. Its own is then not kept either. */
export function refusesKept(cacheControl = ''): boolean {
  return cacheControl.split(',').some((each) => /^(no-cache|no-store|max-age=0+)$/i.test(each.trim()));
}

/** Value of the header Cache-Status of what is from so many seconds ago because nobody is there to ask. */
export function recalled(ageS: number): string {
  return `${CACHE}; hit; ttl=-${String(ageS)}; detail=nobody-to-ask`;
}

/** Value of the header Cache-Status, over all photos of a request. */
export function cacheStatus(outcomes: readonly Outcome[]): string {
  const all = (source: Source) => outcomes.every((each) => each.source === source);
  if (all('hit')) return `${CACHE}; hit`;
  if (all('bypass')) return `${CACHE}; fwd=bypass`;
  const some = outcomes.some(({ source }) => source === 'hit');
  const forwarded = outcomes.filter(({ source }) => source !== 'hit');
  return [
    `${CACHE}; fwd=${some ? 'partial' : 'miss'}`,
    ...(forwarded.every(({ stored }) => stored) ? ['stored'] : []),
    ...(forwarded.every(({ source }) => source === 'coalesced') ? ['collapsed'] : []),
  ].join('; ');
}
