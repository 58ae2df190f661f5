// What a fault is: what it does to the processes, which requests may fail meanwhile, and what it needs of a machine.
// Knows no particular one; faults/kinds has them.

import type { ErrorCode } from '../../sdk/index.ts';
import type { Random } from '../../vgg/random.ts';
import type { Cluster, Replica } from './cluster.ts';
import type { Truth } from './truth.ts';

/** How the processes are joined that a fault is done to. */
export type Topology = 'direct' | 'proxied' | 'tls' | 'names';

/** How long things take, in milliseconds. */
export interface Pace {
  /** Load before the fault, to know what is usual. */
  beforeMs: number;
  /** For which a fault lasts that does not end by itself. */
  holdMs: number;
  /** Load after the fault. */
  afterMs: number;
  /** Time without a sign of life after which a service takes another one for lost. */
  silenceMs: number;
}

/** What a fault is given. */
export interface Scene {
  readonly cluster: Cluster;
  readonly truth: Truth;
  readonly pace: Pace;
  /** All chance of a fault comes from it. */
  readonly random: Random;
  /** A folder of the fault's own, removed after it. */
  readonly scratch: string;
  /** Says that now it begins, and to what it is done. */
  inject(what: string): void;
  /** Says something that is worth a line. */
  tell(what: string): void;
  /** Waits. */
  wait(ms: number): Promise<void>;
  /** Notes that something did not hold. */
  violated(what: string): void;
  /** Either replica of a service, by chance. */
  either(name: Replica['name']): Replica;
}

/** A fault. */
export interface Fault {
  /** As it is chosen: kill-inference. */
  readonly name: string;
  /** What happens, for the table. */
  readonly what: string;
  /** What must hold beside what must hold for all, for the table. */
  readonly holds: string;
  readonly topology: Topology;
  /** Codes that requests may fail with while it lasts; none unless given. */
  readonly mayFail?: readonly ErrorCode[];
  /** Why it cannot be done on this machine; undefined where it can. */
  readonly missing?: () => string | undefined;
  /** Does it, and ends it: afterwards every replica runs again. */
  run(scene: Scene): Promise<void>;
}
