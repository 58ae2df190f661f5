// The project's load generator beside ghz (gRPC) and vegeta (HTTP), against the same servers:
//
//     node dist/bench/load-generators.js --ghz PATH --vegeta PATH [--rounds 3] [--seconds 8] [--rate 10] [--floor-rate 200]
//
// Each sends at a constant rate, whatever the server does; they take turns, and figures are medians of rounds. Real
// services show whether they agree; a server that answers at once shows what each generator adds by itself, and up to
// which rate 99 % of its answers come within `--most-p99` ms. Vegeta and this project's generator count from the moment
// a request was meant to start or was sent; ghz from the sending. Both gRPC generators have as many connections.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { cpus, tmpdir } from 'node:os';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { steady } from '../loadtest/arrivals/curve.ts';
import { steadyClock } from '../loadtest/clock.ts';
import type { LoadPhoto, Target } from '../loadtest/request.ts';
import { runStep } from '../loadtest/step.ts';
import { grpcTarget } from '../loadtest/targets/grpc.ts';
import { httpTarget } from '../loadtest/targets/http.ts';
import { packageDefinition } from '../proto/definitions.ts';
import { packageRoot } from '../proto/package-root.ts';
import { startStack } from '../cli/stack.ts';
import { readConfig } from '../services/gateway/config.ts';
import { startGateway } from '../services/gateway/main.ts';
import { median } from './median.ts';
import { parseOptions } from './options.ts';

const { values } = parseOptions(import.meta.url, {
  options: {
    ghz: { type: 'string' },
    vegeta: { type: 'string' },
    serve: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '8' },
    rate: { type: 'string', default: '10' },
    'floor-rate': { type: 'string', default: '200' },
    'most-p99': { type: 'string', default: '50' },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const mostP99 = Number(values['most-p99']);
const CALL = 'vgg.v1.AggregatorService.Classify';
const QUERY = 'protocol=center-crop';
const CONNECTIONS = 8;
// A search ends when the rate that is too high is so much larger than the one that is not.
const PRECISION = 1.1;
const run = promisify(execFile);

/** Milliseconds; errors are requests that failed. */
interface Figures {
  p50: number;
  p90: number;
  p99: number;
  perSecond: number;
  errors: number;
  /** The generator says itself that it could not keep up. */
  saturated?: boolean;
}

interface Addresses {
  grpc: string;
  http: string;
}

type Generator = (address: string, rate: number) => Promise<Figures>;

const photo: LoadPhoto = {
  name: 'photo.png',
  bytes: await readFile(join(packageRoot, 'test/golden/photo.png')),
};
if (values.serve === undefined) await measure();
else await serve(values.serve === 'real' ? await realServers() : await trivialServers());

async function measure(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'vgg-load-generators-'));
  const request = join(folder, 'request.json');
  const asked = {
    photo: Buffer.from(photo.bytes).toString('base64'),
    evaluation: { protocol: 'PROTOCOL_CENTER_CROP' },
  };
  await writeFile(request, JSON.stringify(asked));
  await writeFile(join(folder, photo.name), photo.bytes);
  const grpc = { ours: (a: string, r: number) => ours(grpcOf(a), r), ghz: ghzOf(values.ghz, request) };
  const http = {
    ours: (a: string, r: number) => ours(httpOf(a), r),
    vegeta: vegetaOf(values.vegeta, folder),
  };
  console.log(
    `${cpus()[0]?.model ?? 'unknown processor'}, ${String(cpus().length)} cores; ${String(rounds)} rounds of ${String(seconds)} s, medians; times in ms`,
  );
  await against('real', async (servers) => {
    await compare('gRPC, real services', servers.grpc, Number(values.rate), grpc);
    await compare('HTTP, real services', servers.http, Number(values.rate), http);
  });
  await against('trivial', async (servers) => {
    for (const factor of [1, 2, 3]) {
      const rate = factor * Number(values['floor-rate']);
      await compare('gRPC, answers at once', servers.grpc, rate, grpc);
      await compare('HTTP, answers at once', servers.http, rate, http);
    }
    await compareMost('gRPC', servers.grpc, grpc);
    await compareMost('HTTP', servers.http, http);
  });
  await rm(folder, { recursive: true });
}

// Servers in a process of their own: they must not share an event loop with a generator.
async function against(which: string, use: (servers: Addresses) => Promise<void>): Promise<void> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), '--serve', which], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  try {
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    await use(JSON.parse(line) as Addresses);
  } finally {
    child.stdin.end();
    await exited;
  }
}

// Until whoever started it closes its end.
async function serve({ close, ...addresses }: Addresses & { close: () => unknown }): Promise<void> {
  console.log(JSON.stringify(addresses));
  await once(process.stdin.resume(), 'end');
  await close();
  process.exit(0);
}

async function compare(
  title: string,
  address: string,
  rate: number,
  generators: Record<string, Generator | undefined>,
): Promise<void> {
  const there = Object.entries(generators).filter(
    (each): each is [string, Generator] => each[1] !== undefined,
  );
  console.log(`\n${title}, ${String(rate)} requests a second`);
  const results = new Map<string, Figures[]>(there.map(([name]) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    // Nobody is always first.
    const turn = round % 2 === 0 ? there : there.toReversed();
    for (const [name, generator] of turn) results.get(name)?.push(await generator(address, rate));
  }
  const middle = (name: string, key: Exclude<keyof Figures, 'saturated'>) =>
    median((results.get(name) ?? []).map((each) => each[key]));
  for (const [name] of there) {
    const times = (['p50', 'p90', 'p99'] as const).map((key) => `${key} ${middle(name, key).toFixed(2)}`);
    console.log(
      `  ${name.padEnd(7)} ${times.join('  ')}  ${middle(name, 'perSecond').toFixed(1)}/s, ${String(middle(name, 'errors'))} errors`,
    );
  }
  for (const [name] of there.filter(([each]) => each !== 'ours')) {
    const ratios = (['p50', 'p90', 'p99'] as const).map(
      (key) => `${key} ${(middle('ours', key) / middle(name, key)).toFixed(2)}`,
    );
    console.log(`  ours / ${name}: ${ratios.join('  ')}`);
  }
}

async function compareMost(
  title: string,
  address: string,
  generators: Record<string, Generator | undefined>,
): Promise<void> {
  console.log(`\n${title}, answers at once: most requests a second with p99 ≤ ${String(mostP99)} ms`);
  const found = new Map<string, number>();
  for (const [name, generator] of Object.entries(generators)) {
    if (!generator) continue;
    const searches: number[] = [];
    for (let round = 0; round < rounds; round++) searches.push(await most(address, generator));
    found.set(name, median(searches));
    console.log(`  ${name.padEnd(7)} ${searches.map((each) => each.toFixed(0)).join(', ')}/s`);
  }
  const own = found.get('ours') ?? NaN;
  for (const [name, rate] of found) {
    if (name !== 'ours') console.log(`  ours / ${name}: ${(own / rate).toFixed(2)}`);
  }
}

// Doubles, then halves the gap. A rate is kept if all was sent and answered in time, and the generator says nothing else.
async function most(address: string, generator: Generator): Promise<number> {
  const keeps = async (rate: number) => {
    const { p99, perSecond, errors, saturated = false } = await generator(address, rate);
    return p99 <= mostP99 && perSecond >= 0.97 * rate && errors === 0 && !saturated;
  };
  let kept = 0;
  let broken = Number(values['floor-rate']) / 2;
  while (await keeps(broken)) {
    kept = broken;
    broken *= 2;
  }
  while (kept > 0 && broken > kept * PRECISION) {
    const middle = Math.round(Math.sqrt(kept * broken));
    if (await keeps(middle)) kept = middle;
    else broken = middle;
  }
  return kept;
}

async function ours(target: Target, rate: number): Promise<Figures> {
  try {
    const { latency, requests, answersPerSecond, generator } = await runStep({
      load: { loop: 'open', spread: 'constant', curve: steady(rate, seconds) },
      warmUpSeconds: 1,
      workload: { kinds: [{ what: { protocol: 'CENTER_CROP', model: '' }, weight: 1 }], photos: [photo] },
      target,
      seed: 1,
    });
    const { saturated } = generator;
    if (saturated !== undefined) console.log(`  ours at ${String(rate)}/s could not keep up: ${saturated}`);
    const { p50, p90, p99 } = latency;
    return {
      p50,
      p90,
      p99,
      perSecond: answersPerSecond,
      errors: requests.failed,
      saturated: saturated !== undefined,
    };
  } finally {
    await target.close();
  }
}

function grpcOf(address: string): Target {
  return grpcTarget({
    address,
    deadlineMs: 60_000,
    connections: CONNECTIONS,
    attempts: 1,
    clock: steadyClock,
  });
}

function httpOf(address: string): Target {
  return httpTarget({ url: new URL(address), deadlineMs: 60_000, cache: false, clock: steadyClock });
}

function ghzOf(path: string | undefined, request: string): Generator | undefined {
  if (path === undefined) return undefined;
  return async (address, rate) => {
    const { stdout } = await run(
      path,
      [
        ...['--insecure', '--async', '--proto', join(packageRoot, 'proto/vgg/v1/aggregator_service.proto')],
        ...['--import-paths', join(packageRoot, 'proto'), '--call', CALL, '--data-file', request],
        ...['--rps', String(rate), '--total', String(rate * (seconds + 1)), '--skipFirst', String(rate)],
        // Workers enough that none is waited for.
        ...['--connections', String(Math.min(rate, CONNECTIONS))],
        ...['--concurrency', String(Math.min(rate, 500)), '--timeout', '60s', '--format', 'json', address],
      ],
      { maxBuffer: 256 * 1024 * 1024 },
    );
    const { latencyDistribution, rps, statusCodeDistribution } = JSON.parse(stdout) as {
      latencyDistribution: { percentage: number; latency: number }[];
      rps: number;
      statusCodeDistribution: Record<string, number>;
    };
    const at = (percentage: number) =>
      (latencyDistribution.find((each) => each.percentage === percentage)?.latency ?? NaN) / 1e6;
    const failed = Object.entries(statusCodeDistribution).filter(([code]) => code !== 'OK');
    // Its rate is of all its time, the requests that were skipped left out.
    const errors = failed.reduce((sum, [, count]) => sum + count, 0);
    return { p50: at(50), p90: at(90), p99: at(99), perSecond: (rps * (seconds + 1)) / seconds, errors };
  };
}

function vegetaOf(path: string | undefined, folder: string): Generator | undefined {
  if (path === undefined) return undefined;
  return async (address, rate) => {
    const targets = join(folder, 'targets');
    const results = join(folder, 'results');
    const headers = 'Content-Type: image/png\nCache-Control: no-cache\nAccept: application/json';
    await writeFile(
      targets,
      `POST ${address}/v1/classify?${QUERY}\n${headers}\n@${join(folder, photo.name)}\n`,
    );
    const attack = (lasts: number) =>
      run(path, [
        ...['attack', '-targets', targets, '-output', results, '-timeout', '60s'],
        ...['-rate', `${String(rate)}/1s`, '-duration', `${String(lasts)}s`],
      ]);
    // Its warm-up is an attack of its own.
    await attack(1);
    await attack(seconds);
    const { stdout } = await run(path, ['report', '-type', 'json', results]);
    const report = JSON.parse(stdout) as {
      latencies: Record<'50th' | '90th' | '99th', number>;
      throughput: number;
      requests: number;
      success: number;
    };
    const at = (key: '50th' | '90th' | '99th') => report.latencies[key] / 1e6;
    const errors = Math.round(report.requests * (1 - report.success));
    return { p50: at('50th'), p90: at('90th'), p99: at('99th'), perSecond: report.throughput, errors };
  };
}

async function realServers() {
  const stack = await startStack({ models: join(packageRoot, 'models'), logLevel: 'silent', env: {} });
  const behind = { aggregator: stack.aggregator.address, inference: stack.inference.address };
  const gateway = await startGateway({ ...readConfig({}), port: 0, logLevel: 'silent', ...behind });
  return {
    grpc: stack.aggregator.address,
    http: gateway.url,
    async close() {
      await gateway.close();
      await stack.close();
    },
  };
}

// Answers that need no work, in the shape of real ones.
async function trivialServers() {
  const answer = { models: ['none'], networks: ['D'], protocol: 'CENTER_CROP', scales: [72], views: 1 };
  const predictions = [{ label: 'none', classIndex: 0, score: 1 }];
  const timing = { prepareMs: 0, queueMs: 0, computeMs: 0, totalMs: 0 };
  const definition = packageDefinition['vgg.v1.AggregatorService'];
  const grpc = new Server();
  grpc.addService(definition as Parameters<Server['addService']>[0], {
    Classify: (_: unknown, callback: (error: null, response: unknown) => void) => {
      callback(null, { answer: { ...answer, predictions, timing, engine: 'onnx' } });
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    grpc.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  const text = JSON.stringify({ photo: '', model: 'none', ...answer, predictions, timing });
  const http = createServer((incoming, response) => {
    incoming.resume().on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(text);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    grpc: `127.0.0.1:${String(port)}`,
    http: `http://127.0.0.1:${String((http.address() as AddressInfo).port)}`,
    close() {
      grpc.forceShutdown();
      http.closeAllConnections();
      http.close();
    },
  };
}
