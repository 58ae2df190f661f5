// What was measured, as it is kept: raw times of every round, so that whatever is said of them can be said again.
// Knows how times of a part become those of all; neither how they were taken nor how they are shown.

import type { Protocol, Size } from '../../vgg/views.ts';
import { quartiles, type Quartiles } from '../median.ts';
import type { Products } from './products.ts';

/** The side that the others are compared with: every view by itself. */
export const NAIVE = 'naive';
/** The side that this is about: whatever the engine does by default. */
export const HERE = 'here';
/** HERE, until the first class is known. */
export const EARLY = 'early';

/** Milliseconds of each round, for so many of the views; the others are taken to take as long. */
export interface Timed {
  computed: number;
  ms: number[];
}

/** The views of one plane. */
export interface WorkResult {
  protocol: Protocol;
  plane: Size;
  views: number;
  /** Of the views, how many HERE's units have together with others. */
  together: number;
  products: Products;
  /** By name; NAIVE is one of them. */
  sides: Record<string, Timed>;
}

/** A protocol's views of all planes until the first class is known. */
export interface EarlyResult {
  protocol: Protocol;
  /** Views that it took. */
  taken: number;
  /** Milliseconds of each round. */
  ms: number[];
}

/** Another library on finished crops, whose time does not depend on a plane. */
export interface PeerResult extends Timed {
  name: string;
  version: string;
  /** Of what it may choose from, what was quickest. */
  way: string;
  batch: number;
  /** Largest difference of any posterior from NAIVE's. */
  difference: number;
}

/** One network. */
export interface NetworkResult {
  name: string;
  /** Where its weights come from. */
  weights: string;
  inputSize: number;
  grid: number;
  align: number;
  /** Largest difference of any of HERE's posteriors from NAIVE's. */
  difference: number;
  works: WorkResult[];
  early: EarlyResult[];
  peers: PeerResult[];
}

/** What a run was made on. */
export interface Machine {
  processor: string;
  cores: number;
  threads: number;
  node: string;
  /** Library of NAIVE and HERE, with its version. */
  engine: string;
  /** What the engine computes on, if not the processor. */
  gpu?: string;
  /** Processes that wanted a core, a mean over a minute, before and after. */
  load: [before: number, after: number];
}

/** A run. */
export interface CropsResults {
  command: string;
  machine: Machine;
  repeats: number;
  /** Peers that were not there, and why. */
  absent: { name: string; reason: string }[];
  networks: NetworkResult[];
}

/** Answers that differ by more are not the same answers. */
const MOST_DIFFERENCE = 1e-3;

/** Whether posteriors are the same; NaN is not. */
export function agrees(difference: number): boolean {
  return difference <= MOST_DIFFERENCE;
}

/** The largest difference of any number from its counterpart; NaN if there is none for some number. */
export function largestDifference(
  some: readonly ArrayLike<number>[],
  others: readonly ArrayLike<number>[],
): number {
  if (some.length !== others.length) return NaN;
  let largest = 0;
  for (const [i, numbers] of some.entries()) {
    const counterparts = others[i];
    if (numbers.length !== counterparts?.length) return NaN;
    for (let k = 0; k < numbers.length; k++) {
      const difference = Math.abs((numbers[k] ?? NaN) - (counterparts[k] ?? NaN));
      // Not Math.max alone: a NaN that comes first must stay.
      if (!(difference <= largest)) largest = difference;
      if (Number.isNaN(largest)) return NaN;
    }
  }
  return largest;
}

/** Sides of works, in the order of tables: as they take turns, then the peers. */
export function sideNames({ early, peers }: NetworkResult, works: readonly WorkResult[]): string[] {
  const own = new Set(works.flatMap(({ sides }) => Object.keys(sides)));
  const crops = works.every(({ protocol }) => protocol === 'MULTI_CROP');
  const stops = early.some(({ protocol }) => works[0]?.protocol === protocol);
  return [...own, ...(stops ? [EARLY] : []), ...(crops ? peers.map(({ name }) => name) : [])];
}

/** Milliseconds that a side took for all views of works, of each round; empty if it was not measured on each. */
export function roundsOf(network: NetworkResult, works: readonly WorkResult[], side: string): number[] {
  if (side === EARLY) return earlyRounds(network, works);
  const { peers } = network;
  const peer = peers.find(({ name }) => name === side);
  const each = works.map(({ views, sides }) => scaled(sides[side] ?? peer, views));
  const rounds = Math.min(...each.map(({ length }) => length));
  if (!Number.isFinite(rounds)) return [];
  return Array.from({ length: rounds }, (_, round) => each.reduce((sum, ms) => sum + (ms[round] ?? NaN), 0));
}

// It goes from plane to plane: of one by itself nothing is known.
function earlyRounds(network: NetworkResult, works: readonly WorkResult[]): number[] {
  const found = network.early.find(({ protocol }) => works[0]?.protocol === protocol);
  const all = network.works.filter(({ protocol }) => protocol === found?.protocol);
  return found && all.every((work) => works.includes(work)) ? found.ms : [];
}

function scaled(timed: Timed | undefined, views: number): number[] {
  return timed ? timed.ms.map((ms) => (ms * views) / timed.computed) : [];
}

/** A side on works: milliseconds, and how many times as fast as NAIVE it is, round by round. */
export interface Comparison {
  ms: Quartiles;
  ratio: Quartiles;
}

/** Compares a side with NAIVE; undefined if it was not measured there. */
export function compared(
  network: NetworkResult,
  works: readonly WorkResult[],
  side: string,
): Comparison | undefined {
  const naive = roundsOf(network, works, NAIVE);
  const own = roundsOf(network, works, side);
  if (own.length === 0) return undefined;
  // Both of a round were measured within seconds of each other, on the same busy or idle machine.
  return { ms: quartiles(own), ratio: quartiles(own.map((ms, round) => (naive[round] ?? NaN) / ms)) };
}

/** The works of a protocol one by one, and all of them together. */
export function columnsOf(
  { works }: NetworkResult,
  protocol: Protocol,
): { title: string; works: WorkResult[] }[] {
  const own = works.filter((work) => work.protocol === protocol);
  const each = own.map((work) => ({ title: planeTitle(work.plane), works: [work] }));
  return own.length > 1 ? [...each, { title: 'all', works: own }] : each;
}

/** Height, then width, as networks are told of images. */
export function planeTitle({ width, height }: Size): string {
  return `${String(height)} × ${String(width)}`;
}
