// A plan's arithmetic, by hand; and what holds however machines come and go: every photo is done once, every second of a
// machine is accounted for.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { courseOf, coursesOf, cutOf, rateOf, type Capacity } from '../../../infra/bulk/capacity.ts';

// 100 shards of 10 s in tasks of 20 s, each with a start of 20 s; machines need 100 s.
const CAPACITY: Capacity = {
  ...{ photos: 1000, photosPerSecond: 10, machines: 2, machineStart: 100, taskStart: 20 },
  ...{ interruptionsPerHour: 0, notice: true },
};
const CUT = { shardPhotos: 100, taskShards: 2 };

describe('the rate of a machine', () => {
  const machine = { gpus: 1, vcpus: 4, processes: 1 };

  test('is that of its slowest part, which is named', () => {
    expect(rateOf({ gpu: 0.5, cpu: 0.1, thread: 0.05 }, machine)).toEqual({
      ...{ photosPerSecond: 2, limit: 'gpu', parts: { gpu: 2, cpu: 40, thread: 20 } },
    });
    expect(rateOf({ gpu: 0.004, cpu: 0.025, thread: 0.005 }, machine)).toMatchObject({
      ...{ photosPerSecond: 160, limit: 'cpu' },
    });
    expect(rateOf({ gpu: 0.004, cpu: 0.025, thread: 0.0125 }, machine)).toMatchObject({
      ...{ photosPerSecond: 80, limit: 'thread' },
    });
  });

  test('grows with the part that limits it, until another one does', () => {
    const times = { gpu: 0.004, cpu: 0.025, thread: 0.0125 };
    expect(rateOf(times, { ...machine, processes: 4 })).toMatchObject({ photosPerSecond: 160, limit: 'cpu' });
    const more = rateOf(times, { ...machine, processes: 4, vcpus: 16 });
    expect(more).toMatchObject({ photosPerSecond: 250, limit: 'gpu' });
    expect(rateOf(times, { ...machine, gpus: 8 }).photosPerSecond).toBe(80);
  });
});

describe('a course', () => {
  test('without interruptions is what one reckons by hand', () => {
    // One machine has three tasks, 100 + 3 · 40 s; the other two.
    expect(courseOf(CAPACITY, CUT, 1)).toEqual({
      ...{ seconds: 220, machineSeconds: 220 + 180, useful: 100, starting: 2 * 100 + 5 * 20 },
      ...{ lost: 0, interruptions: 0, tasks: 5, shards: 10 },
    });
  });

  test('with a last shard that is short takes so much less', () => {
    expect(courseOf({ ...CAPACITY, photos: 950, machines: 1 }, CUT, 1)).toMatchObject({
      ...{ seconds: 100 + 5 * 20 + 95, useful: 95, tasks: 5, shards: 10 },
    });
  });

  test('does every photo once and accounts for every second, however machines come and go', () => {
    const capacities = fc.record({
      photos: fc.integer({ min: 1, max: 20_000 }),
      photosPerSecond: fc.double({ min: 0.1, max: 500, noNaN: true }),
      machines: fc.integer({ min: 1, max: 40 }),
      machineStart: fc.double({ min: 0, max: 600, noNaN: true }),
      taskStart: fc.double({ min: 0.01, max: 120, noNaN: true }),
      interruptionsPerHour: fc.double({ min: 0, max: 4, noNaN: true }),
      notice: fc.boolean(),
    });
    fc.assert(
      fc.property(capacities, fc.integer({ min: 0, max: 1000 }), (capacity, seed) => {
        const { machines, photos, photosPerSecond } = capacity;
        const course = courseOf(capacity, cutOf(capacity), seed);
        const close = (a: number, b: number) => {
          expect(Math.abs(a - b)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(b)));
        };
        close(course.useful * photosPerSecond, photos);
        close(course.useful + course.starting + course.lost, course.machineSeconds);
        expect(course.lost).toBeGreaterThanOrEqual(0);
        expect(course.seconds * machines * (1 + 1e-9)).toBeGreaterThanOrEqual(course.machineSeconds);
        if (capacity.interruptionsPerHour === 0) expect(course).toMatchObject({ lost: 0, interruptions: 0 });
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test('is no longer with more machines', () => {
    const seconds = Array.from(
      { length: 12 },
      (_, i) => courseOf({ ...CAPACITY, machines: i + 1 }, CUT, 1).seconds,
    );
    expect(seconds).toEqual([...seconds].sort((a, b) => b - a));
    // Five tasks are all that there are.
    expect([...new Set(seconds)]).toEqual([300, 220, 180, 140].filter((each) => seconds.includes(each)));
    expect(seconds.at(-1)).toBe(140);
  });

  test('takes longer where machines are taken away, longest without notice, and the same for the same seed', () => {
    const long = { ...CAPACITY, photos: 200_000, machines: 8 };
    const cut = cutOf(long);
    const mean = (capacity: Capacity) => {
      const courses = coursesOf(capacity, cut, 1, 40);
      expect(courses.map(({ seconds }) => seconds)).toEqual(
        courses.map(({ seconds }) => seconds).sort((a, b) => a - b),
      );
      return courses.reduce((sum, { machineSeconds }) => sum + machineSeconds, 0) / courses.length;
    };
    const spot = { ...long, interruptionsPerHour: 3 };
    expect(mean(spot)).toBeGreaterThan(mean(long));
    expect(mean({ ...spot, notice: false })).toBeGreaterThan(mean(spot));
    expect(courseOf(spot, cut, 7)).toEqual(courseOf(spot, cut, 7));
    expect(courseOf(spot, cut, 7)).not.toEqual(courseOf(spot, cut, 8));
  });

  test('that would not come to an end is refused', () => {
    const never = { ...CAPACITY, interruptionsPerHour: 1e5, notice: false };
    expect(() => courseOf(never, CUT, 1)).toThrow(
      'Expected machines that stay long enough to answer something but received 100000 interruptions an hour (--interruptions)',
    );
  });
});

describe('a cut', () => {
  test('has shards of two minutes, and tasks that balance starting and waiting', () => {
    // 31,250 s of work a machine and starts of 60 s: tasks of √(2 · 31,250 · 60) = 1,936 s, 16 shards of 120 s.
    const cut = { photos: 1e6, photosPerSecond: 4, machines: 8, taskStart: 60 };
    expect(cutOf(cut)).toEqual({ shardPhotos: 480, taskShards: 16 });
  });

  test('leaves no machine without a shard, and names for every shard', () => {
    expect(cutOf({ photos: 100, photosPerSecond: 10, machines: 10, taskStart: 60 })).toEqual({
      ...{ shardPhotos: 10, taskShards: 1 },
    });
    expect(cutOf({ photos: 1e12, photosPerSecond: 10, machines: 10, taskStart: 60 }).shardPhotos).toBe(1e7);
  });
});
