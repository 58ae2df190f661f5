// The ways in which eight processes are joined: by addresses, through proxies, by TLS, by names. Knows what each needs
// beside the processes; no fault.

import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ServiceName } from '../../bench/services.ts';
import { packageRoot } from '../../proto/package-root.ts';
import { Authority } from './certificates.ts';
import { Cluster } from './cluster.ts';
import type { Topology } from './fault.ts';
import { NameServer } from './name-server.ts';

/** A topology that runs. */
export interface Built {
  readonly cluster: Cluster;
  stop(): Promise<void>;
}

/** The folder of models that a replica of inference has for itself, so that it can be spoilt. */
export const modelsOf = new WeakMap<Cluster, (place: number) => string>();
/** Who signs the certificates of a cluster with TLS. */
export const authorityOf = new WeakMap<Cluster, Authority>();
/** Who knows the addresses of a cluster with names. */
export const nameServerOf = new WeakMap<Cluster, NameServer>();

const MODEL = 'caltech-101-d';
/** Loaded into each process: its clock can then be set by a signal. */
const CLOCK = pathToFileURL(join(packageRoot, 'dist/test/faults/settable-clock.js')).href;

/** Starts one. */
export async function startTopology(
  topology: Topology,
  { silenceMs, deadlineMs }: { silenceMs: number; deadlineMs: number },
): Promise<Built> {
  const folder = await mkdtemp(join(tmpdir(), 'vgg-faults-'));
  const models = (place: number) => join(folder, `models-${String(place)}`);
  for (const place of [0, 1]) {
    await mkdir(models(place));
    await cp(join(packageRoot, 'models', MODEL), join(models(place), MODEL), { recursive: true });
  }
  const authority = topology === 'tls' ? new Authority(join(folder, 'ca')) : undefined;
  const names = topology === 'names' ? await NameServer.start() : undefined;
  const stop = async () => {
    await names?.close();
    await rm(folder, { recursive: true, force: true });
  };
  const env = (name: ServiceName, place: number): Record<string, string> => ({
    ...(name === 'inference' && { VGG_INFERENCE_MODELS: models(place) }),
    ...(authority && authority.variablesOf(name, place)),
    ...(names && { GRPC_NODE_USE_ALTERNATIVE_RESOLVER: 'true' }),
  });
  try {
    const cluster = await Cluster.start({
      proxied: topology === 'proxied',
      nodeOptions: ['--import', CLOCK],
      ...{ silenceMs, deadlineMs, env },
      ...(names && { nameOf: (name: ServiceName, port: number) => names.target(name, port) }),
    });
    modelsOf.set(cluster, (place) => join(models(place), MODEL));
    if (authority) authorityOf.set(cluster, authority);
    if (names) nameServerOf.set(cluster, names);
    return { cluster, stop: () => cluster.stop().finally(stop) };
  } catch (error) {
    await stop();
    throw error;
  }
}
