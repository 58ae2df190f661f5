// From options to what the load test does: the loads, the workload, the target. Knows what each combination of options
// means, and which mean nothing.

import { readFile } from 'node:fs/promises';
import type { Curve } from '../../loadtest/arrivals/curve.ts';
import { fitted, length, steady } from '../../loadtest/arrivals/curve.ts';
import { namedCurve, parseTrace } from '../../loadtest/arrivals/trace.ts';
import { steadyClock } from '../../loadtest/clock.ts';
import type { Question } from '../../loadtest/load-test.ts';
import { readPhotos } from '../../loadtest/photos.ts';
import type { Ask, Target } from '../../loadtest/request.ts';
import type { Transport } from '../../loadtest/result.ts';
import { grpcTarget } from '../../loadtest/targets/grpc.ts';
import { httpTarget } from '../../loadtest/targets/http.ts';
import { readTls, type ClientTls } from '../../loadtest/targets/tls.ts';
import { kindsOf, type WorkloadOptions } from '../../loadtest/workload.ts';
import { VggError, expected } from '../../vgg/errors.ts';
import { boundOf, type LoadTestFlags } from './flags.ts';

const SECONDS = 30;
const MOST_STEPS = 20;

/** What is to be found out. @throws VggError INVALID_ARGUMENT where options contradict each other */
export async function questionOf(flags: LoadTestFlags): Promise<Question> {
  const { rate, concurrency, trace, arrivals, duration, minRequests, precision } = flags;
  const given = Object.entries({ '--rate': rate, '--concurrency': concurrency, '--trace': trace })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name);
  if (given.length > 1) {
    throw expected('one of --rate, --concurrency and --trace', given.join(' and '), 'load');
  }
  const seconds = duration ?? SECONDS;
  if (concurrency) {
    if (arrivals) throw expected('--arrivals with --rate or --trace', '--concurrency', '--arrivals');
    return { loads: concurrency.map((each) => ({ loop: 'closed', concurrency: each, seconds })) };
  }
  const spread = arrivals ?? 'poisson';
  if (rate !== undefined) return { loads: [{ loop: 'open', spread, curve: steady(rate, seconds) }] };
  if (trace !== undefined) {
    return { loads: [{ loop: 'open', spread, curve: await curveOf(trace, duration), trace: true }] };
  }
  if (!boundOf(flags)) {
    throw expected(
      'a load (--rate, --concurrency, --trace) or a bound to search with (--slo-p99)',
      'neither',
      'load',
    );
  }
  if (spread !== 'poisson') throw expected('poisson for a search', spread, '--arrivals');
  return {
    search: {
      leastSeconds: duration ?? 10,
      leastRequests: minRequests,
      precision: 1 + precision,
      mostSteps: MOST_STEPS,
    },
  };
}

async function curveOf(trace: string, duration: number | undefined): Promise<Curve> {
  const named = namedCurve(trace, duration ?? 60);
  if (named)
    return duration === undefined && trace.startsWith('burst')
      ? fitted(named, 60)
      : fitted(named, duration ?? length(named));
  const text = await readFile(trace, 'utf8').catch((cause: unknown) => {
    throw new VggError(
      'NOT_FOUND',
      `Expected a readable file, or burst:LOW..HIGH, day:LOW..HIGH or ramp:LOW..HIGH, but received ${trace} (--trace)`,
      { cause },
    );
  });
  const curve = parseTrace(text, trace);
  return fitted(curve, duration ?? length(curve));
}

/** What is sent. @throws VggError where there are no photos */
export async function workloadOf({
  photos,
  protocol,
  model,
  cancel,
  slow,
  seed,
}: LoadTestFlags): Promise<WorkloadOptions> {
  return {
    photos: await readPhotos(photos, seed),
    kinds: kindsOf(protocol ?? [{ what: 'MULTI_CROP', weight: 1 }], model ?? [{ what: '', weight: 1 }]),
    ...(cancel && { cancel: { part: cancel.part, withinMs: cancel.amount } }),
    ...(slow && { slow: { part: slow.part, bytesPerSecond: slow.amount } }),
  };
}

/** Who is asked. @throws VggError INVALID_ARGUMENT where the target or a file of TLS is none */
export async function targetOf(
  address: string,
  flags: LoadTestFlags,
  apiKey: string | undefined,
): Promise<{ target: Target; transport: Transport; tls: ClientTls | undefined }> {
  const { scales, grid, align, share, stop, timeout, retries, connections, cache = false } = flags;
  const tls = await readTls(flags);
  const ask: Ask = {
    ...(scales && { scales }),
    ...(grid !== undefined && { grid }),
    ...(align !== undefined && { align }),
    ...(share && { share }),
    ...(stop && { stop }),
  };
  const common = { deadlineMs: timeout * 1000, ask, clock: steadyClock };
  if (/^https?:\/\//i.test(address)) {
    if (retries > 0) throw expected('--retries with a gRPC target', address, '--retries');
    if (connections !== undefined) {
      throw expected('--connections with a gRPC target', address, '--connections');
    }
    if (!URL.canParse(address)) throw expected('http(s)://HOST:PORT', address, 'target');
    const url = new URL(address);
    if (tls && url.protocol === 'http:') {
      throw expected('https:// with --ca, --cert, --key or --server-name', address, 'target');
    }
    return { target: httpTarget({ ...common, url, tls, cache, apiKey }), transport: 'http', tls };
  }
  if (cache) throw expected('--cache with a gateway, http(s)://HOST:PORT', address, '--cache');
  const [, scheme, place = address] = /^(grpcs?):\/\/(.*?)\/?$/i.exec(address) ?? [];
  const secure = tls ?? scheme?.toLowerCase() === 'grpcs';
  const metadata = apiKey === undefined ? undefined : { authorization: `Bearer ${apiKey}` };
  return {
    target: grpcTarget({
      ...common,
      ...{ address: place, tls: secure, connections, attempts: 1 + retries, metadata },
    }),
    transport: 'grpc',
    tls,
  };
}
