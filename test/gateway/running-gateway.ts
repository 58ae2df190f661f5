// A gateway over real services and real sockets, and how tests talk to it. Knows no test.

import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect } from 'vitest';
import { startStack, type Stack, type StackOptions } from '../../cli/stack.ts';
import { packageRoot } from '../../proto/package-root.ts';
import { readConfig, type GatewayConfig } from '../../services/gateway/config.ts';
import type { RunningServer } from '../../services/host/serve.ts';
import type { Problem } from '../../services/gateway/problem.ts';
import { startGateway, type GatewayOverrides, type RunningGateway } from '../../services/gateway/main.ts';

/** A photo of 320×256 pixels. */
export const PHOTO = readFileSync(join(packageRoot, 'test/golden/photo.png'));

const POLLS = 400;
const POLL_MS = 25;

/** The services behind, with the model of the package. */
export async function services(
  env: NodeJS.ProcessEnv = {},
  options: Partial<StackOptions> = {},
): Promise<Stack> {
  return startStack({ models: join(packageRoot, 'models'), port: 0, logLevel: 'silent', env, ...options });
}

/** A gateway before them. */
export async function gatewayOf(
  stack: Record<'aggregator' | 'inference', Pick<RunningServer, 'address'>>,
  config: Partial<GatewayConfig> = {},
  overrides: GatewayOverrides = {},
): Promise<RunningGateway> {
  const own = { port: 0, logLevel: 'silent' as const };
  const behind = { aggregator: stack.aggregator.address, inference: stack.inference.address };
  return startGateway({ ...readConfig({}), ...own, ...behind, ...config }, overrides);
}

/** A POST of a photo, or of what is not one. */
export async function classify(
  { url }: Pick<RunningGateway, 'url'>,
  query = '',
  init: RequestInit = {},
): Promise<Response> {
  const image = { method: 'POST', body: PHOTO, headers: { 'content-type': 'image/png' } };
  return fetch(`${url}/v1/classify${query}`, { ...image, ...init });
}

/** A form as multipart; a file for bytes, a field for a text. */
export function form(parts: readonly [name: string, value: Uint8Array<ArrayBuffer> | string][]): FormData {
  const data = new FormData();
  for (const [name, value] of parts) {
    if (typeof value === 'string') data.append(name, value);
    else data.append(name, new Blob([value], { type: 'image/png' }), `${name}.png`);
  }
  return data;
}

/** What an answer on a bare socket was. */
export interface RawAnswer {
  status: number;
  headers: Headers;
  body: string;
}

/** Sends bytes as they are, and reads until the server closes the connection. */
export async function raw(
  { url }: Pick<RunningGateway, 'url'>,
  request: string | Buffer,
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const received: Buffer[] = [];
  await new Promise<void>((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(request));
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => {
      resolve();
    });
  });
  const [head = '', ...body] = Buffer.concat(received).toString().split('\r\n\r\n');
  const [line = '', ...fields] = head.split('\r\n');
  const headers = new Headers(
    fields.map((field) => {
      const colon = field.indexOf(':');
      return [field.slice(0, colon), field.slice(colon + 1).trim()] as [string, string];
    }),
  );
  return { status: Number(line.split(' ')[1]), headers, body: body.join('\r\n\r\n') };
}

/** Polls until it holds; fails with what it was when it never does. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < POLLS; i++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  expect.fail(`Expected ${what}, in vain`);
}

/** Value of a metric, by its name with labels: `vgg_http_in_flight`; 0 where it has none. */
export async function metric({ registry }: Pick<RunningGateway, 'registry'>, name: string): Promise<number> {
  const lines = (await registry.metrics()).split('\n');
  const line = lines.find((each) => each.startsWith(`${name} `)) ?? '';
  return Number(line.slice(name.length + 1));
}

/** Calls that an aggregator's clients cancelled, over all its rpcs. */
export async function cancelledCalls({ aggregator }: Pick<Stack, 'aggregator'>): Promise<number> {
  const lines = (await aggregator.registry.metrics()).split('\n');
  const cancelled = lines.filter((line) => /^vgg_rpc_requests_total.*code="CANCELLED"/.test(line));
  return cancelled.reduce((total, line) => total + Number(line.split(' ').at(-1)), 0);
}

/** The problem in an answer, which has all that every problem has. */
export async function problemOf(response: Response): Promise<Problem> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(response.headers.get('x-request-id')).toMatch(/^[\w-]+$/);
  expect(response.headers.get('server-timing')).toMatch(/^total;dur=\d+\.\d$/);
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  const problem = (await response.json()) as Problem;
  expect(Object.keys(problem)).toEqual(['type', 'title', 'status', 'code', 'detail', 'errors']);
  expect(problem.type).toBe('about:blank');
  expect(problem.status).toBe(response.status);
  expect(problem.title).not.toBe('');
  for (const each of problem.errors) expect(Object.keys(each)).toEqual(['field', 'message']);
  return problem;
}

/** Polls until no request, call, view or plane is left anywhere. */
export async function untilQuiet(stack: Stack, gateway: RunningGateway): Promise<void> {
  const { aggregator, inference, preprocess } = stack;
  await until('no request in flight', async () => (await metric(gateway, 'vgg_http_in_flight')) === 0);
  await until('no calls', () => aggregator.inFlight + inference.inFlight + preprocess.inFlight === 0);
  await until('nothing queued', async () => (await metric(inference, 'vgg_inference_queued_views')) === 0);
  await until('no planes', async () => (await metric(inference, 'vgg_inference_plane_bytes')) === 0);
}
