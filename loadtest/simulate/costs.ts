// What services cost in CPU time, apart from engines: measured here one stage at a time (bench/capacity.ts writes them).
// Knows numbers; not where they are spent.

/** Pauses of a kind: so long, whenever the thread has worked so much. */
export interface Pauses {
  everyMs: number;
  ms: number;
}

/** What a process does beside its work: garbage collection. */
export interface LoopOverhead {
  /** What other threads of the process run beside each millisecond of it. */
  helpers: number;
  /** CPU milliseconds more of a piece of work that comes when the thread has nothing to do; 0 if not given. */
  wake?: number | undefined;
  /** Parts of the work that come all at once, as pauses of the thread, of one kind and another; none if not given. */
  pauses?: readonly Pauses[] | undefined;
}

/** CPU milliseconds of a process's JavaScript thread, as a linear function of what passes through. */
export interface LoopCost extends LoopOverhead {
  /** A request, half of it when it comes and half when it is answered. */
  call: number;
  /** A plane. */
  plane: number;
  /** A megabyte of photo or planes. */
  megabyte: number;
  /** A view's score. */
  view: number;
}

/** What photos cost to decode and resize: CPU milliseconds of a thread of its own. */
export interface PixelCost {
  decode: { call: number; megapixel: number };
  resize: { call: number; megapixel: number };
}

/** All services. */
export interface ServiceCosts {
  /** Whoever generates the load, where that runs on the same machine. */
  client: LoopCost;
  gateway: LoopCost;
  aggregator: LoopCost;
  preprocess: LoopCost;
  inference: LoopCost;
  pixels: PixelCost;
}

/** Nothing costs anything. */
export const FREE: LoopCost = { call: 0, plane: 0, megabyte: 0, view: 0, helpers: 0 };
