// Does faults to processes under load, one at a time, and says what came of each. Knows the order; the faults are in
// kinds/, what is right in truth.ts, and what must hold in verdict.ts and leftovers.ts.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { steadyClock } from '../../loadtest/clock.ts';
import type { LoadPhoto } from '../../loadtest/request.ts';
import { randomAt } from '../../vgg/random.ts';
import type { Cluster } from './cluster.ts';
import type { Fault, Pace, Scene, Topology } from './fault.ts';
import { Front } from './front.ts';
import { leaks, leftovers, openFiles, retries } from './leftovers.ts';
import { Load } from './load.ts';
import { startTopology, type Built } from './topologies.ts';
import { readPhotos, Truth } from './truth.ts';
import { judge, type Row } from './verdict.ts';

/** How faults are run. */
export interface RunOptions {
  seed: number;
  /** Requests a second. */
  rate: number;
  pace: Pace;
  /** Time for an answer, in milliseconds. */
  deadlineMs: number;
  /** Told of what happens. */
  tell: (line: string) => void;
  /** Told what processes logged as errors, where something did not hold. */
  complain: (line: string) => void;
}

// Servers notice a client that vanished within 40 s; then its calls are over.
const LEFTOVERS_MS = 45_000;
const CHECK_MS = 500;

/** Processes that faults are done to, started as a fault needs them. Must be closed. */
export class Runner {
  readonly #options: RunOptions;
  #built: (Built & { topology: Topology; truth: Truth }) | undefined;
  #photos: LoadPhoto[] = [];

  constructor(options: RunOptions) {
    this.#options = options;
  }

  /** Does a fault, ends it, and judges. */
  async run(fault: Fault): Promise<Row> {
    const { seed, rate, pace, tell } = this.#options;
    const { cluster, truth } = await this.#clusterOf(fault.topology);
    const front = this.#frontOf(cluster);
    const random = randomAt(seed, fault.name);
    const scratch = await mkdtemp(join(tmpdir(), 'vgg-fault-'));
    const violations: string[] = [];
    const filesBefore = await openFiles(cluster);
    const retriesBefore = await retries(cluster);
    const photos = this.#photos;
    const load = new Load({ target: front, photos, truth, seed, rate });
    let extra = 0;
    let injectedMs = Infinity;
    let done = '';
    const scene: Scene = {
      cluster,
      truth,
      pace,
      random,
      scratch,
      tell,
      inject(what) {
        injectedMs = Math.min(injectedMs, load.now);
        done = what;
        tell(what);
      },
      wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      violated: (what) => violations.push(what),
      async burst(count) {
        extra += count;
        const kind = { protocol: 'CENTER_CROP', model: '' } as const;
        const outcomes = Array.from({ length: count }, async (_, i) => {
          const photo = photos[i % photos.length];
          if (photo) await front.send({ photo, kind }, new AbortController().signal);
        });
        await Promise.allSettled(outcomes);
      },
      either: (name) => {
        const replica = cluster.of(name)[random.integer(2)];
        if (!replica) throw new Error(`Expected two of ${name}`);
        return replica;
      },
    };
    try {
      // When is chance too: somewhere in a second.
      await scene.wait(pace.beforeMs + random.next() * 1000);
      await fault.run(scene);
      const healedMs = load.now;
      tell('over; going on');
      await scene.wait(pace.afterMs);
      const samples = await load.stop();
      const again = retriesSince(retriesBefore, await retries(cluster));
      const verdict = judge({
        ...{ samples, injectedMs, healedMs, retries: again, mayFail: fault.mayFail ?? [] },
        answered: samples.length + extra,
      });
      const made = [...again.values()].reduce((a, b) => a + b, 0);
      await front.close();
      violations.push(...verdict.violations, ...(await leftovers(cluster, LEFTOVERS_MS)));
      violations.push(...leaks(cluster, filesBefore, await openFiles(cluster)));
      if (violations.length > 0) cluster.complaints.forEach(this.#options.complain);
      const { name, what, holds } = fault;
      return { name, what, holds, done, ...verdict, retries: made, again: front.again, violations };
    } finally {
      await load.stop();
      await front.close();
      await rm(scratch, { recursive: true, force: true });
      // What a fault has left broken is not the next one's.
      if (violations.length > 0) await this.close();
    }
  }

  /** Ends all processes. */
  async close(): Promise<void> {
    const built = this.#built;
    this.#built = undefined;
    await built?.stop();
  }

  async #clusterOf(topology: Topology) {
    if (this.#built?.topology === topology) return this.#built;
    await this.close();
    const { pace, deadlineMs, tell } = this.#options;
    tell(`starting eight processes (${topology})`);
    const built = await startTopology(topology, { silenceMs: pace.silenceMs, deadlineMs });
    try {
      this.#photos = await readPhotos();
      const front = this.#frontOf(built.cluster);
      const truth = await Truth.of(front, this.#photos);
      await front.close();
      return (this.#built = { ...built, topology, truth });
    } catch (error) {
      await built.stop();
      throw error;
    }
  }

  #frontOf(cluster: Cluster): Front {
    const { deadlineMs } = this.#options;
    return new Front({
      urls: cluster.of('gateway').map(({ process }) => process.address),
      deadlineMs: deadlineMs + 1000,
      cache: false,
      ask: { posterior: true },
      clock: steadyClock,
      checkMs: CHECK_MS,
    });
  }
}

// A process that was begun anew counts from zero.
function retriesSince(before: Map<string, number>, after: Map<string, number>): Map<string, number> {
  return new Map([...after].map(([what, count]) => [what, count - (before.get(what) ?? 0)]));
}
