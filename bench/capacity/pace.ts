// The pace of a session's cores while a load was held: what yardsticks say, as far as the load's work follows them.
// Knows demands and yardsticks; no latency and no rate.
//
// That a slice's photos took more CPU time may have two causes, that the core was slow and that few photos came (whose
// every message wakes a process): only the first is a pace. So slices say by how much work follows a yardstick, all
// together, and the yardstick says when.

import type { Pace } from '../../loadtest/simulate/cores.ts';
import { mean } from '../median.ts';
import type { Core, Loaded, Measurement, Slice } from './session.ts';
import { PACE_MS } from './yardstick.ts';

// Fewer say little of a pace: it matters where a slice cuts through the work of one.
const FEWEST_PHOTOS = 100;
// Work goes on, if hardly.
const MOST_STOLEN = 0.98;
// What a yardstick's work and all other work have in common is the core: neither is slowed more than that.
const MOST_ELASTICITY = 1.5;

const CORES = {
  engine: { processes: ['inference'], work: ({ views }: Slice) => views },
  others: {
    processes: ['client', 'aggregator', 'preprocess'],
    // A photo that was prepared and not yet answered is half done.
    work: ({ prepared, answered }: Slice) => (prepared + answered) / 2,
  },
} as const satisfies Record<Core, object>;

/**
 * How much more CPU time work takes than on the whole, and when others had the core: processes that look at themselves,
 * yardsticks, and the machine's host. Without a load, a core as it was at rest.
 */
export function paceOf(measurement: Measurement, core: Core, loaded?: Loaded): Pace {
  const { idle, yardstickMs } = measurement;
  const watching = CORES[core].processes.reduce(
    (sum, name) => sum + (idle[name].main + idle[name].others) / 1000,
    yardstickMs[core] / 1000,
  );
  if (!loaded) return { slowness: () => 1, stolen: () => ({ part: watching, until: Infinity }) };
  const factors = factorsOf(loaded.pace[core], elasticityOf(core, measurement.steps));
  const spans = loaded.stolen[core];
  let next = 0;
  return {
    slowness: (now) => factors[Math.min(factors.length - 1, Math.floor(now / PACE_MS))] ?? 1,
    stolen: (now) => {
      while ((spans[next]?.to ?? Infinity) <= now) next++;
      const span = spans[next];
      if (!span || now < span.from) return { part: watching, until: span?.from ?? Infinity };
      const part = watching + (1 - watching) * Math.min(1, span.ms / (span.to - span.from));
      return { part: Math.min(MOST_STOLEN, part), until: span.to };
    },
  };
}

/** Slices: CPU time by work, and the windows of the yardstick that they have. */
interface Stretch {
  cost: number;
  windows: number[];
}

function stretchesOf(core: Core, { slices, pace }: Loaded): Stretch[] {
  const { processes, work } = CORES[core];
  const groups: Slice[][] = [[]];
  for (const slice of slices) {
    if (photosOf(groups.at(-1)) >= FEWEST_PHOTOS) groups.push([]);
    groups.at(-1)?.push(slice);
  }
  if (groups.length > 1 && photosOf(groups.at(-1)) < FEWEST_PHOTOS) {
    const rest = groups.pop() ?? [];
    groups.at(-1)?.push(...rest);
  }
  const times = (slice: Slice) =>
    processes.reduce((sum, name) => sum + slice.used[name].main + slice.used[name].others, 0);
  let [from, ms] = [0, 0];
  return groups.map((group, i) => {
    ms += 1000 * summed(group, ({ seconds }) => seconds);
    const to = i === groups.length - 1 ? Infinity : Math.round(ms / PACE_MS);
    const windows = pace[core].slice(from, to);
    from = to;
    return { cost: summed(group, times) / summed(group, work), windows };
  });
}

function photosOf(group: readonly Slice[] = []): number {
  return summed(group, ({ answered }) => answered);
}

function summed(slices: readonly Slice[], pick: (slice: Slice) => number): number {
  return slices.reduce((sum, slice) => sum + pick(slice), 0);
}

// By windows of the yardstick, 1 on the whole: the load as a whole is what its demands say.
function factorsOf(windows: readonly number[], elasticity: number): number[] {
  const usual = mean(windows.filter((ms) => ms > 0));
  const factors = windows.map((ms) => (ms > 0 ? (ms / usual) ** elasticity : 1));
  const level = mean(factors);
  return factors.map((factor) => factor / level);
}

/** By how much more a slice's work takes when the yardstick's does: of all loads, each against itself. */
export function elasticityOf(core: Core, loads: readonly Loaded[]): number {
  let [both, own] = [0, 0];
  for (const loaded of loads) {
    const points = stretchesOf(core, loaded)
      .map(({ cost, windows }) => [Math.log(mean(windows.filter((ms) => ms > 0))), Math.log(cost)] as const)
      .filter((point) => point.every(Number.isFinite));
    const [x, y] = [mean(points.map(([each]) => each)), mean(points.map(([, each]) => each))];
    for (const [yardstick, work] of points) {
      both += (yardstick - x) * (work - y);
      own += (yardstick - x) ** 2;
    }
  }
  return own > 0 ? Math.min(MOST_ELASTICITY, Math.max(0, both / own)) : 0;
}
