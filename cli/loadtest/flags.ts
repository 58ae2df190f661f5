// What vgg loadtest is told: its options, their help, and how their texts become values. Knows options; no server.

import type { Command } from 'commander';
import type { Protocol } from '../../sdk/index.ts';
import { expected } from '../../vgg/errors.ts';
import { PROTOCOLS, type Share, type Stop } from '../../vgg/views.ts';
import type { Bound } from '../../loadtest/measure.ts';
import { metricsUrl } from '../../loadtest/server-side/scrape.ts';
import type { Weighted } from '../../loadtest/workload.ts';
import { INTERRUPTED } from '../interrupt.ts';
import {
  addGeometryOptions,
  integer,
  kebab,
  named,
  number,
  protocolOf,
  shareOption,
  stopOption,
} from '../options.ts';

/** A part of requests, 0 to 1, and how much of what. */
export interface Part {
  part: number;
  amount: number;
}

/** Values of the options, as commander gives them. */
export interface LoadTestFlags {
  photos: string;
  protocol?: Weighted<Protocol>[];
  model?: Weighted<string>[];
  scales?: number[];
  grid?: number;
  align?: number;
  share?: Share;
  stop?: Stop;
  rate?: number;
  concurrency?: number[];
  trace?: string;
  arrivals?: 'poisson' | 'constant';
  duration?: number;
  warmUp: number;
  sloP90?: number;
  sloP95?: number;
  sloP99?: number;
  minRequests?: number;
  precision: number;
  maxInFlight: number;
  connections?: number;
  timeout: number;
  retries: number;
  cache?: boolean;
  cancel?: Part;
  slow?: Part;
  apiKey?: string;
  ca?: string;
  cert?: string;
  key?: string;
  serverName?: string;
  seed: number;
  metrics?: URL[];
  json?: boolean;
  csv?: string;
  report?: string;
}

/** Adds argument, options and help. */
export function addLoadTestOptions(command: Command): Command {
  command
    .argument('<target>', 'http(s)://HOST:PORT: a gateway; HOST:PORT or grpc(s)://HOST:PORT: an aggregator')
    .description('how much a server can take, and how long its answers take meanwhile');
  for (const add of [addWorkload, addLoad, addBound, addConnection, addReports]) add(command);
  return command.optionsGroup('Help:').addHelpText('after', HELP);
}

function addWorkload(command: Command): void {
  const protocols = PROTOCOLS.map(kebab).join(', ');
  addGeometryOptions(
    command
      .optionsGroup('What is sent:')
      .requiredOption(
        '--photos <path>',
        'folder of photos to send, or one photo; read before the test begins',
      )
      .option(
        '--protocol <list>',
        `which views are scored: ${protocols}; several with weights: multi-crop:3,center-crop:1 (default: multi-crop, 150 views a photo)`,
        (text) => weighted(text, '--protocol', protocolOf),
      )
      .option('--model <list>', "model; several with weights: d:1,e:2 (default: the server's)", (text) =>
        weighted(text, '--model', (name) => name),
      ),
  )
    .addOption(shareOption())
    .addOption(stopOption())
    .option('--cache', 'let the gateway answer from what it keeps; default: every request is computed')
    .option(
      '--cancel <part[:ms]>',
      'cancel a part of requests, 0 to 1, at a random moment within so many milliseconds (1000)',
      (text) => partOf(text, '--cancel', 1000),
    )
    .option(
      '--slow <part[:bytes]>',
      'let a part of requests, 0 to 1, come from clients that send and read so many bytes a second (20000)',
      (text) => partOf(text, '--slow', 20_000),
    );
}

function addLoad(command: Command): void {
  command
    .optionsGroup('How much of it (one of the first three, or a bound to search with):')
    .option('--rate <r>', 'open loop: so many requests a second, whatever the server does', (text) =>
      above0(text, '--rate'),
    )
    .option(
      '--concurrency <list>',
      'closed loop: so many clients, each waiting for its answers; 1,2,4,8: one step each',
      (text) => text.split(',').map((each, i) => integer(each, `--concurrency[${String(i)}]`, 1, 100_000)),
    )
    .option(
      '--trace <file>',
      'open loop with rates that change: a file (see below), or burst:LOW..HIGH, day:LOW..HIGH, ramp:LOW..HIGH',
    )
    .option('--arrivals <poisson|constant>', 'how an open loop spreads requests (default: poisson)', (text) =>
      named(['poisson', 'constant'], text, '--arrivals'),
    )
    .option(
      '--duration <seconds>',
      'of each step (default: 30, or the length of the trace); of a search the least (default: 10)',
      (text) => above0(text, '--duration'),
    )
    .option(
      '--warm-up <seconds>',
      'before each step, left out of its figures',
      (text) => atLeast0(text, '--warm-up'),
      5,
    )
    .option(
      '--max-in-flight <n>',
      'requests of an open loop under way; those beyond are not sent, and the test says so',
      (text) => integer(text, '--max-in-flight', 1, 1_000_000),
      10_000,
    )
    .option(
      '--seed <n>',
      'of all chance: with the same one the same photos are sent at the same moments',
      (text) => integer(text, '--seed', 0, 2 ** 32 - 1),
      1,
    );
}

function addBound(command: Command): void {
  command
    .optionsGroup('What must be kept:')
    .option(
      '--slo-p99 <ms>',
      'bound: 99 % of requests answered within so many milliseconds. Without a load: search for the largest rate that keeps it',
      (text) => above0(text, '--slo-p99'),
    )
    .option('--slo-p95 <ms>', 'the same for 95 %', (text) => above0(text, '--slo-p95'))
    .option('--slo-p90 <ms>', 'the same for 90 %', (text) => above0(text, '--slo-p90'))
    .option(
      '--min-requests <n>',
      'requests in a step of a search (default: 662 for p99, 130 for p95, 64 for p90)',
      (text) => integer(text, '--min-requests', 1, 10_000_000),
    )
    .option(
      '--precision <part>',
      'a search ends when the least rate that was not kept is by at most this part above the largest that was; 0.1: by 10 %',
      (text) => above0(text, '--precision'),
      0.1,
    );
}

function addConnection(command: Command): void {
  command
    .optionsGroup('How the server is reached:')
    .option('--timeout <seconds>', 'time for an answer', (text) => above0(text, '--timeout'), 60)
    .option(
      '--retries <n>',
      'times that the gRPC client tries a request again; its time is that of all attempts',
      (text) => integer(text, '--retries', 0, 9),
      0,
    )
    .option(
      '--api-key <key>',
      'key for the gateway (default: $VGG_API_KEY, which no list of processes shows)',
    )
    .option(
      '--connections <n>',
      'connections to an aggregator that requests take turns on (default: 8; a gateway: as many as needed)',
      (text) => integer(text, '--connections', 1, 1000),
    )
    .option('--ca <file>', 'PEM of the authorities that are trusted (default: those of Node.js)')
    .option('--cert <file>', "PEM of this side's certificate, for mutual TLS")
    .option('--key <file>', 'PEM of its private key')
    .option(
      '--server-name <name>',
      "name that the server's certificate must have (default: that of the address)",
    );
}

function addReports(command: Command): void {
  command
    .optionsGroup('What is read and printed:')
    .option(
      '--metrics <list>',
      "services whose metrics are read meanwhile, HOST:PORT or URLs between commas; without those of inference nothing is known of queue and engines (default: a gateway's own)",
      (text) => text.split(',').map((each) => metricsUrl(each.trim())),
    )
    .option('--json', 'print the result as one JSON object, and nothing else')
    .option('--csv <file>', 'also write a line for each step, as CSV')
    .option('--report <file>', 'also write a page with plots, as HTML');
}

const HELP = `
What to ask:
  How does it do at 20 requests a second?      --rate 20
  How much can it do?                          --concurrency 1,2,4,8,16
  How much can it do within 500 ms?            --slo-p99 500
  Does it keep 500 ms at 20 a second?          --rate 20 --slo-p99 500
  Does it live through a burst?                --trace burst:5..50
  Does it let go of what nobody waits for?     --rate 20 --cancel 0.5:200

An open loop sends when a request is due, whether earlier ones are answered or
not, as independent people do; times count from the moment a request was due,
so a server that stalls shows. A closed loop sends when an answer has come.

One request of each kind is sent before the load: a wrong address, key or
certificate is told at once.

A search takes Poisson arrivals, doubles or halves the rate, then halves the
gap. A rate is kept if so few requests are late or failed that it is so with
99 % confidence (the rule of MLPerf's Server scenario). That takes a step of
728 requests for p99: two minutes at 6 a second. --slo-p90 takes a tenth.

A trace has a line for each stretch, SECONDS RATE or SECONDS FROM..TO:
  # quiet, a rise, a plateau
  60 5
  30 5..40
  60 40

The test says so itself if it could not keep up (the generator's own lateness,
event loop and thread are watched): such figures are not the server's.

To try it out, "vgg serve" in another terminal, and
  vgg loadtest http://localhost:8080 --photos photo.jpg --rate 2 --duration 10 \\
    --protocol center-crop

Examples:
  vgg loadtest localhost:50051 --photos photos --rate 20
  vgg loadtest http://localhost:8080 --photos photos --concurrency 1,2,4,8 \\
    --protocol multi-crop:3,center-crop:1
  vgg loadtest https://vgg.example --photos photos --slo-p99 500 --json > result.json
  vgg loadtest http://localhost:8080 --photos photos --rate 20 \\
    --report report.html --csv steps.csv
  vgg loadtest localhost:50051 --photos photos --rate 50 --cancel 0.3:200 \\
    --metrics localhost:9090,localhost:9091,localhost:9092
  vgg loadtest grpcs://vgg.example:50051 --photos photos --rate 20 --ca ca.pem

Ctrl-C ends the test: what was measured until then is printed. Exit status: 0 if
there are answers and, with a bound, it was kept (a search is VALID) and the
generator kept up; 1 if not; ${String(INTERRUPTED)} if interrupted.`;

/** The bound that was given. @throws VggError INVALID_ARGUMENT if there are several */
export function boundOf({ sloP90, sloP95, sloP99 }: LoadTestFlags): Bound | undefined {
  const bounds = [
    { percentile: 99, ms: sloP99 },
    { percentile: 95, ms: sloP95 },
    { percentile: 90, ms: sloP90 },
  ].flatMap(({ percentile, ms }) => (ms === undefined ? [] : [{ percentile, ms }]));
  if (bounds.length > 1) throw expected('one of --slo-p99, --slo-p95, --slo-p90', 'several', '--slo');
  return bounds[0];
}

function above0(text: string, option: string): number {
  const value = number(text, option);
  if (!(value > 0)) throw expected('a number above 0', text, option);
  return value;
}

function atLeast0(text: string, option: string): number {
  const value = number(text, option);
  if (!(value >= 0)) throw expected('a number ≥ 0', text, option);
  return value;
}

// NAME or NAME:WEIGHT, several between commas. A weight is what follows the last colon.
function weighted<Thing>(
  text: string,
  option: string,
  read: (name: string, option: string) => Thing,
): Weighted<Thing>[] {
  return text.split(',').map((each, i) => {
    const [, name = '', weight = '1'] = /^(.*?)(?::([^:]*))?$/.exec(each.trim()) ?? [];
    if (name === '') throw expected('NAME or NAME:WEIGHT', each, option);
    return { what: read(name, option), weight: above0(weight, `${option}[${String(i)}]`) };
  });
}

function partOf(text: string, option: string, amount: number): Part {
  const [part = '', much] = text.split(':');
  const value = number(part, option);
  if (!(value >= 0 && value <= 1)) throw expected('a part from 0 to 1', part, option);
  return { part: value, amount: much === undefined ? amount : above0(much, option) };
}
