// TensorFlow's operations that a network needs, and when their results are freed. Knows tensors by number;
// does not know networks. TensorFlow.js has no word for uint8, half precision or windows of a map, so these
// are the library's own operations, called by name.

import type { OperationAttribute, TensorFlowBinding } from '../../host/tensorflow/library.ts';

/** A tensor on the device. */
export interface DeviceTensor {
  readonly id: number;
  readonly shape: readonly number[];
}

/** Types that a network computes in, by TensorFlow's numbers. */
export const ELEMENT_TYPES = { float32: 1, float16: 19 } as const;

/** See {@link ELEMENT_TYPES}. */
export type ElementType = keyof typeof ELEMENT_TYPES;

/** The library's operations. Each makes one tensor, which lives until it is freed or its scope ends. */
export class Operations {
  readonly #binding: TensorFlowBinding;
  #live = new Set<number>();

  constructor(binding: TensorFlowBinding) {
    this.#binding = binding;
  }

  /** Runs a function, and frees all tensors that were made in it but those that it returns. */
  scope<Kept extends readonly DeviceTensor[]>(body: () => Kept): Kept {
    const outer = this.#live;
    this.#live = new Set();
    let kept: readonly DeviceTensor[] = [];
    try {
      const result = body();
      kept = result;
      return result;
    } finally {
      for (const { id } of kept) {
        this.#live.delete(id);
        outer.add(id);
      }
      for (const id of this.#live) this.#binding.deleteTensor(id);
      this.#live = outer;
    }
  }

  /** Takes a tensor out of its scope: whoever keeps it frees it. */
  keep(tensor: DeviceTensor): DeviceTensor {
    this.#live.delete(tensor.id);
    return tensor;
  }

  /** Frees a tensor. */
  free({ id }: DeviceTensor): void {
    this.#live.delete(id);
    this.#binding.deleteTensor(id);
  }

  /** Frees a tensor after a function has had it, so that a batch holds two maps, not all of them. */
  consume(tensor: DeviceTensor, body: (tensor: DeviceTensor) => DeviceTensor): DeviceTensor {
    const result = body(tensor);
    this.free(tensor);
    return result;
  }

  /** float32 values; the array belongs to the tensor from here on. */
  floats(shape: number[], values: Float32Array): DeviceTensor {
    return this.#made(this.#binding.createTensor(shape, this.#binding.TF_FLOAT, values), shape);
  }

  /** Bytes; the array belongs to the tensor from here on. */
  bytes(shape: number[], values: Uint8Array): DeviceTensor {
    return this.#made(this.#binding.createTensor(shape, this.#binding.TF_UINT8, values), shape);
  }

  /** int32 values; the array belongs to the tensor from here on. */
  ints(shape: number[], values: Int32Array): DeviceTensor {
    return this.#made(this.#binding.createTensor(shape, this.#binding.TF_INT32, values), shape);
  }

  /** A float32 tensor's values, when the device has them. */
  read({ id }: DeviceTensor): Float32Array<ArrayBuffer> {
    return this.#binding.tensorDataSync(id) as Float32Array<ArrayBuffer>;
  }

  /** Elements of one type as those of another. */
  cast(x: DeviceTensor, from: ElementType | 'uint8', to: ElementType): DeviceTensor {
    const { TF_UINT8 } = this.#binding;
    const source = from === 'uint8' ? TF_UINT8 : ELEMENT_TYPES[from];
    return this.#run('Cast', [x], [this.#type('SrcT', source), this.#type('DstT', ELEMENT_TYPES[to])]);
  }

  /** x − y, y of the last axis. */
  subtract(x: DeviceTensor, y: DeviceTensor, type: ElementType): DeviceTensor {
    return this.#run('Sub', [x, y], [this.#type('T', ELEMENT_TYPES[type])]);
  }

  /** Axes in another order. */
  transpose(x: DeviceTensor, order: number[], type: ElementType): DeviceTensor {
    return this.#run(
      'Transpose',
      [x, this.#list(order)],
      [this.#type('T', ELEMENT_TYPES[type]), this.#type('Tperm', this.#binding.TF_INT32)],
    );
  }

  /** The same elements in another shape. */
  reshape(x: DeviceTensor, shape: number[], type: ElementType): DeviceTensor {
    return this.#run(
      'Reshape',
      [x, this.#list(shape)],
      [this.#type('T', ELEMENT_TYPES[type]), this.#type('Tshape', this.#binding.TF_INT32)],
    );
  }

  /** Convolution, stride 1, zero padding of (kernel − 1) / 2. [n, h, w, in] × [k, k, in, out] → [n, h, w, out] */
  convolve(x: DeviceTensor, weight: DeviceTensor, type: ElementType): DeviceTensor {
    return this.#run(
      'Conv2D',
      [x, weight],
      [
        ...this.#windowed([1, 1, 1, 1], 'SAME', type),
        this.#attribute('dilations', 'TF_ATTR_INT', [1, 1, 1, 1]),
        this.#attribute('use_cudnn_on_gpu', 'TF_ATTR_BOOL', true),
      ],
    );
  }

  /** Max-pooling 2×2, stride 2, no padding. */
  pool(x: DeviceTensor, type: ElementType): DeviceTensor {
    return this.#run(
      'MaxPool',
      [x],
      [...this.#windowed([1, 2, 2, 1], 'VALID', type), this.#attribute('ksize', 'TF_ATTR_INT', [1, 2, 2, 1])],
    );
  }

  /** x + bias, per channel. */
  addBias(x: DeviceTensor, bias: DeviceTensor, type: ElementType): DeviceTensor {
    return this.#run(
      'BiasAdd',
      [x, bias],
      [this.#type('T', ELEMENT_TYPES[type]), this.#attribute('data_format', 'TF_ATTR_STRING', 'NHWC')],
    );
  }

  /** max(x, 0) */
  relu(x: DeviceTensor, type: ElementType): DeviceTensor {
    return this.#run('Relu', [x], [this.#type('T', ELEMENT_TYPES[type])]);
  }

  /** x / (k + alpha Σ x²)^beta over `size` channels; float32 alone. */
  normalise(
    x: DeviceTensor,
    { size, k, alpha, beta }: { size: number; k: number; alpha: number; beta: number },
  ): DeviceTensor {
    return this.#run(
      'LRN',
      [x],
      [
        this.#type('T', ELEMENT_TYPES.float32),
        this.#attribute('depth_radius', 'TF_ATTR_INT', (size - 1) / 2),
        this.#attribute('bias', 'TF_ATTR_FLOAT', k),
        this.#attribute('alpha', 'TF_ATTR_FLOAT', alpha),
        this.#attribute('beta', 'TF_ATTR_FLOAT', beta),
      ],
    );
  }

  /** All windows of a map, in the order of a transposed weight. [n, h, w, c] → [n, h', w', side² · c] */
  windows(x: DeviceTensor, side: number, type: ElementType): DeviceTensor {
    return this.#run(
      'ExtractImagePatches',
      [x],
      [
        this.#type('T', ELEMENT_TYPES[type]),
        this.#attribute('ksizes', 'TF_ATTR_INT', [1, side, side, 1]),
        this.#attribute('strides', 'TF_ATTR_INT', [1, 1, 1, 1]),
        this.#attribute('rates', 'TF_ATTR_INT', [1, 1, 1, 1]),
        this.#attribute('padding', 'TF_ATTR_STRING', 'VALID'),
      ],
    );
  }

  /** [rows, in] × [in, out] */
  multiply(x: DeviceTensor, weight: DeviceTensor, type: ElementType): DeviceTensor {
    return this.#run(
      'MatMul',
      [x, weight],
      [
        this.#type('T', ELEMENT_TYPES[type]),
        this.#attribute('transpose_a', 'TF_ATTR_BOOL', false),
        this.#attribute('transpose_b', 'TF_ATTR_BOOL', false),
      ],
    );
  }

  /** float32 products of matrices one by one, or of one with each. [n, rows, in] × [n, in, out] */
  multiplyEach(x: DeviceTensor, y: DeviceTensor): DeviceTensor {
    return this.#run(
      'BatchMatMulV2',
      [x, y],
      [
        this.#type('T', ELEMENT_TYPES.float32),
        this.#attribute('adj_x', 'TF_ATTR_BOOL', false),
        this.#attribute('adj_y', 'TF_ATTR_BOOL', false),
      ],
    );
  }

  /** float32 rows of a matrix. [rows, columns], [n, m] of int32 → [n, m, columns] */
  gather(x: DeviceTensor, rows: DeviceTensor): DeviceTensor {
    return this.#run(
      'Gather',
      [x, rows],
      [
        this.#type('Tparams', ELEMENT_TYPES.float32),
        this.#type('Tindices', this.#binding.TF_INT32),
        this.#attribute('validate_indices', 'TF_ATTR_BOOL', true),
      ],
    );
  }

  /** float32 matrices below each other; a single one is itself. */
  concatenate(matrices: readonly DeviceTensor[]): DeviceTensor {
    const [only, ...others] = matrices;
    // The library concatenates two at least.
    if (only && others.length === 0) return only;
    const { TF_INT32 } = this.#binding;
    return this.#run(
      'ConcatV2',
      [...matrices, this.ints([], new Int32Array(1))],
      [
        this.#type('T', ELEMENT_TYPES.float32),
        this.#attribute('N', 'TF_ATTR_INT', matrices.length),
        this.#type('Tidx', TF_INT32),
      ],
    );
  }

  /** float32 rows of a matrix, from one on. */
  rowsFrom(x: DeviceTensor, first: number): DeviceTensor {
    return this.#run(
      'Slice',
      [x, this.#list([first, 0]), this.#list([-1, -1])],
      [this.#type('T', ELEMENT_TYPES.float32), this.#type('Index', this.#binding.TF_INT32)],
    );
  }

  /** float32 mean over axes. */
  mean(x: DeviceTensor, axes: number[]): DeviceTensor {
    return this.#run(
      'Mean',
      [x, this.#list(axes)],
      [
        this.#type('T', ELEMENT_TYPES.float32),
        this.#type('Tidx', this.#binding.TF_INT32),
        this.#attribute('keep_dims', 'TF_ATTR_BOOL', false),
      ],
    );
  }

  /** float32 softmax over the last axis. */
  softmax(x: DeviceTensor): DeviceTensor {
    return this.#run('Softmax', [x], [this.#type('T', ELEMENT_TYPES.float32)]);
  }

  #list(values: number[]): DeviceTensor {
    return this.ints([values.length], Int32Array.from(values));
  }

  #run(name: string, inputs: DeviceTensor[], attributes: OperationAttribute[]): DeviceTensor {
    const ids = inputs.map(({ id }) => id);
    const [output] = this.#binding.executeOp(name, attributes, ids, 1);
    if (!output) throw new Error(`Expected an output of ${name}`);
    return this.#made(output.id, output.shape);
  }

  #made(id: number, shape: readonly number[]): DeviceTensor {
    this.#live.add(id);
    return { id, shape };
  }

  #windowed(strides: number[], padding: 'SAME' | 'VALID', type: ElementType): OperationAttribute[] {
    return [
      this.#type('T', ELEMENT_TYPES[type]),
      this.#attribute('strides', 'TF_ATTR_INT', strides),
      this.#attribute('padding', 'TF_ATTR_STRING', padding),
      this.#attribute('data_format', 'TF_ATTR_STRING', 'NHWC'),
    ];
  }

  #type(name: string, value: number): OperationAttribute {
    return this.#attribute(name, 'TF_ATTR_TYPE', value);
  }

  #attribute(
    name: string,
    type: 'TF_ATTR_BOOL' | 'TF_ATTR_FLOAT' | 'TF_ATTR_INT' | 'TF_ATTR_STRING' | 'TF_ATTR_TYPE',
    value: OperationAttribute['value'],
  ): OperationAttribute {
    return { name, type: this.#binding[type], value };
  }
}
