// Collects the nodes and constants of a graph, and names the values between them. Knows no operator.

import type { Attributes, Element, Initializer, Node } from './model-proto.ts';

/** A graph as it grows. */
export class GraphBuilder {
  readonly nodes: Node[] = [];
  readonly initializers: Initializer[] = [];
  readonly #prefix: string;

  /** @param prefix of names that the builder makes up: a graph inside another may repeat none of its names */
  constructor(prefix = '') {
    this.#prefix = prefix;
  }

  /** Appends a node and returns the name of its value. */
  add(op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.named(`${this.#prefix}${op}_${String(this.nodes.length)}`, op, inputs, attributes);
  }

  /** Appends a node whose value has this name. */
  named(output: string, op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    this.nodes.push({ op, inputs, outputs: [output], attributes });
    return output;
  }

  /** A constant list of whole numbers. */
  ints(name: string, values: readonly number[], dims: readonly number[] = [values.length]): string {
    return this.#constant(name, 'int64', dims, new BigInt64Array(values.map(BigInt)).buffer);
  }

  /** A constant tensor. */
  floats(name: string, dims: readonly number[], values: ArrayLike<number>): string {
    return this.#constant(name, 'float32', dims, Float32Array.from(values).buffer);
  }

  #constant(name: string, element: Element, dims: readonly number[], data: ArrayBuffer): string {
    const full = `${this.#prefix}${name}`;
    this.initializers.push({ name: full, dims, element, data: new Uint8Array(data) });
    return full;
  }
}
