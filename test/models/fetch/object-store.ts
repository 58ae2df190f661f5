// An object store on this machine, as far as fetching needs one: objects by path, parts of them, signatures that it
// checks (AWS Signature Version 4, in the query), errors in XML. It stalls and spoils objects on command.

import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Who may read. */
export const ACCOUNT = { key: 'AKIATESTONLY', secret: 'not-a-secret', region: 'eu-west-1' };

/** A store; must be closed. */
export class ObjectStore {
  readonly objects = new Map<string, Uint8Array>();
  /** Requests that came: path, and the part that was asked for. */
  readonly asked: { path: string; range: string | undefined }[] = [];
  /** Most requests that were under way at a time. */
  most = 0;
  /** Bytes of an object after which its answer hangs. */
  readonly stalls = new Map<string, number>();
  /** Whether signatures are asked for. */
  signed = true;
  #underWay = 0;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.most = Math.max(this.most, ++this.#underWay);
      response.on('close', () => this.#underWay--);
      this.#answer(request, response);
    });
  }

  static async start(): Promise<ObjectStore> {
    const store = new ObjectStore();
    await new Promise<void>((resolve) => store.#server.listen(0, '127.0.0.1', resolve));
    return store;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  /** What a process is told so that it asks here. */
  get env(): Record<string, string> {
    return {
      AWS_ENDPOINT_URL_S3: this.endpoint,
      AWS_REGION: ACCOUNT.region,
      AWS_ACCESS_KEY_ID: ACCOUNT.key,
      AWS_SECRET_ACCESS_KEY: ACCOUNT.secret,
    };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', this.endpoint);
    const { range } = request.headers;
    this.asked.push({ path: url.pathname, range });
    const refused = this.signed ? refusal(request, url) : undefined;
    if (refused !== undefined) {
      sendError(response, 403, refused);
      return;
    }
    const object = this.objects.get(url.pathname.slice(1));
    if (!object) {
      sendError(response, 404, 'NoSuchKey');
      return;
    }
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    response.writeHead(range === undefined ? 200 : 206, {
      etag: `"${createHash('md5').update(object).digest('hex')}"`,
      'content-type': 'application/octet-stream',
      'content-length': object.length - from,
      ...(range !== undefined && {
        'content-range': `bytes ${String(from)}-${String(object.length - 1)}/${String(object.length)}`,
      }),
    });
    const stall = this.stalls.get(url.pathname.slice(1));
    if (stall === undefined) response.end(object.subarray(from));
    else response.write(object.subarray(from, stall));
  }
}

function sendError(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code></Error>`);
}

// Why a request is refused: what its signature is computed from is AWS's documentation of presigned addresses.
function refusal(request: IncomingMessage, url: URL): string | undefined {
  const query = [...url.searchParams].filter(([name]) => name !== 'X-Amz-Signature');
  const given = new Map(url.searchParams);
  const [key, day = '', region = ''] = (given.get('X-Amz-Credential') ?? '').split('/');
  if (key !== ACCOUNT.key) return key === '' ? 'AccessDenied' : 'InvalidAccessKeyId';
  const canonical = [
    request.method,
    url.pathname,
    query
      .map((pair) => pair.map(encodeStrictly).join('='))
      .sort()
      .join('&'),
    `host:${request.headers.host ?? ''}\n`,
    given.get('X-Amz-SignedHeaders'),
    given.get('X-Amz-Content-Sha256') ?? 'UNSIGNED-PAYLOAD',
  ].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const hashed = createHash('sha256').update(canonical).digest('hex');
  const text = ['AWS4-HMAC-SHA256', given.get('X-Amz-Date'), scope, hashed].join('\n');
  const signing = [day, region, 's3', 'aws4_request'].reduce<string | Buffer>(
    (under, part) => createHmac('sha256', under).update(part).digest(),
    `AWS4${ACCOUNT.secret}`,
  );
  const right = createHmac('sha256', signing).update(text).digest('hex');
  return given.get('X-Amz-Signature') === right ? undefined : 'SignatureDoesNotMatch';
}

function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
