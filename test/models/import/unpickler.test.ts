// Pickles as plain data: what is let in, what is refused by name, and that nothing a file claims is believed.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UnfinishedPickle } from '../../../models/import/formats/pickle-bytes.ts';
import { storagesOf, TENSOR_RULES } from '../../../models/import/formats/torch-tensors.ts';
import { Tuple, unpickle } from '../../../models/import/formats/unpickler.ts';
import { VggError } from '../../../vgg/index.ts';
import { joined, le, py, type Bytes } from './torch-bytes.ts';

const read = (bytes: Bytes) => unpickle(joined(bytes), 0, 'data.pkl', TENSOR_RULES);
const valueOf = (...parts: Bytes[]) => read(py.pickle(...parts)).value;

describe('plain data', () => {
  test.each<[string, Bytes, unknown]>([
    ['None', 'N', null],
    ['True', '\x88', true],
    ['False', '\x89', false],
    ['an integer of 4 bytes', py.int(-7), -7],
    ['one of 1 byte', 'K\xff', 255],
    ['one of 2 bytes', 'M\x00\x01', 256],
    ['a long', py.long(-5n), -5],
    ['a long of no bytes', '\x8a\x00', 0],
    ['a long that no number holds', py.long(2n ** 62n), 2n ** 62n],
    ['a long with a length of 4 bytes', joined('\x8b', le(2, 4), '\xff\xff'), -1],
    ['a float', 'G\x3f\xf8\x00\x00\x00\x00\x00\x00', 1.5],
    ['a text', py.text('naïve ▲'), 'naïve ▲'],
    ['a text that begins with a byte order mark', py.text('\ufeffa'), '\ufeffa'],
    ['a short text', '\x8c\x02ab', 'ab'],
    ['a long text', joined('\x8d', le(2, 8), 'ab'), 'ab'],
    ["Python 2's text", 'U\x02a\xe9', 'aé'],
    ["Python 2's long text", joined('T', le(2, 4), 'ab'), 'ab'],
    ['bytes', 'C\x02\x00\xff', new Uint8Array([0, 255])],
    ['a bytearray', joined('\x96', le(1, 8), 'x'), new Uint8Array([120])],
    ['a list', py.list(py.int(1), 'N'), [1, null]],
    ['a list by one', joined(']', 'K\x01', 'a'), [1]],
    ['tuples', joined(')', '\x85', 'K\x01', '\x86'), new Tuple([new Tuple([new Tuple([])]), 1])],
    [
      'a mapping',
      py.dict(py.text('a'), 'K\x01', 'K\x02', 'N'),
      new Map<unknown, unknown>([
        ['a', 1],
        [2, null],
      ]),
    ],
    ['a mapping by one', joined('}', py.text('a'), 'K\x01', 's'), new Map([['a', 1]])],
    ['a set', joined('\x8f(', 'K\x01', '\x90'), new Set([1])],
    ['a frozen set', joined('(', 'K\x01', '\x91'), new Set([1])],
    ['an OrderedDict', py.reduce(py.global('collections', 'OrderedDict')), new Map()],
    [
      "Python 2's OrderedDict",
      py.reduce(py.global('collections', 'OrderedDict'), py.list(py.list(py.text('a'), 'K\x01'))),
      new Map([['a', 1]]),
    ],
    [
      'attributes of an OrderedDict, which are not kept',
      joined(py.reduce(py.global('collections', 'OrderedDict')), py.dict(py.text('_metadata'), 'N'), 'b'),
      new Map(),
    ],
    ['torch.Size', py.reduce(py.global('torch', 'Size'), py.tuple('K\x03')), new Tuple([3])],
    [
      'a name from the stack',
      joined('\x8c\x05torch\x8c\x04Size\x93', py.tuple(py.tuple()), 'R'),
      new Tuple([]),
    ],
    ['what was memoized', joined('K\x09', 'q\x05', 'h\x05', '\x86'), new Tuple([9, 9])],
    [
      'what was memoized far away',
      joined('K\x09', 'r', le(70000, 4), 'j', le(70000, 4), '\x86'),
      new Tuple([9, 9]),
    ],
    ['what was memoized in turn', joined('K\x09', '\x94', 'h\x00', '\x86'), new Tuple([9, 9])],
    ['a frame', joined('\x95', le(3, 8), 'K\x01'), 1],
  ])('%s', (_, bytes, value) => {
    expect(valueOf(bytes)).toStrictEqual(value);
  });

  test('a mapping holds __proto__ as any other key', () => {
    const value = valueOf(py.dict(py.text('__proto__'), py.dict(py.text('polluted'), '\x88')));
    expect(value).toStrictEqual(new Map([['__proto__', new Map([['polluted', true]])]]));
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test('the end is that of the pickle, not of the bytes', () => {
    expect(read(joined(py.pickle('N'), 'more')).end).toBe(4);
  });
});

describe('what only Python could do is refused by its name', () => {
  test.each([
    ['os', 'system'],
    ['posix', 'system'],
    ['nt', 'system'],
    ['builtins', 'eval'],
    ['builtins', 'getattr'],
    ['__builtin__', 'eval'],
    ['subprocess', 'Popen'],
    ['argparse', 'Namespace'],
    ['torch.storage', '_load_from_bytes'],
    ['torch._utils', '_rebuild_tensor_v2.__globals__'],
    ['torchvision.models.vgg', 'VGG'],
    ['__main__', 'Net'],
    ['collections', 'OrderedDict.fromkeys'],
    ['constructor', 'constructor'],
  ])('%s.%s', (module, name) => {
    const called = py.pickle(py.reduce(py.global(module, name), py.text('touch /tmp/pwned')));
    const fromStack = py.pickle(py.text(module), py.text(name), '\x93', py.tuple(py.text('x')), 'R');
    for (const bytes of [called, fromStack]) {
      expect(() => read(bytes)).toThrow(
        `Expected nothing but weights but data.pkl asks Python for ${module}.${name}: nothing in a file is executed`,
      );
    }
  });

  test('it says what to save instead', () => {
    expect(() => valueOf(py.global('os', 'system'))).toThrow("torch.save(model.state_dict(), 'weights.pth')");
  });

  test('a whole model beside its source', () => {
    const module = joined(
      py.tuple(py.text('module'), py.text('Net'), py.text('net.py'), py.text('import os')),
      'Q',
    );
    expect(() => valueOf(module)).toThrow('a whole pickled model');
  });

  test.each<[string, Bytes, string]>([
    ['a call of a value', py.reduce(py.text('os.system'), py.text('x')), 'but received the text os.system'],
    [
      'a call of a type',
      py.reduce(py.global('torch', 'FloatStorage'), 'K\x01'),
      'but received torch.FloatStorage',
    ],
    [
      'a call of the result of a call',
      py.reduce(py.reduce(py.global('collections', 'OrderedDict')), py.tuple()),
      'but received a mapping',
    ],
    ['a call with a list', joined(py.global('torch', 'Size'), py.list(), 'R'), 'a tuple of arguments'],
    ['attributes of a name', joined(py.global('torch', 'Size'), py.dict(), 'b'), 'attributes of a mapping'],
    ['attributes of a list', joined(py.list(), py.dict(), 'b'), 'attributes of a mapping'],
    ['an instance of a class', joined(py.global('torch', 'Size'), py.tuple(), '\x81'), 'but received 0x81'],
    ['a name by number', joined('K\x01', 'K\x02', '\x93'), 'but received 1, 2'],
    ['opcodes of protocol 0', joined('I1\n'), 'but received 0x49'],
    ['an extension', joined('\x82\x01'), 'but received 0x82'],
    ['an unknown opcode', joined('\xff'), 'but received 0xff'],
    ['protocol 0', joined('\x80\x00', 'N'), 'Expected pickle protocol 2 to 5 but received 0'],
    ['protocol 6', joined('\x80\x06', 'N'), 'Expected pickle protocol 2 to 5 but received 6'],
  ])('%s', (_, bytes, message) => {
    expect(() => valueOf(bytes)).toThrow(message);
  });
});

describe('broken and hostile pickles end with one error', () => {
  const storage = py.storage('0', py.int(4));
  const tensor = (...parts: [Bytes, Bytes[], Bytes[]]) => py.tensor(storage, ...parts);
  test.each<[string, Bytes, string]>([
    ['an empty stack', '', 'a value on the stack but received none'],
    ['a mark as a value', '(', 'but received a mark'],
    ['several values', 'NN', 'Expected one value but received 2'],
    ['no mark', 'Nt', 'a mark on the stack but received none'],
    ['too few for a tuple', 'N\x86', 'a value on the stack but received none'],
    ['a memo that was never set', 'h\x07', 'Expected a value that was memoized but received memo 7'],
    ['a memo of nothing', 'q\x00', 'a value on the stack'],
    ['append to a mapping', joined('}', 'N', 'a'), 'a list to append to but received a mapping'],
    ['items of a list', joined(']', 'N', 'N', 's'), 'a mapping to fill but received a list'],
    ['members of a list', joined('](', 'N', '\x90'), 'a set to add to'],
    ['a key without a value', joined('}(', 'N', 'u'), 'pairs of keys and values but received 1 values'],
    ['a text that is not UTF-8', joined('X', le(2, 4), '\xc3\x28'), 'a text in UTF-8'],
    ['an endless name', joined('c', 'x'.repeat(300)), 'a name of at most 256 bytes'],
    [
      'a huge integer',
      joined('\x8b', le(0x7fffffff, 4), 'x'),
      'at most 256 bytes but received 2147483647 bytes',
    ],
    ['a list that holds itself', joined(']', 'q\x00', 'h\x00', 'a'), 'something that holds itself'],
    ['a mapping that holds itself', joined('}', 'q\x00', 'N', 'h\x00', 's'), 'something that holds itself'],
    ['a deep list', joined(']'.repeat(500), 'a'.repeat(499)), 'nested at most 64 deep'],
    ['deep tuples', joined(')', '\x85'.repeat(500)), 'nested at most 64 deep'],
    ['a full stack', 'N'.repeat(100_001), 'at most 100000 values at once'],
    ['endless opcodes', joined(']', 'Na'.repeat(600_000)), 'at most 1000000 opcodes'],
    ['no storage', py.tensor('N', py.int(0), [], []), 'the storage of a tensor but received None'],
    ['a negative size', tensor(py.int(0), [py.int(-1)], ['K\x01']), 'Expected a size ≥ 0 but received -1'],
    ['a negative stride', tensor(py.int(0), ['K\x02'], [py.int(-1)]), 'Expected a size ≥ 0 but received -1'],
    [
      'a negative offset',
      tensor(py.int(-4), ['K\x01'], ['K\x01']),
      'the offset of a tensor ≥ 0 but received -4',
    ],
    ['a fractional size', tensor(py.int(0), ['G\x3f\xf8\x00\x00\x00\x00\x00\x00'], ['K\x01']), 'a size ≥ 0'],
    ['an endless size', tensor(py.int(0), [py.long(2n ** 62n)], ['K\x01']), 'a size ≥ 0'],
    [
      'an endless shape',
      tensor(py.int(0), Array<Bytes>(4).fill(py.int(65536)), Array<Bytes>(4).fill('K\x00')),
      'that a file can hold',
    ],
    [
      'too many axes',
      tensor(py.int(0), Array<Bytes>(65).fill('K\x01'), Array<Bytes>(65).fill('K\x01')),
      'at most 64 sizes',
    ],
    [
      'fewer strides than axes',
      tensor(py.int(0), ['K\x01', 'K\x01'], ['K\x01']),
      'Expected 2 strides but received 1',
    ],
    [
      'a storage of no type',
      joined(py.tuple(py.text('storage')), 'Q'),
      'the type, key and size of a storage',
    ],
    ['a storage that is a text', joined(py.text('storage'), 'Q'), 'the type, key and size of a storage'],
    [
      'a storage of a function',
      joined(py.tuple(py.text('storage'), py.global('torch', 'Size'), py.text('0'), 'N', 'K\x01'), 'Q'),
      'the type, key and size',
    ],
    [
      'a storage of less than nothing',
      py.storage('0', py.int(-1)),
      'a number of elements ≥ 0 but received -1',
    ],
    [
      'a view beyond its storage',
      py.storage('0', py.int(4), 'FloatStorage', py.tuple(py.text('v'), py.int(2), py.int(3))),
      'a view within 4 elements but received 5',
    ],
    [
      'a parameter without a tensor',
      py.reduce(py.global('torch._utils', '_rebuild_parameter'), 'N'),
      'the tensor of a parameter',
    ],
    [
      'an OrderedDict of halves',
      py.reduce(py.global('collections', 'OrderedDict'), py.list(py.list('N'))),
      'a key and a value',
    ],
  ])('%s', (_, bytes, message) => {
    expect(() => valueOf(bytes)).toThrow(message);
    expect(() => valueOf(bytes)).toThrow(VggError);
  });

  test.each<[string, Bytes]>([
    ['no end', '\x80\x02N'],
    ['nothing', ''],
    ['a text of 2 GB', joined('\x80\x02X', le(2 ** 31, 4), 'abc')],
    ['a text of 2^63 bytes', joined('\x80\x04\x8d', le(2n ** 63n - 1n, 8), 'abc')],
    ['bytes of 2^63 bytes', joined('\x80\x04\x8e', le(2n ** 63n - 1n, 8), 'abc')],
    ['a frame of 2^63 bytes', joined('\x80\x04\x95', le(2n ** 63n - 1n, 8), 'N.')],
    ['half an integer', '\x80\x02J\x01'],
    ['half a name', '\x80\x02ctorch\nSi'],
    ['a long of 255 bytes', '\x80\x02\x8a\xff\x01'],
  ])('%s is unfinished', (_, bytes) => {
    expect(() => read(bytes)).toThrow(UnfinishedPickle);
    expect(() => read(bytes)).toThrow(/truncated, or not what it claims/);
  });

  test('lists of lists of lists have 2^60 paths and are walked once', () => {
    const storage = py.storage('0', py.int(4));
    const first = joined(py.list(py.tensor(storage, py.int(0), [], [])), 'q\x00');
    const twice = Array.from({ length: 60 }, (_, i) =>
      joined('](h', le(i, 1), 'h', le(i, 1), 'eq', le(i + 1, 1)),
    );
    const { value } = read(py.pickle(py.tuple(first, ...twice)));
    expect(storagesOf(value)).toMatchObject([{ key: '0', elements: 4 }]);
  });

  test('whatever the bytes, the only error is ours', () => {
    const start = py.pickle(
      py.dict(py.text('w'), py.tensor(py.storage('0', py.int(4)), py.int(0), ['K\x04'], ['K\x01'])),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(start.length - 1), fc.nat(255)), { maxLength: 4 }), (changes) => {
        const bytes = Buffer.from(start);
        for (const [place, byte] of changes) bytes[place] = byte;
        onlyOurs(() => read(bytes));
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        onlyOurs(() => read(bytes));
      }),
      { numRuns: 2000 },
    );
  });
});

function onlyOurs(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(VggError);
    expect((error as VggError).code).toBe('INVALID_ARGUMENT');
  }
}
