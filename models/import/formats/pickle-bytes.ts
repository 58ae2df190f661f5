// The bytes of a pickle, read forwards: numbers, texts, lines.
// Knows how pickles write plain values, not what their opcodes mean.

import { VggError, expected } from '../../../vgg/index.ts';

/** The pickle goes on where the bytes at hand end: more of the file may help. */
export class UnfinishedPickle extends VggError {}

// Longest name of a Python module or class.
const MAX_LINE = 256;

// Longest integer in bytes; PyTorch's own magic number has 10.
const MAX_INTEGER = 256;

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads a pickle's bytes. Everything is checked against the bytes left before it is taken. */
export class PickleBytes {
  /** In words, for errors: `data.pkl`. */
  readonly what: string;
  position: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, start: number, what: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.position = start;
    this.what = what;
  }

  /** The error for what was found at the place that was read last. */
  fault(what: string, came: unknown): VggError {
    return expected(what, came, `${this.what}, byte ${String(this.position)}`);
  }

  /** Moves on by `length` bytes and returns where they start. @throws UnfinishedPickle */
  advance(length: number, what: string): number {
    const start = this.position;
    if (length > this.#bytes.length - start) {
      throw new UnfinishedPickle(
        'INVALID_ARGUMENT',
        `Expected ${what} of ${String(length)} bytes but ${this.what} ends ${String(this.#bytes.length - start)} bytes after byte ${String(start)}: truncated, or not what it claims`,
      );
    }
    this.position += length;
    return start;
  }

  uint8(): number {
    return this.#view.getUint8(this.advance(1, 'a number'));
  }

  uint16(): number {
    return this.#view.getUint16(this.advance(2, 'a number'), true);
  }

  int32(): number {
    return this.#view.getInt32(this.advance(4, 'a number'), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.advance(4, 'a number'), true);
  }

  /** A length of 8 bytes; beyond 2^53 it is longer than any file all the same. */
  length64(): number {
    return Number(this.#view.getBigUint64(this.advance(8, 'a length'), true));
  }

  float64(): number {
    return this.#view.getFloat64(this.advance(8, 'a number'));
  }

  /** A copy of the next bytes. */
  blob(length: number): Uint8Array {
    const start = this.advance(length, 'bytes');
    return Uint8Array.from(this.#bytes.subarray(start, start + length));
  }

  /** A text in UTF-8. */
  text(length: number): string {
    const start = this.advance(length, 'a text');
    try {
      return UTF8.decode(this.#bytes.subarray(start, start + length));
    } catch {
      throw this.fault('a text in UTF-8', 'other bytes');
    }
  }

  /** A text of Python 2: a character a byte. */
  latin1(length: number): string {
    const start = this.advance(length, 'a text');
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, length).toString('latin1');
  }

  /** A text that a line break ends. */
  line(): string {
    const window = this.#bytes.subarray(this.position, this.position + MAX_LINE);
    const length = window.indexOf(0x0a);
    if (length < 0 && window.length === MAX_LINE) {
      throw this.fault(`a name of at most ${String(MAX_LINE)} bytes`, 'a longer one');
    }
    const line = this.latin1(length < 0 ? MAX_LINE : length);
    this.position += 1;
    return line;
  }

  /** A two's complement integer: a number where one holds it. */
  integer(length: number): number | bigint {
    if (length > MAX_INTEGER) {
      throw this.fault(`an integer of at most ${String(MAX_INTEGER)} bytes`, `${String(length)} bytes`);
    }
    if (length === 0) return 0;
    const hex = Buffer.from(this.blob(length).reverse()).toString('hex');
    const value = BigInt.asIntN(8 * length, BigInt(`0x${hex}`));
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
}
