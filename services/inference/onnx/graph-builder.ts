// Collects the nodes and constants of a graph, and names the values between them. Knows no operator.

import type { Attributes, Initializer, Node } from './model-proto.ts';

/** A graph as it grows. */
export class GraphBuilder {
  readonly nodes: Node[] = [];
  readonly initializers: Initializer[] = [];

  /** Appends a node and returns the name of its value. */
  add(op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.named(`${op}_${String(this.nodes.length)}`, op, inputs, attributes);
  }

  /** Appends a node of several values and returns their names. */
  split(op: string, inputs: readonly string[], values: number, attributes: Attributes = {}): string[] {
    const outputs = Array.from(
      { length: values },
      (_, i) => `${op}_${String(this.nodes.length)}_${String(i)}`,
    );
    this.nodes.push({ op, inputs, outputs, attributes });
    return outputs;
  }

  /** Appends a node whose value has this name. */
  named(output: string, op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    this.nodes.push({ op, inputs, outputs: [output], attributes });
    return output;
  }

  /** A constant list of whole numbers. */
  ints(name: string, values: readonly number[]): string {
    const data = new Uint8Array(new BigInt64Array(values.map(BigInt)).buffer);
    this.initializers.push({ name, dims: [values.length], element: 'int64', data });
    return name;
  }

  /** A constant tensor. */
  floats(name: string, dims: readonly number[], values: ArrayLike<number>): string {
    const data = new Uint8Array(Float32Array.from(values).buffer);
    this.initializers.push({ name, dims, element: 'float32', data });
    return name;
  }
}
