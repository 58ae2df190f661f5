// What each service costs: CPU time of its threads for requests that differ in planes, megabytes and views, eight clients
// asking (a process that is woken for every message by itself takes half as much again), and what preprocess takes for
// photos of several sizes, one at a time. CPU time is not waiting: no latency and no rate of a loaded system is taken.

import { PerformanceObserver, constants, type PerformanceEntry } from 'node:perf_hooks';
import type { LoopCost, Pauses, PixelCost, ServiceCosts } from '../../loadtest/simulate/costs.ts';
import { createClient, type VggClient } from '../../sdk/index.ts';
import { STEP_DURATION } from '../../services/preprocess/metrics.ts';
import { sharp } from '../../services/preprocess/loaders.ts';
import { evaluationViews, resolveEvaluation, viewCount } from '../../vgg/views.ts';
import type { ServiceProcess } from '../services.ts';
import { nonNegativeFit } from './fit.ts';
import { optionsOf } from './plans.ts';
import { mapped } from './mapped.ts';
import type { Usage } from './usage.ts';

/** What is measured. */
export interface Calibrated {
  costs: ServiceCosts;
  /** What they were fitted to: CPU milliseconds a request. */
  rows: CalibrationRow[];
  photos: PhotoRow[];
  pauses: Record<string, PauseRow>;
}

/** A kind of request, asked by eight clients. */
export interface CalibrationRow {
  request: string;
  requests: number;
  planes: number;
  megabytes: number;
  views: number;
  /** Milliseconds of a request: of the client's and each service's JavaScript thread. */
  main: Record<string, number>;
  /** Of all their other threads. */
  others: Record<string, number>;
  /** From one answer to the next. */
  everyMs: number;
}

/** Garbage collection of a process while one client asks, and its thread's CPU time meanwhile. */
export interface PauseRow {
  /** By kind: so many pauses, and what they took together, in milliseconds. */
  kinds: Record<string, { count: number; ms: number }>;
  mainMs: number;
  /** Answered. */
  requests: number;
}

/** A photo, prepared one at a time. */
export interface PhotoRow {
  width: number;
  height: number;
  decodeMs: number;
  /** Of a plane. */
  resizeMs: number;
  planeMegapixels: number;
  planes: number;
}

interface Facts {
  scales: readonly number[];
  inputSize: number;
  mean: { red: number; green: number; blue: number };
}

/** Services that run, by name, and how they are asked. */
export interface Running {
  services: Readonly<Record<'aggregator' | 'preprocess' | 'inference', ServiceProcess>>;
  client: VggClient;
  usage: Usage;
}

// Requests that differ in one thing at a time.
const KINDS = [
  'center-crop:72',
  'center-crop:64,66,68,70',
  'center-crop:200,208,216,224',
  'center-crop',
  'ten-crop',
  'dense',
  'multi-crop',
];
const WARM_MS = 8000;
const WARM = 24;
const MOST_MS = 3000;
/** So many ask while costs are measured. */
export const CALIBRATION_CLIENTS = 8;
const PAUSES_MS = 15_000;
type NodeGCPerformanceEntry = PerformanceEntry & { detail: { kind: number } };

// Those of V8 that stop its thread, as metrics name them.
const COLLECTIONS = {
  minor: constants.NODE_PERFORMANCE_GC_MINOR,
  major: constants.NODE_PERFORMANCE_GC_MAJOR,
  incremental: constants.NODE_PERFORMANCE_GC_INCREMENTAL,
};
const NAMES = ['minor', 'major', 'incremental'] as const;

/** Measures all of it; about three quarters of a minute. @param kind of request that will be predicted */
export async function calibrate(
  kind: string,
  running: Running,
  facts: Facts,
  photo: Buffer,
): Promise<Calibrated> {
  await warm(running, photo);
  const rows: CalibrationRow[] = [];
  for (const each of KINDS) rows.push(await askedFor(each, running, facts, photo));
  const pauses = await pausesOf(kind, running, photo);
  const photos: PhotoRow[] = [];
  for (const [width, height] of [
    [320, 256],
    [640, 480],
    [1600, 1200],
    [4000, 3000],
  ] as const) {
    photos.push(await prepared(width, height, running, facts));
  }
  return { costs: costsOf(rows, photos, pauses, photo.length / 1e6), rows, photos, pauses };
}

// Compilers need thousands of calls until code is as quick as it will be under load.
async function warm({ client }: Running, photo: Buffer): Promise<void> {
  const until = performance.now() + WARM_MS;
  const ask = async (place: number) => {
    for (let i = place; performance.now() < until; i++)
      await client.classify(photo, optionsOf(KINDS[i % KINDS.length] ?? ''));
  };
  await Promise.all(Array.from({ length: CALIBRATION_CLIENTS }, (_, place) => ask(place)));
}

async function askedFor(
  kind: string,
  { client, usage }: Running,
  facts: Facts,
  photo: Buffer,
): Promise<CalibrationRow> {
  const evaluation = resolveEvaluation(optionsOf(kind), facts);
  const { width, height } = await sharp(photo).metadata();
  const { planes } = evaluationViews({ width, height }, evaluation, facts.inputSize);
  const ask = async (until: () => boolean) => {
    let asked = 0;
    const one = async () => {
      while (!until()) {
        asked++;
        await client.classify(photo, optionsOf(kind));
      }
    };
    await Promise.all(Array.from({ length: CALIBRATION_CLIENTS }, one));
    return asked;
  };
  let warmed = 0;
  await ask(() => warmed++ >= WARM);
  const before = usage.read();
  const requests = await ask(() => performance.now() - before.at > MOST_MS);
  const after = usage.read();
  const spent = usage.between(before, after);
  return {
    request: kind,
    requests,
    planes: planes.length,
    megabytes: planes.reduce((sum, plane) => sum + (plane.width * plane.height * 3) / 1e6, 0),
    views: viewCount(evaluation),
    main: mapped(spent, ({ main }) => main / requests),
    others: mapped(spent, ({ others }) => others / requests),
    everyMs: (after.at - before.at) / requests,
  };
}

// One client, so that a pause is as long as its work: nobody else wants the core.
async function pausesOf(
  kind: string,
  { services, client, usage }: Running,
  photo: Buffer,
): Promise<Record<string, PauseRow>> {
  const own = mapped(COLLECTIONS, () => ({ count: 0, ms: 0 }));
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { duration, detail } = entry as NodeGCPerformanceEntry;
      const name = NAMES.find((each) => COLLECTIONS[each] === detail.kind);
      if (!name) continue;
      own[name].count++;
      own[name].ms += duration;
    }
  });
  const read = async (service: ServiceProcess) => {
    const of = async (name: keyof typeof COLLECTIONS) => ({
      count: await service.metric('nodejs_gc_duration_seconds_count', `kind="${name}"`),
      ms: 1000 * (await service.metric('nodejs_gc_duration_seconds_sum', `kind="${name}"`)),
    });
    return { minor: await of('minor'), major: await of('major'), incremental: await of('incremental') };
  };
  const readAll = async () => ({
    aggregator: await read(services.aggregator),
    preprocess: await read(services.preprocess),
    inference: await read(services.inference),
    client: structuredClone(own),
  });
  observer.observe({ entryTypes: ['gc'] });
  const before = { kinds: await readAll(), usage: usage.read() };
  const until = performance.now() + PAUSES_MS;
  let requests = 0;
  for (; performance.now() < until; requests++) await client.classify(photo, optionsOf(kind));
  const spent = usage.between(before.usage, usage.read());
  const after = await readAll();
  observer.disconnect();
  return mapped(spent, ({ main }, name) => ({
    kinds: mapped(after[name], ({ count, ms }, each) => ({
      count: count - before.kinds[name][each].count,
      ms: ms - before.kinds[name][each].ms,
    })),
    mainMs: main,
    requests,
  }));
}

async function prepared(
  width: number,
  height: number,
  { services, client }: Running,
  facts: Facts,
): Promise<PhotoRow> {
  const photo = await photoOf(width, height);
  const large = width > 320;
  const scales = large ? [256, 384, 512] : facts.scales;
  const options = { protocol: 'CENTER_CROP', scales, mean: facts.mean, inputSize: facts.inputSize } as const;
  const repeats = 15;
  const run = async (times: number) => {
    for (let i = 0; i < times; i++) {
      const planes = client.prepare(photo, options)[Symbol.asyncIterator]();
      while ((await planes.next()).done !== true);
    }
  };
  await run(4);
  const steps = async () => ({
    decode: await services.preprocess.metric(`${STEP_DURATION}_sum`, 'step="decode"'),
    resize: await services.preprocess.metric(`${STEP_DURATION}_sum`, 'step="resize"'),
  });
  const before = await steps();
  await run(repeats);
  const after = await steps();
  const evaluation = resolveEvaluation({ protocol: 'CENTER_CROP', scales }, { inputSize: facts.inputSize });
  const { planes } = evaluationViews({ width, height }, evaluation, facts.inputSize);
  return {
    width,
    height,
    decodeMs: (1000 * (after.decode - before.decode)) / repeats,
    resizeMs: (1000 * (after.resize - before.resize)) / repeats / planes.length,
    planes: planes.length,
    planeMegapixels:
      planes.reduce((sum, plane) => sum + (plane.width * plane.height) / 1e6, 0) / planes.length,
  };
}

/** The photo of this width and height that all of bench/capacity sends. */
export function photoOf(width: number, height: number): Promise<Buffer> {
  const base = sharp('test/golden/photo.png');
  return base.resize(width, height, { fit: 'fill', kernel: 'cubic' }).jpeg({ quality: 90 }).toBuffer();
}

function costsOf(
  rows: readonly CalibrationRow[],
  photos: readonly PhotoRow[],
  pauses: Readonly<Record<string, PauseRow>>,
  photoMegabytes: number,
): ServiceCosts {
  const fitted = (name: string, helpers: boolean): LoopCost => {
    const [call = 0, plane = 0, megabyte = 0, view = 0] = nonNegativeFit(
      // The client sees the photo alone, the others its planes too.
      rows.map(({ planes, megabytes, views }) =>
        name === 'client'
          ? [1, 0, 0, 0]
          : [1, planes, megabytes + photoMegabytes, name === 'preprocess' ? 0 : views],
      ),
      rows.map(({ main }) => main[name] ?? 0),
    );
    const sum = (pick: 'main' | 'others') => rows.reduce((all, row) => all + (row[pick][name] ?? 0), 0);
    return {
      ...{ call, plane, megabyte, view },
      helpers: helpers ? sum('others') / sum('main') : 0,
      pauses: pausesIn(pauses[name]),
    };
  };
  const aggregator = fitted('aggregator', true);
  // Other threads of these decode or compute, so that nobody can tell what garbage collection takes: as the aggregator's.
  const alike = (name: string) => ({ ...fitted(name, false), helpers: aggregator.helpers });
  return {
    client: fitted('client', true),
    // Measured apart, where it is asked over HTTP.
    gateway: { call: 0, plane: 0, megabyte: 0, view: 0, helpers: 0 },
    aggregator,
    preprocess: alike('preprocess'),
    inference: alike('inference'),
    pixels: pixelsOf(photos),
  };
}

function pausesIn(row?: PauseRow): Pauses[] {
  const { kinds = {}, mainMs = 0 } = row ?? {};
  const there = mainMs > 0 ? Object.values(kinds).filter(({ count }) => count > 0) : [];
  const all = there.reduce((sum, { ms }) => sum + ms, 0);
  // Some of a pause may have been another's who had the core.
  const own = Math.min(1, mainMs / 2 / all);
  return there.map(({ count, ms }) => ({ everyMs: mainMs / count, ms: (own * ms) / count }));
}

/** Lines through what photos took. */
export function pixelsOf(photos: readonly PhotoRow[]): PixelCost {
  const line = (xs: number[], ys: number[]) => {
    const [call = 0, megapixel = 0] = nonNegativeFit(
      xs.map((x) => [1, x]),
      ys,
    );
    return { call, megapixel };
  };
  return {
    decode: line(
      photos.map(({ width, height }) => (width * height) / 1e6),
      photos.map(({ decodeMs }) => decodeMs),
    ),
    resize: line(
      photos.map(({ planeMegapixels }) => planeMegapixels),
      photos.map(({ resizeMs }) => resizeMs),
    ),
  };
}

/** A client of running services. */
export function clientOf(services: Running['services']): VggClient {
  const { aggregator, preprocess, inference } = services;
  return createClient({
    aggregator: aggregator.address,
    preprocess: preprocess.address,
    inference: inference.address,
    deadlineMs: 120_000,
    retry: false,
  });
}
