// Seeded random numbers: a stream is a function of its seed and keys, so that any draw of a run can be made again
// without those before it. Knows nothing of what is drawn.

/** A stream of random numbers. Not for secrets. */
export interface Random {
  /** 32 random bits, as an integer from 0 to 2³² − 1. */
  bits(): number;
  /** Uniform in [0, 1), 53 bits. */
  next(): number;
  /** Normal with mean 0 and deviation 1 (Box and Muller). */
  normal(): number;
  /** Uniform whole number in [0, n), without bias; 1 ≤ n ≤ 2³². */
  integer(n: number): number;
  /** Puts the items in a random order, in place (Fisher and Yates), and returns them. */
  shuffle<Items extends { length: number; [index: number]: unknown }>(items: Items): Items;
}

/**
 * The stream of a seed and keys: the same ones give the same numbers, any other ones unrelated numbers.
 * xoshiro128** 1.1 by Blackman and Vigna (https://prng.di.unimi.it/xoshiro128starstar.c), started from four
 * hashes of seed and keys.
 *
 * @param keys what the numbers are for and where: `randomAt(seed, 'crop', epoch, index)`; whole numbers
 */
export function randomAt(seed: number, ...keys: readonly (number | string)[]): Random {
  return streamOf(stateAt([seed, ...keys]));
}

/** xoshiro128** from a state of four 32-bit words, not all 0. */
export function streamOf([s0, s1, s2, s3]: readonly [number, number, number, number]): Random {
  let spare: number | undefined;

  function bits(): number {
    const product = Math.imul(s1, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= shifted;
    s3 = (s3 << 11) | (s3 >>> 21);
    return result;
  }

  function next(): number {
    return ((bits() >>> 5) * 2 ** 26 + (bits() >>> 6)) / 2 ** 53;
  }

  function normal(): number {
    if (spare !== undefined) {
      const second = spare;
      spare = undefined;
      return second;
    }
    // 1 − next() is never 0.
    const radius = Math.sqrt(-2 * Math.log(1 - next()));
    const angle = 2 * Math.PI * next();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  function integer(n: number): number {
    // Bits beyond the last whole multiple of n would favour small numbers.
    const limit = 2 ** 32 - (2 ** 32 % n);
    let drawn = bits();
    while (drawn >= limit) drawn = bits();
    return drawn % n;
  }

  function shuffle<Items extends { length: number; [index: number]: unknown }>(items: Items): Items {
    for (let last = items.length - 1; last > 0; last--) {
      const other = integer(last + 1);
      const item = items[last];
      items[last] = items[other];
      items[other] = item;
    }
    return items;
  }

  return { bits, next, normal, integer, shuffle };
}

// Odd multipliers and offsets that set the four hashes apart: fractions of square roots of 2, 3, 5, 7.
const LANES = [0x6a09e667, 0xbb67ae85, 0x3c6ef373, 0xa54ff53b] as const;

function stateAt(keys: readonly (number | string)[]): [number, number, number, number] {
  const state: [number, number, number, number] = [...LANES];
  const absorb = (word: number) => {
    for (const [lane, constant] of LANES.entries()) {
      state[lane] = mixed((state[lane] ?? 0) + Math.imul(word ^ constant, constant | 1));
    }
  };
  for (const key of keys) {
    // A length or a kind first, so that no two lists of keys are the same words.
    if (typeof key === 'string') {
      absorb(key.length + 1);
      for (let i = 0; i < key.length; i++) absorb(key.charCodeAt(i));
    } else {
      absorb(0);
      absorb(key | 0);
      absorb(Math.floor(key / 2 ** 32) | 0);
    }
  }
  if (state.every((word) => word === 0)) state[0] = 1;
  return state;
}

// The finaliser of MurmurHash3 by Appleby: every bit of the word moves half of the bits of the result.
function mixed(word: number): number {
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return word ^ (word >>> 16);
}
