// Reads Python pickles as plain data: a stack machine that makes texts, numbers, lists and mappings, and calls nothing.
// Knows the opcodes of protocols 2 to 5 that data is written with; which Python names may stand in a file is its caller's list.

import { VggError, expected } from '../../../vgg/index.ts';
import { PickleBytes } from './pickle-bytes.ts';

/** A Python tuple; a list is an array, a dict a Map, a set a Set, None null, bytes a Uint8Array. */
export class Tuple {
  readonly items: readonly unknown[];

  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

/** A Python name that a file may have. */
export class PickleGlobal {
  /** As Python writes it: `torch._utils._rebuild_tensor_v2`. */
  readonly name: string;
  /** What stands for a call of it; undefined if it is only a name. `fault` makes the error that says where. */
  readonly make: ((args: readonly unknown[], fault: Fault) => unknown) | undefined;

  constructor(name: string, make?: PickleGlobal['make']) {
    this.name = name;
    this.make = make;
  }
}

/** Makes an error of what was expected and what came. */
export type Fault = (what: string, came: unknown) => VggError;

/** What a pickle may hold beside plain data. */
export interface PickleRules {
  /** Every Python name that it may have, by that name. */
  globals: ReadonlyMap<string, PickleGlobal>;
  /** What stands for a persistent id. */
  persistent(id: unknown, fault: Fault): unknown;
}

// A state_dict of VGG-19 with its optimizer has some 4,000 opcodes, 100 things on the stack, and is 5 deep.
const MAX_OPCODES = 1_000_000;
const MAX_STACK = 100_000;
const MAX_DEPTH = 64;

const MARK = Symbol('mark');

/**
 * Reads the pickle that starts at byte `start`.
 *
 * @param what what is read, in words, for errors: `data.pkl`
 * @returns its value, and where it ends
 * @throws UnfinishedPickle if `bytes` end before it does
 * @throws VggError INVALID_ARGUMENT naming the Python name or the opcode that weights have no need of
 */
export function unpickle(
  bytes: Uint8Array,
  start: number,
  what: string,
  rules: PickleRules,
): { value: unknown; end: number } {
  const machine = new Machine(new PickleBytes(bytes, start, what), rules);
  const value = machine.run();
  checkDepth(value, what);
  return { value, end: machine.bytes.position };
}

// Every step takes its operands from the stack and returns what it pushes.
class Machine {
  readonly bytes: PickleBytes;
  readonly #rules: PickleRules;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();
  readonly fault: Fault = (what, came) => this.bytes.fault(what, came);

  constructor(bytes: PickleBytes, rules: PickleRules) {
    this.bytes = bytes;
    this.#rules = rules;
  }

  run(): unknown {
    for (let count = 0; count < MAX_OPCODES; count++) {
      const opcode = this.bytes.uint8();
      if (opcode === STOP) {
        const value = this.pop();
        if (this.#stack.length === 0) return value;
        throw this.fault('one value', String(this.#stack.length + 1));
      } else if (opcode === PROTO) {
        const version = this.bytes.uint8();
        if (version < 2 || version > 5) throw this.fault('pickle protocol 2 to 5', version);
      } else if (opcode === FRAME) {
        const length = this.bytes.length64();
        this.bytes.position = this.bytes.advance(length, 'a frame');
      } else {
        const step = STEPS.get(opcode);
        if (!step) throw this.fault('opcodes that weights are written with', `0x${opcode.toString(16)}`);
        this.#stack.push(step(this.bytes, this));
        if (this.#stack.length > MAX_STACK) throw this.fault(`at most ${String(MAX_STACK)} values at once`, 'more');
      }
    }
    throw this.fault(`at most ${String(MAX_OPCODES)} opcodes`, 'more');
  }

  pop(): unknown {
    if (this.#stack.length === 0) throw this.fault('a value on the stack', 'none');
    const value = this.#stack.pop();
    if (value === MARK) throw this.fault('a value on the stack', 'a mark');
    return value;
  }

  /** The values since the last mark, which goes too. */
  marked(): unknown[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) throw this.fault('a mark on the stack', 'none');
    return this.#stack.splice(mark).slice(1);
  }

  tuple(length: number): Tuple {
    const items = Array.from({ length }, () => this.pop());
    return new Tuple(items.reverse());
  }

  put(index = this.#memo.size): unknown {
    const value = this.pop();
    this.#memo.set(index, value);
    return value;
  }

  get(index: number): unknown {
    if (this.#memo.has(index)) return this.#memo.get(index);
    throw this.fault('a value that was memoized', `memo ${String(index)}`);
  }

  append(items: readonly unknown[]): unknown[] {
    const list = this.pop();
    if (!Array.isArray(list)) throw this.fault('a list to append to', kindOf(list));
    for (const item of items) list.push(item);
    return list;
  }

  add(items: readonly unknown[]): Set<unknown> {
    const set = this.pop();
    if (!(set instanceof Set)) throw this.fault('a set to add to', kindOf(set));
    for (const item of items) set.add(item);
    return set;
  }

  setItems(items: readonly unknown[]): Map<unknown, unknown> {
    const map = this.pop();
    if (!(map instanceof Map)) throw this.fault('a mapping to fill', kindOf(map));
    if (items.length % 2 !== 0) throw this.fault('pairs of keys and values', `${String(items.length)} values`);
    for (let i = 0; i < items.length; i += 2) map.set(items[i], items[i + 1]);
    return map;
  }

  global(module: unknown, name: unknown): PickleGlobal {
    if (typeof module !== 'string' || typeof name !== 'string') {
      throw this.fault('names of a Python module and of something in it', `${kindOf(module)}, ${kindOf(name)}`);
    }
    const global = this.#rules.globals.get(`${module}.${name}`);
    if (!global) throw refused(`${module}.${name}`, this.bytes.what);
    return global;
  }

  reduce(): unknown {
    const args = this.pop();
    const global = this.pop();
    if (!(global instanceof PickleGlobal && global.make)) {
      throw this.fault('a call that rebuilds a tensor or a mapping', kindOf(global));
    }
    if (!(args instanceof Tuple)) throw this.fault(`${global.name} to have a tuple of arguments`, kindOf(args));
    return global.make(args.items, this.fault);
  }

  // Attributes of a mapping (a state_dict's _metadata) say nothing about weights.
  build(): unknown {
    this.pop();
    const object = this.pop();
    if (object instanceof Map) return object;
    throw this.fault('attributes of a mapping', `those of ${kindOf(object)}`);
  }

  persistent(): unknown {
    return this.#rules.persistent(this.pop(), this.fault);
  }
}

const STOP = 0x2e;
const PROTO = 0x80;
const FRAME = 0x95;

// By the names and codes of Python's pickletools.
const STEPS = new Map<number, (bytes: PickleBytes, machine: Machine) => unknown>([
  // MARK, NONE, NEWTRUE, NEWFALSE
  [0x28, () => MARK],
  [0x4e, () => null],
  [0x88, () => true],
  [0x89, () => false],
  // BININT, BININT1, BININT2, LONG1, LONG4, BINFLOAT
  [0x4a, (bytes) => bytes.int32()],
  [0x4b, (bytes) => bytes.uint8()],
  [0x4d, (bytes) => bytes.uint16()],
  [0x8a, (bytes) => bytes.integer(bytes.uint8())],
  [0x8b, (bytes) => bytes.integer(bytes.uint32())],
  [0x47, (bytes) => bytes.float64()],
  // SHORT_BINUNICODE, BINUNICODE, BINUNICODE8; SHORT_BINSTRING and BINSTRING of Python 2
  [0x8c, (bytes) => bytes.text(bytes.uint8())],
  [0x58, (bytes) => bytes.text(bytes.uint32())],
  [0x8d, (bytes) => bytes.text(bytes.length64())],
  [0x55, (bytes) => bytes.latin1(bytes.uint8())],
  [0x54, (bytes) => bytes.latin1(bytes.uint32())],
  // SHORT_BINBYTES, BINBYTES, BINBYTES8, BYTEARRAY8
  [0x43, (bytes) => bytes.blob(bytes.uint8())],
  [0x42, (bytes) => bytes.blob(bytes.uint32())],
  [0x8e, (bytes) => bytes.blob(bytes.length64())],
  [0x96, (bytes) => bytes.blob(bytes.length64())],
  // EMPTY_LIST, APPEND, APPENDS
  [0x5d, () => []],
  [0x61, (_, machine) => machine.append([machine.pop()])],
  [0x65, (_, machine) => machine.append(machine.marked())],
  // EMPTY_TUPLE, TUPLE, TUPLE1, TUPLE2, TUPLE3
  [0x29, (_, machine) => machine.tuple(0)],
  [0x74, (_, machine) => new Tuple(machine.marked())],
  [0x85, (_, machine) => machine.tuple(1)],
  [0x86, (_, machine) => machine.tuple(2)],
  [0x87, (_, machine) => machine.tuple(3)],
  // EMPTY_DICT, SETITEM, SETITEMS
  [0x7d, () => new Map()],
  [0x73, (_, machine) => machine.setItems([...machine.tuple(2).items])],
  [0x75, (_, machine) => machine.setItems(machine.marked())],
  // EMPTY_SET, ADDITEMS, FROZENSET
  [0x8f, () => new Set()],
  [0x90, (_, machine) => machine.add(machine.marked())],
  [0x91, (_, machine) => new Set(machine.marked())],
  // GLOBAL, STACK_GLOBAL, REDUCE, BUILD, BINPERSID
  [0x63, (bytes, machine) => machine.global(bytes.line(), bytes.line())],
  [0x93, (_, machine) => machine.global(...(machine.tuple(2).items as [unknown, unknown]))],
  [0x52, (_, machine) => machine.reduce()],
  [0x62, (_, machine) => machine.build()],
  [0x51, (_, machine) => machine.persistent()],
  // BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET
  [0x71, (bytes, machine) => machine.put(bytes.uint8())],
  [0x72, (bytes, machine) => machine.put(bytes.uint32())],
  [0x94, (_, machine) => machine.put()],
  [0x68, (bytes, machine) => machine.get(bytes.uint8())],
  [0x6a, (bytes, machine) => machine.get(bytes.uint32())],
]);

function refused(name: string, what: string): VggError {
  return new VggError(
    'INVALID_ARGUMENT',
    `Expected nothing but weights but ${what} asks Python for ${name}: nothing in a file is executed, only tensors are read. Save the state_dict alone: torch.save(model.state_dict(), 'weights.pth')`,
  );
}

/** What a value is, in words, for errors. */
export function kindOf(value: unknown): string {
  if (value === null) return 'None';
  if (value instanceof Tuple) return `a tuple of ${String(value.items.length)}`;
  if (value instanceof Map) return 'a mapping';
  if (value instanceof Set) return 'a set';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof PickleGlobal) return value.name;
  if (Array.isArray(value)) return `a list of ${String(value.length)}`;
  if (typeof value === 'object') return 'a tensor';
  if (typeof value === 'string') return `the text ${value.slice(0, 40)}`;
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : 'a truth value';
}

// Nothing may hold itself: whoever walks the value comes to an end, and not deep down.
function checkDepth(root: unknown, what: string): void {
  const heights = new Map<object, number>();
  const heightOf = (value: unknown, depth: number): number => {
    const children = childrenOf(value);
    if (!children) return 0;
    const known = heights.get(value as object);
    if (known === Infinity) throw expected('plain data', 'something that holds itself', what);
    if (depth + (known ?? 0) > MAX_DEPTH) {
      throw expected(`values nested at most ${String(MAX_DEPTH)} deep`, 'more', what);
    }
    if (known !== undefined) return known;
    heights.set(value as object, Infinity);
    let height = 0;
    for (const child of children) height = Math.max(height, 1 + heightOf(child, depth + 1));
    heights.set(value as object, height);
    return height;
  };
  heightOf(root, 0);
}

function childrenOf(value: unknown): Iterable<unknown> | undefined {
  if (Array.isArray(value) || value instanceof Set) return value;
  if (value instanceof Tuple) return value.items;
  if (value instanceof Map) return mapChildren(value);
  return undefined;
}

function* mapChildren(map: ReadonlyMap<unknown, unknown>): Generator {
  for (const [key, value] of map) {
    yield key;
    yield value;
  }
}
