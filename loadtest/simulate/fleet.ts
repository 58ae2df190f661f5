// The tasks of one service: which are ready, who is next, who starts and who leaves, and what they have cost in hours.
// Knows time and chance; not what a task does.

import type { Random } from '../../vgg/random.ts';
import { Cores } from './cores.ts';
import type { LoopOverhead } from './costs.ts';
import { EventLoop } from './event-loop.ts';
import type { FleetSettings } from './settings.ts';
import { Streams } from './streams.ts';
import type { VirtualTime } from './virtual-time.ts';

/** A task: a process on cores. */
export class Task {
  readonly loop: EventLoop;
  readonly cores: Cores;
  /** When it began to be paid for. */
  readonly from: number;
  state: 'starting' | 'ready' | 'draining' | 'gone' = 'starting';
  /** Calls that it has in hand. */
  calls = 0;
  // Connections of this task to others, and whose turn it is among them.
  readonly #streams = new Map<Task, Streams>();
  readonly #turns = new Map<object, number>();

  constructor(cores: Cores, overhead: LoopOverhead, random: Random, from: number) {
    this.cores = cores;
    this.loop = new EventLoop(cores, overhead, random);
    this.from = from;
  }

  /** The next of some tasks, in turn. */
  next<Other extends Task>(fleet: Fleet<Other>): Other | undefined {
    const { ready } = fleet;
    if (ready.length === 0) return undefined;
    const turn = this.#turns.get(fleet) ?? fleet.firstTurn();
    this.#turns.set(fleet, turn + 1);
    return ready[turn % ready.length];
  }

  /** The connection to another task. */
  streamsTo(other: Task, most: number): Streams {
    const known = this.#streams.get(other);
    if (known) return known;
    const streams = new Streams(most);
    this.#streams.set(other, streams);
    return streams;
  }

  /** Most calls that waited for one of its connections at a time. */
  get mostWaiting(): number {
    return Math.max(0, ...[...this.#streams.values()].map(({ mostWaiting }) => mostWaiting));
  }
}

/** What a fleet stands on. */
export interface FleetOptions<Member extends Task> {
  time: VirtualTime;
  random: Random;
  settings: FleetSettings;
  /** Where tasks run that share a machine. */
  shared: Cores | undefined;
  create: (cores: Cores, from: number) => Member;
  /** A task leaves at once, with whatever it has in hand. */
  onLost?: (task: Member) => void;
}

/** Starts of tasks, for reports. */
export interface ColdStart {
  /** Milliseconds. */
  at: number;
  seconds: number;
  /** Tasks that were ready when it began. */
  ready: number;
}

/** All tasks of a service. */
export class Fleet<Member extends Task> {
  readonly #options: FleetOptions<Member>;
  readonly #tasks: Member[] = [];
  readonly starts: ColdStart[] = [];
  ready: readonly Member[] = [];
  desired = 0;
  #paidMs = 0;
  #usedMsGone = 0;

  constructor(options: FleetOptions<Member>) {
    this.#options = options;
    this.desired = options.settings.tasks;
    for (let i = 0; i < options.settings.tasks; i++) this.#create('ready');
    this.#sort();
  }

  /** Tasks that are paid for. */
  get size(): number {
    return this.#tasks.length;
  }

  get tasks(): readonly Member[] {
    return this.#tasks;
  }

  /** Task-milliseconds paid for until now, from a task's launch to its end. */
  get paidMs(): number {
    const now = this.#options.time.now();
    return this.#paidMs + this.#tasks.reduce((sum, { from }) => sum + now - from, 0);
  }

  /** Core-milliseconds used by all tasks, those that are gone too. */
  get usedMs(): number {
    return this.#usedMsGone + this.#tasks.reduce((sum, { cores }) => sum + cores.usedMs, 0);
  }

  /** Where a caller's first turn falls. */
  firstTurn(): number {
    return this.#options.random.integer(1024);
  }

  /** Starts or drains tasks until there are so many. */
  want(tasks: number): void {
    this.desired = tasks;
    const staying = this.#tasks.filter(({ state }) => state !== 'draining');
    for (let i = staying.length; i < tasks; i++) this.#start();
    // Those that start go first, then the youngest.
    const order = [...staying].sort(
      (a, b) => Number(a.state === 'ready') - Number(b.state === 'ready') || b.from - a.from,
    );
    for (const task of order.slice(0, Math.max(0, staying.length - tasks))) this.#drain(task);
    this.#sort();
  }

  /** A call is over. */
  left(task: Member): void {
    task.calls--;
    if (task.state === 'draining' && task.calls === 0) this.#end(task);
  }

  /** Loses a task, as a machine that dies, and starts another if it is still wanted. */
  lose(task: Member): void {
    if (task.state === 'gone') return;
    this.#end(task);
    this.#sort();
    this.#options.onLost?.(task);
    this.want(this.desired);
  }

  #create(state: Task['state']): Member {
    const { time, settings, shared, create } = this.#options;
    const cores =
      (settings.vcpu === undefined ? shared : undefined) ??
      new Cores(time, settings.vcpu ?? 1, settings.pace);
    const task = create(cores, time.now());
    task.state = state;
    this.#tasks.push(task);
    return task;
  }

  #start(): void {
    const { time, random, settings } = this.#options;
    const task = this.#create('starting');
    const seconds = settings.start.reduce(
      (sum, phase) => sum + phase.seconds * Math.exp(Math.log(phase.spread) * random.normal()),
      0,
    );
    this.starts.push({ at: time.now(), seconds, ready: this.ready.length });
    time.after(seconds * 1000, () => {
      if (task.state !== 'starting') return;
      task.state = 'ready';
      this.#sort();
    });
  }

  #drain(task: Member): void {
    if (task.state === 'ready' && task.calls > 0) task.state = 'draining';
    else this.#end(task);
  }

  #end(task: Member): void {
    task.state = 'gone';
    this.#paidMs += this.#options.time.now() - task.from;
    this.#usedMsGone += task.cores.usedMs;
    this.#tasks.splice(this.#tasks.indexOf(task), 1);
  }

  #sort(): void {
    this.ready = this.#tasks.filter(({ state }) => state === 'ready');
  }
}
