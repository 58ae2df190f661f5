// How long a job takes on so many machines, and what it costs: shards in tasks, tasks on machines that take time to
// start and may be taken away. Pure arithmetic and a seeded simulation of it. Knows no cloud's interfaces.

import { expected } from '../../vgg/errors.ts';
import { randomAt, type Random } from '../../vgg/random.ts';

/** What a photo takes of a machine's parts. Times in seconds. */
export interface PhotoTimes {
  /** Of one GPU. */
  gpu: number;
  /** Of all cores together, the JavaScript thread's included. */
  cpu: number;
  /** Of the JavaScript thread of the process that answers it. */
  thread: number;
}

/** A machine. */
export interface Machine {
  gpus: number;
  vcpus: number;
  /** That answer, each with a JavaScript thread. */
  processes: number;
}

/** How many photos a second a machine answers at most: those of its part that can do least. */
export interface Rate {
  photosPerSecond: number;
  limit: keyof PhotoTimes;
  /** Of each part, if the others waited for nothing. */
  parts: Record<keyof PhotoTimes, number>;
}

/** The rate of a machine whose parts all work at once, on different photos. Of parts that are as slow the first is named. */
export function rateOf({ gpu, cpu, thread }: PhotoTimes, { gpus, vcpus, processes }: Machine): Rate {
  const parts = { gpu: gpus / gpu, cpu: vcpus / cpu, thread: processes / thread };
  let limit: keyof PhotoTimes = 'gpu';
  for (const part of ['cpu', 'thread'] as const) if (parts[part] < parts[limit]) limit = part;
  return { photosPerSecond: parts[limit], limit, parts };
}

/** What a job runs on. Times in seconds. */
export interface Capacity {
  photos: number;
  /** Of one machine that is at work. */
  photosPerSecond: number;
  machines: number;
  /** Until a machine that was asked for can start its first task. */
  machineStart: number;
  /** Of a task, until its first photo is begun: container, models, warm-up. */
  taskStart: number;
  /** Expected times that one machine is taken away in an hour; 0: never. */
  interruptionsPerHour: number;
  /** Whether a machine's end is told in time for a task to keep the photos it has answered. */
  notice: boolean;
}

/** How a job is cut. */
export interface Cut {
  /** Photos a shard: what is committed at once. */
  shardPhotos: number;
  /** Shards a task: what is started at once. */
  taskShards: number;
}

/** What a run came to. Times in seconds. */
export interface Course {
  /** From the first machine asked for to the last shard committed. */
  seconds: number;
  /** Of all machines together, from when each is asked for until it has nothing more to do. */
  machineSeconds: number;
  /** Of them, in which photos were answered that counted. */
  useful: number;
  /** Starting machines and tasks. */
  starting: number;
  /** Work that was lost with machines that were taken away, and is done again. */
  lost: number;
  interruptions: number;
  tasks: number;
  shards: number;
}

const SHARD_SECONDS = 120;
const [LEAST_PHOTOS, MOST_PHOTOS] = [10, 5000];
// Of an ECS task's overrides (8,192 characters) each shard takes 8.
const MOST_TASK_SHARDS = 500;

/**
 * Shards that take about two minutes, so that little is lost with a machine, and tasks so long that starting them and
 * waiting for the last one cost least together: with W seconds of work a machine, tasks of T seconds and starts of s,
 * starts take W·s/T and the last tasks end T/2 apart on average, so T = √(2·W·s).
 */
export function cutOf(capacity: Omit<Capacity, 'machineStart' | 'notice' | 'interruptionsPerHour'>): Cut {
  const { photos, photosPerSecond, machines, taskStart } = capacity;
  // No machine without a shard, and no more shards than the names of shards count.
  const most = Math.max(1, Math.ceil(photos / machines));
  const wanted = clamp(Math.round(photosPerSecond * SHARD_SECONDS), LEAST_PHOTOS, MOST_PHOTOS);
  const shardPhotos = Math.max(Math.min(wanted, most), Math.ceil(photos / 100_000));
  const work = photos / photosPerSecond / machines;
  const taskSeconds = Math.sqrt(2 * work * taskStart);
  const taskShards = Math.round((taskSeconds * photosPerSecond) / shardPhotos);
  const shards = Math.ceil(photos / shardPhotos);
  return {
    shardPhotos,
    taskShards: clamp(taskShards, 1, Math.min(MOST_TASK_SHARDS, Math.ceil(shards / machines))),
  };
}

// Attempts at a task, on average, of which not one got to the end of a shard.
const MOST_ATTEMPTS = 1000;

/**
 * One course that a run may take: when machines are taken away is drawn.
 *
 * @throws VggError INVALID_ARGUMENT if they are taken away so soon that a job would not come to its end
 */
export function courseOf(capacity: Capacity, { shardPhotos, taskShards }: Cut, seed: number): Course {
  const { photos, photosPerSecond, machines, machineStart, taskStart } = capacity;
  const shards = Math.ceil(photos / shardPhotos);
  const course: Course = {
    ...{ seconds: 0, machineSeconds: 0, useful: 0, starting: 0, lost: 0, interruptions: 0 },
    ...{ tasks: Math.ceil(shards / taskShards), shards },
  };
  const chance = randomAt(seed, 'interruptions');
  // When each machine is free; idle ones take the next task. A task that was cut off goes on where it is tried again.
  const free: Slot[] = Array.from({ length: machines }, () => ({ at: 0, started: false, ends: Infinity }));
  const queue = Array.from({ length: course.tasks }, (_, task) =>
    Math.min(taskShards * shardPhotos, photos - task * taskShards * shardPhotos),
  );
  for (let left = queue.shift(); left !== undefined; left = queue.shift()) {
    const machine = earliest(free);
    const begun = machine.at;
    if (!machine.started) {
      machine.started = true;
      machine.at += machineStart;
      course.starting += machineStart;
      machine.ends = machine.at + lifetime(capacity, chance);
    }
    const ready = machine.at + taskStart;
    const done = ready + left / photosPerSecond;
    if (done <= machine.ends) {
      course.starting += taskStart;
      course.useful += left / photosPerSecond;
      machine.at = done;
    } else {
      if (++course.interruptions > MOST_ATTEMPTS * course.tasks) {
        throw expected(
          'machines that stay long enough to answer something',
          `${String(capacity.interruptionsPerHour)} interruptions an hour`,
          '--interruptions',
        );
      }
      const worked = Math.max(0, machine.ends - ready);
      course.starting += Math.min(taskStart, machine.ends - machine.at);
      // What is committed is safe: whole shards; or each photo, where there was notice.
      const step = capacity.notice ? 1 : shardPhotos;
      const kept = Math.floor((worked * photosPerSecond) / step) * step;
      course.useful += kept / photosPerSecond;
      course.lost += worked - kept / photosPerSecond;
      queue.unshift(left - kept);
      machine.at = machine.ends;
      machine.started = false;
    }
    course.machineSeconds += machine.at - begun;
    course.seconds = Math.max(course.seconds, machine.at);
  }
  return course;
}

/** Courses of several seeds, by time: the first is the quickest. */
export function coursesOf(capacity: Capacity, cut: Cut, seed: number, count: number): Course[] {
  const courses = Array.from({ length: count }, (_, i) => courseOf(capacity, cut, seed + i));
  return courses.sort((a, b) => a.seconds - b.seconds);
}

interface Slot {
  at: number;
  started: boolean;
  ends: number;
}

function earliest(machines: readonly Slot[]): Slot {
  let [first] = machines;
  for (const machine of machines) if (first && machine.at < first.at) first = machine;
  if (!first) throw new RangeError('No machines');
  return first;
}

// Machines are taken away at a constant rate, whatever their age.
function lifetime({ interruptionsPerHour }: Capacity, chance: Random): number {
  if (interruptionsPerHour === 0) return Infinity;
  return (-Math.log(1 - chance.next()) * 3600) / interruptionsPerHour;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), Math.max(least, most));
}
