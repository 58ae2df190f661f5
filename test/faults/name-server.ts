// A name server of a test's own: it knows that each service is at 127.0.0.1 and 127.0.0.2, and can be taken away. Knows of
// DNS's messages (RFC 1035) as much as that takes.

import { createSocket, type Socket } from 'node:dgram';
import type { AddressInfo } from 'node:net';

const HEADER_BYTES = 12;
const TYPE_A = 1;
const ADDRESSES = [
  [127, 0, 0, 1],
  [127, 0, 0, 2],
];
// Answers are asked for again as soon as anything is.
const TTL_SECONDS = 0;

/** A name server. Must be closed. */
export class NameServer {
  #socket: Socket | undefined;
  #port = 0;
  /** Questions that were answered. */
  asked = 0;

  static async start(): Promise<NameServer> {
    const server = new NameServer();
    await server.open();
    return server;
  }

  /** Where a service is, as a gRPC target that asks this server. */
  target(name: string, port: number): string {
    return `dns://127.0.0.1:${String(this.#port)}/${name}.vgg.test:${String(port)}`;
  }

  /** Answers; at the port that it had before. */
  async open(): Promise<void> {
    const socket = createSocket('udp4');
    socket.on('message', (question, { port, address }) => {
      this.asked++;
      socket.send(answerTo(question), port, address);
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(this.#port, '127.0.0.1', resolve);
    });
    this.#socket = socket;
    this.#port = (socket.address() as AddressInfo).port;
  }

  /** Goes away. */
  async close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket) await new Promise<void>((resolve) => socket.close(resolve));
  }
}

// Both addresses for a question of type A; for any other, that there are none.
function answerTo(question: Buffer): Buffer {
  let end = HEADER_BYTES;
  while ((question[end] ?? 0) > 0) end += (question[end] ?? 0) + 1;
  const type = question.readUInt16BE(end + 1);
  const asked = question.subarray(HEADER_BYTES, end + 5);
  const addresses = type === TYPE_A ? ADDRESSES : [];
  const header = Buffer.alloc(HEADER_BYTES);
  question.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8580, 2); // An authoritative answer without an error.
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(addresses.length, 6);
  const records = addresses.map((address) => {
    const record = Buffer.alloc(16);
    record.writeUInt16BE(0xc000 + HEADER_BYTES, 0); // The name of the question.
    record.writeUInt16BE(TYPE_A, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(TTL_SECONDS, 6);
    record.writeUInt16BE(4, 10);
    record.set(address, 12);
    return record;
  });
  return Buffer.concat([header, asked, ...records]);
}
