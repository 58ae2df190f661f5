// A walk over protobuf messages that lie in a file: fields and where they are, without reading what is skipped.
// It exists because protobufjs decodes whole messages in memory, and packed floats into JavaScript numbers: a
// 411 MB blob would cost gigabytes. Knows the encoding, no schema.

import { VggError } from '../../../vgg/index.ts';
import type { FileBytes } from './file-bytes.ts';

/** A stretch of the file, in bytes; `end` is exclusive. */
export interface Range {
  start: number;
  end: number;
}

/** A field; a run of fixed-size fields of one number is one. */
export interface WireField extends Range {
  number: number;
  /** 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes. */
  wire: 0 | 1 | 2 | 5;
  /** Of a varint: its number, signed; above 2^53 rounded. */
  value: number;
  /** Of fixed-size fields: how many follow each other; else 1. */
  count: number;
  /** Of fixed-size fields: bytes from one to the next. */
  stride: number;
}

/** Fields by number, in file order. */
export type Message = ReadonlyMap<number, readonly WireField[]>;

/** Elements of a repeated field that lie `stride` bytes apart. */
export interface Run {
  start: number;
  count: number;
  stride: number;
}

// Small messages around a tensor come with one read; more would be wasted on the tensor behind them.
const WINDOW = 1 << 16;
// Far above any network's, far below what would take long: a hostile file's fields may be two bytes each.
const MAX_FIELDS = 1 << 18;
const MAX_TEXT = 1 << 16;
const MAX_INTS = 1 << 10;

/** Reads messages of one file. All errors are VggError INVALID_ARGUMENT that name the place. */
export class WireReader {
  readonly file: FileBytes;
  readonly #format: string;
  #window: { start: number; bytes: Uint8Array } = { start: 0, bytes: new Uint8Array() };
  #fields = 0;

  /** @param format in words, for errors: `an ONNX model` */
  constructor(file: FileBytes, format: string) {
    this.file = file;
    this.#format = format;
  }

  /** The whole file as a message. */
  get whole(): Range {
    return { start: 0, end: this.file.size };
  }

  /** The fields of the message that lies there, one at a time; bodies of length-delimited ones are not read. */
  async *fields({ start, end }: Range): AsyncGenerator<WireField, undefined> {
    for (let at = start; at < end;) {
      if (++this.#fields > MAX_FIELDS) throw this.#malformed(`more than ${String(MAX_FIELDS)} fields`, at);
      const tag = await this.#varint(at, end);
      const number = Math.floor(Number(tag.value) / 8);
      const wire = Number(tag.value) % 8;
      if (number < 1 || number >= 2 ** 29) throw this.#malformed(`field number ${String(number)}`, at);
      const field = { number, start: tag.end, end: tag.end, value: 0, count: 1, stride: 0 };
      if (wire === 0) {
        const varint = await this.#varint(tag.end, end);
        field.value = Number(BigInt.asIntN(64, varint.value));
        field.end = varint.end;
        yield { ...field, wire };
      } else if (wire === 2) {
        const length = await this.#varint(tag.end, end);
        field.start = length.end;
        if (length.value > BigInt(end - length.end)) {
          throw this.#malformed(`field ${String(number)} of ${String(length.value)} bytes`, at, end);
        }
        field.end = field.start + Number(length.value);
        yield { ...field, wire };
      } else if (wire === 1 || wire === 5) {
        const size = wire === 1 ? 8 : 4;
        if (tag.end + size > end) throw this.#malformed(`field ${String(number)}`, at, end);
        field.stride = tag.end - at + size;
        field.count = await this.#runLength(at, tag.end - at, field.stride, end);
        field.end = at + field.count * field.stride;
        yield { ...field, wire };
      } else {
        throw this.#malformed(`wire type ${String(wire)} of field ${String(number)}`, at);
      }
      at = field.end;
    }
    return undefined;
  }

  /** All fields of the message that lies there. */
  async message(range: Range): Promise<Message> {
    const message = new Map<number, WireField[]>();
    for await (const field of this.fields(range)) {
      const same = message.get(field.number);
      if (same) same.push(field);
      else message.set(field.number, [field]);
    }
    return message;
  }

  /** A repeated message or bytes field. */
  ranges(message: Message, number: number): Range[] {
    return (message.get(number) ?? []).map((field) => {
      if (field.wire !== 2) throw this.#wrongWire(field);
      return field;
    });
  }

  /** A repeated string field. */
  async texts(message: Message, number: number): Promise<string[]> {
    const texts: string[] = [];
    for (const { start, end } of this.ranges(message, number)) {
      if (end - start > MAX_TEXT) throw this.#malformed(`a text of ${String(end - start)} bytes`, start);
      texts.push(new TextDecoder().decode((await this.#at(start, end - start)).subarray(0, end - start)));
    }
    return texts;
  }

  /** A string field; empty if it is not there. */
  async text(message: Message, number: number): Promise<string> {
    return (await this.texts(message, number)).at(-1) ?? '';
  }

  /** An integer, enum or bool field. */
  int(message: Message, number: number): number | undefined {
    const field = message.get(number)?.at(-1);
    if (field && field.wire !== 0) throw this.#wrongWire(field);
    return field?.value;
  }

  /** A repeated integer field, packed or not. */
  async ints(message: Message, number: number): Promise<number[]> {
    const values: number[] = [];
    for (const field of message.get(number) ?? []) {
      if (field.wire === 0) values.push(field.value);
      else if (field.wire !== 2) throw this.#wrongWire(field);
      else {
        for (let at = field.start; at < field.end;) {
          const varint = await this.#varint(at, field.end);
          values.push(Number(BigInt.asIntN(64, varint.value)));
          at = varint.end;
          if (values.length > MAX_INTS) break;
        }
      }
      if (values.length > MAX_INTS) {
        throw this.#malformed(`more than ${String(MAX_INTS)} integers in field ${String(number)}`, field.start);
      }
    }
    return values;
  }

  /** A float field. */
  async float(message: Message, number: number): Promise<number | undefined> {
    const field = message.get(number)?.at(-1);
    if (!field) return undefined;
    if (field.wire !== 5) throw this.#wrongWire(field);
    const bytes = await this.#at(field.end - 4, 4);
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getFloat32(0, true);
  }

  /** Where the elements of a repeated float (4 bytes) or double (8 bytes) field lie, packed or not. */
  runs(message: Message, number: number, size: 4 | 8): Run[] {
    return (message.get(number) ?? []).map((field) => {
      if (field.wire === (size === 4 ? 5 : 1)) {
        return { start: field.start, count: field.count, stride: field.stride };
      }
      const length = field.end - field.start;
      if (field.wire !== 2 || length % size !== 0) throw this.#wrongWire(field);
      return { start: field.start, count: length / size, stride: size };
    });
  }

  // How many fields follow each other with the tag at `at`.
  async #runLength(at: number, tagBytes: number, stride: number, end: number): Promise<number> {
    const tag = (await this.#at(at, tagBytes)).slice(0, tagBytes);
    for (let count = 1; ;) {
      const next = at + count * stride;
      if (next + stride > end) return count;
      const bytes = await this.#at(next, stride);
      const there = Math.floor(Math.min(bytes.length, end - next) / stride);
      for (let i = 0; i < there; i++, count++) {
        if (tag.some((byte, place) => bytes[i * stride + place] !== byte)) return count;
      }
    }
  }

  async #varint(at: number, end: number): Promise<{ value: bigint; end: number }> {
    const bytes = await this.#at(at, Math.min(10, end - at));
    let small = 0;
    let large = 0n;
    for (let i = 0; i < 10; i++) {
      if (at + i >= end) throw this.#malformed('an integer', at, end);
      const byte = bytes[i] ?? 0;
      // Four groups of seven bits are a small integer: nearly every varint ends there.
      if (i < 4) small += (byte & 0x7f) * 2 ** (7 * i);
      else large |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) {
        if (i === 9 && byte > 1) break;
        return { value: large | BigInt(small), end: at + i + 1 };
      }
    }
    throw this.#malformed('an integer of more than 64 bits', at);
  }

  // At least `length` bytes from an offset; the caller must not keep or change them.
  async #at(offset: number, length: number): Promise<Uint8Array> {
    const { start, bytes } = this.#window;
    if (offset < start || offset + length > start + bytes.length) {
      const wanted = Math.max(length, Math.min(WINDOW, this.file.size - offset));
      this.#window = { start: offset, bytes: await this.file.read(offset, wanted, this.#format) };
    }
    return this.#window.bytes.subarray(offset - this.#window.start);
  }

  #wrongWire({ number, wire, start }: WireField): VggError {
    return this.#malformed(`wire type ${String(wire)} of field ${String(number)}`, start);
  }

  #malformed(came: string, at: number, end?: number): VggError {
    const beyond = end === undefined ? '' : `, beyond the end of its message at byte ${String(end)}`;
    return new VggError(
      'INVALID_ARGUMENT',
      `Expected ${this.#format} but received ${came} at byte ${String(at)}${beyond}: truncated, or not what it claims`,
    );
  }
}
