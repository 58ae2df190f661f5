// Asks one replica of a service, as its callers do and without ever asking again: whether its answer is the right one.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { steadyClock } from '../../loadtest/clock.ts';
import type { LoadPhoto } from '../../loadtest/request.ts';
import { httpTarget } from '../../loadtest/targets/http.ts';
import { packageRoot } from '../../proto/package-root.ts';
import { createClient, type PreparedPlane, type VggClient } from '../../sdk/index.ts';
import type { Cluster, Replica } from './cluster.ts';
import { readPhotos, type Truth } from './truth.ts';

// A connection has at most a hundred calls.
const CLIENTS = 2;
const DEADLINE_MS = 60_000;
const PROTOCOL = 'TEN_CROP';

/** Asks one replica. Must be closed. */
export interface Asker {
  /** Whether the answer is right. @throws VggError where there is none */
  ask(): Promise<boolean>;
  close(): void;
}

/** An asker of a replica, whatever its service. */
export async function askerOf({ name, process }: Replica, cluster: Cluster, truth: Truth): Promise<Asker> {
  const [photo] = await readPhotos();
  if (!photo) throw new Error('Expected a photo');
  if (name === 'gateway') return gatewayAsker(process.address, photo, truth);
  const clients = Array.from({ length: CLIENTS }, () =>
    createClient({ [name]: process.address, retry: false, deadlineMs: DEADLINE_MS }),
  );
  let turn = 0;
  const client = () => clients[turn++ % CLIENTS] as VggClient;
  const close = () => {
    for (const each of clients) each.close();
  };
  switch (name) {
    case 'aggregator':
      return {
        async ask() {
          const { posterior } = await client().classify(photo.bytes, { protocol: PROTOCOL, posterior: true });
          return truth.fits(photo.name, PROTOCOL, posterior ?? []);
        },
        close,
      };
    case 'inference': {
      const planes = await prepared(cluster, photo.bytes);
      const ask = async () => truth.fits(photo.name, PROTOCOL, await scored(client(), planes));
      return { ask, close };
    }
    case 'preprocess': {
      // One that takes a while.
      const large = await readFile(join(packageRoot, 'test/golden/photos/large.jpg'));
      const how = await preparation(cluster);
      const right = await prepared(cluster, large);
      const ask = async () => same(await collect(client().prepare(large, how)), right);
      return { ask, close };
    }
  }
}

function gatewayAsker(url: string, photo: LoadPhoto, truth: Truth): Asker {
  const target = httpTarget({
    ...{ url: new URL(url), deadlineMs: DEADLINE_MS, cache: false, ask: { posterior: true } },
    clock: steadyClock,
  });
  const request = { photo, kind: { protocol: PROTOCOL, model: '' } } as const;
  const { signal } = new AbortController();
  return {
    ask: async () => truth.holds(request, await target.send(request, signal)),
    close: () => void target.close(),
  };
}

// The weighted mean of the views' posteriors, added up in the order of views.
async function scored(client: VggClient, planes: readonly PreparedPlane[]): Promise<Float64Array> {
  const weights = new Map(planes.flatMap(({ views }) => views.map(({ index, weight }) => [index, weight])));
  const scores = await collect(client.score(planes));
  const sum = new Float64Array(scores[0]?.posterior.length ?? 0);
  for (const { view, posterior } of scores.sort((a, b) => a.view - b.view))
    for (const [i, value] of posterior.entries()) sum[i] = (sum[i] ?? 0) + value * (weights.get(view) ?? NaN);
  return sum;
}

function addressesOf(cluster: Cluster, name: 'preprocess' | 'inference'): string {
  return cluster
    .of(name)
    .map(({ process }) => process.address)
    .join(',');
}

async function preparation(cluster: Cluster) {
  const client = createClient({ inference: addressesOf(cluster, 'inference') });
  const { mean, inputSize, scales } = await client.model();
  client.close();
  return { protocol: PROTOCOL, mean, inputSize, scales } as const;
}

async function prepared(cluster: Cluster, photo: Uint8Array): Promise<PreparedPlane[]> {
  const client = createClient({ preprocess: addressesOf(cluster, 'preprocess') });
  const planes = await collect(client.prepare(photo, await preparation(cluster)));
  client.close();
  return planes;
}

function same(planes: readonly PreparedPlane[], right: readonly PreparedPlane[]): boolean {
  return (
    planes.length === right.length &&
    planes.every(
      ({ plane, views }, i) =>
        views.length === right[i]?.views.length && Buffer.compare(plane.rgb8, right[i].plane.rgb8) === 0,
    )
  );
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
