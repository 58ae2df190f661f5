// A TCP proxy that does to its connections what networks do: delays and thins them, cuts them, and lets them go silent.
// Knows bytes; not what they mean.

import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** How bytes travel. */
export interface Road {
  /** Milliseconds that each byte takes, each way. */
  delayMs?: number;
  /** Bytes a second, each way, of a connection. */
  bytesPerSecond?: number;
}

// Bytes of a slow connection that lie here; more are left to the sender.
const HELD_BYTES = 64 * 1024;

/** A proxy before one address. */
export class Proxy {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #road: Road = {};
  #silent = false;

  private constructor(host: string, port: number) {
    this.#server = createServer((near) => {
      const pair = new Pair(near, connect(port, host), () => this.#road);
      if (this.#silent) pair.silence();
      this.#pairs.add(pair);
      pair.onEnd = () => this.#pairs.delete(pair);
    });
  }

  /** Listens at any free port. */
  static async start(host: string, port: number): Promise<Proxy> {
    const proxy = new Proxy(host, port);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** HOST:PORT. */
  get address(): string {
    return `127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** How bytes travel from now on; without anything at once. */
  slow(road: Road): void {
    this.#road = road;
  }

  /** Ends every connection: by a reset, or in order but in the middle of whatever was said. */
  cut(how: 'reset' | 'end'): void {
    for (const pair of this.#pairs) pair.cut(how);
  }

  /**
   * The host behind is gone without a word: no connection brings anything any more, nor does any new one. What closes on
   * one side stays open on the other.
   */
  silence(): void {
    this.#silent = true;
    for (const pair of this.#pairs) pair.silence();
  }

  /** New connections are as they should be; those that went silent stay so. */
  heal(): void {
    this.#silent = false;
    this.#road = {};
  }

  async close(): Promise<void> {
    this.cut('reset');
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

// A connection from a client and the one to the server.
class Pair {
  readonly #sides: [Socket, Socket];
  readonly #road: () => Road;
  #silent = false;
  onEnd: () => void = () => undefined;

  constructor(near: Socket, far: Socket, road: () => Road) {
    this.#sides = [near, far];
    this.#road = road;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay();
      from.on('error', () => undefined);
      this.#carry(from, to);
    }
  }

  cut(how: 'reset' | 'end'): void {
    this.#silent = false;
    for (const side of this.#sides) {
      // Node.js 20 never exits once a socket was to be reset that is being shut down.
      if (how === 'reset' && !side.writableEnded) side.resetAndDestroy();
      else side.destroy();
    }
  }

  silence(): void {
    this.#silent = true;
  }

  #carry(from: Socket, to: Socket): void {
    // One queue and one timer: timers of their own, rounded to milliseconds, would let chunks overtake each other.
    const travelling: { chunk: Buffer; arrives: number }[] = [];
    let free = 0;
    let held = 0;
    const arrive = () => {
      for (let next = travelling[0]; next && next.arrives <= performance.now(); next = travelling[0]) {
        travelling.shift();
        held -= next.chunk.length;
        if (!this.#silent) to.write(next.chunk);
      }
      if (held <= HELD_BYTES) from.resume();
      wait();
    };
    const wait = () => {
      const [next] = travelling;
      if (next) setTimeout(arrive, next.arrives - performance.now());
    };
    from.on('data', (chunk) => {
      if (this.#silent) return;
      const { delayMs = 0, bytesPerSecond } = this.#road();
      const now = performance.now();
      free =
        Math.max(now, free) + (bytesPerSecond === undefined ? 0 : (1000 * chunk.length) / bytesPerSecond);
      const arrives = Math.max(free + delayMs, travelling.at(-1)?.arrives ?? 0);
      if (arrives <= now && travelling.length === 0) {
        to.write(chunk);
        return;
      }
      travelling.push({ chunk, arrives });
      held += chunk.length;
      if (held > HELD_BYTES && bytesPerSecond !== undefined) from.pause();
      if (travelling.length === 1) wait();
    });
    from.once('close', () => {
      // A host that is gone does not hear that the other side has hung up.
      if (!this.#silent) to.destroy();
      if (this.#sides.every((side) => side.destroyed)) this.onEnd();
    });
  }
}
