// A VGG network, built step by step as a file's graph is walked: which layer a convolution is, and whether the
// steps between are VGG's. Knows no format; what is not VGG is refused where it is met, by the file's own name.

import { VggError } from '../../../vgg/index.ts';
import type { Axes, BatchNorm, Release, SourceLayer, StoredTensor } from '../release.ts';

/** How a convolution or pool moves over its input, [height, width] each; undefined where the file says nothing. */
export interface Geometry {
  kernel?: readonly number[];
  /** Zero padding; `same` if the file asks for as much as keeps the size. [top, left, bottom, right] or [height, width]. */
  pads?: readonly number[] | 'same';
  strides?: readonly number[];
  dilations?: readonly number[];
  group?: number;
}

/** Constants of local response normalisation, alpha not divided by size. */
export interface Lrn {
  size: number;
  alpha: number;
  beta: number;
  k: number;
}

/** A weight with what belongs to it. */
export interface Weights {
  weight: StoredTensor;
  axes: Axes;
  bias?: StoredTensor;
}

const KRIZHEVSKY: Lrn = { size: 5, alpha: 1e-4, beta: 0.75, k: 2 };
const BLOCKS = 5;
const CONNECTED = ['fc6', 'fc7', 'fc8'];
const A_CONVOLUTIONS = 'conv1_1 conv2_1 conv3_1 conv3_2 conv4_1 conv4_2 conv5_1 conv5_2';

/** The layers so far. Every method throws VggError INVALID_ARGUMENT if the step is not the next of a VGG network. */
export class Chain {
  readonly #layers: SourceLayer[] = [];
  readonly #rectified: boolean;
  readonly #complete: boolean;
  #block = 1;
  #position = 1;
  #lrn = false;
  // What the last step was; a pool begins each block.
  #last: 'pool' | 'conv' | 'norm' | 'relu' | 'lrn' = 'pool';

  /**
   * @param rectified whether the file has all its ReLUs; else they are taken as read
   * @param complete whether it has all layers without weights: only then no LRN means A
   */
  constructor(rectified = true, complete = rectified) {
    this.#rectified = rectified;
    this.#complete = complete;
  }

  /** Name of the layer that comes next; undefined after fc8. */
  get next(): string | undefined {
    if (this.#block <= BLOCKS) return `conv${String(this.#block)}_${String(this.#position)}`;
    return CONNECTED[this.#position - 1];
  }

  /** Whether all five blocks are behind. */
  get flat(): boolean {
    return this.#block > BLOCKS;
  }

  /** Whether no layer has come yet. */
  get empty(): boolean {
    return this.#layers.length === 0;
  }

  /** Whether fc8 has come. */
  get complete(): boolean {
    return this.flat && this.next === undefined;
  }

  /** A convolution: of the block, or one of fc6 to fc8 in convolutional form. */
  convolution(step: string, weights: Weights, geometry: Geometry): void {
    const name = this.#begin(step);
    const { shape } = weights.weight;
    const [height, width] = (weights.axes === 'HWIO' ? shape : shape.slice(2)) as [number?, number?];
    if (shape.length !== 4 || height === undefined || height !== width) {
      throw this.#unlike(`${name}, a square convolution`, `weights of shape [${shape.join(', ')}]`, step);
    }
    const padded = this.flat ? 0 : (height - 1) / 2;
    const came = described(geometry);
    if (this.flat) {
      if (height !== 1 && name !== 'fc6') throw this.#unlike(`${name} of kernel 1`, came, step);
    } else if (![1, 3, 5].includes(height)) {
      throw this.#unlike(`${name} of kernel 3, 1 or 5`, `kernel ${String(height)}`, step);
    }
    const { kernel, pads, strides, dilations, group } = geometry;
    const fits =
      every(kernel, height) &&
      every(strides, 1) &&
      every(dilations, 1) &&
      (group ?? 1) === 1 &&
      (pads === 'same' ? !this.flat || height === 1 : every(pads, padded));
    if (!fits) {
      const wanted = `${name} of kernel ${String(height)}, stride 1, pad ${String(padded)}, group 1, dilation 1`;
      throw this.#unlike(wanted, came, step);
    }
    this.#add(name, weights);
  }

  /** A fully connected layer. */
  connected(step: string, weights: Weights): void {
    const name = this.#begin(step);
    if (!this.flat) throw this.#unlike(`${name}, a convolution`, 'a fully connected layer', step);
    this.#add(name, weights);
  }

  /** A bias that follows the weight as a step of its own. */
  bias(step: string, bias: StoredTensor): void {
    const layer = this.#layers.at(-1);
    if (this.#last !== 'conv' || !layer || layer.bias) {
      throw this.#unlike(this.#wanted(), 'an addition', step);
    }
    layer.bias = bias;
  }

  /** Batch normalisation between a convolution and its ReLU. */
  batchNorm(step: string, batchNorm: BatchNorm): void {
    const layer = this.#layers.at(-1);
    if (this.#last !== 'conv' || !layer || this.flat) {
      throw this.#unlike(this.#wanted(), 'batch normalisation that follows no convolution', step);
    }
    layer.batchNorm = batchNorm;
    this.#last = 'norm';
  }

  /** Scale and shift of batch normalisation, where they are a step of their own. */
  scale(step: string, scale: StoredTensor, shift: StoredTensor | undefined): void {
    const norm = this.#layers.at(-1)?.batchNorm;
    if (this.#last !== 'norm' || !norm || norm.scale) {
      throw this.#unlike(this.#wanted(), 'a scale that follows no batch normalisation', step);
    }
    norm.scale = scale;
    if (shift) norm.shift = shift;
  }

  /** ReLU. */
  relu(step: string): void {
    if (this.#last === 'conv' || this.#last === 'norm') {
      if (this.complete) throw this.#unlike('class scores', 'ReLU after fc8', step);
      this.#last = 'relu';
    } else if (this.#rectified) {
      throw this.#unlike(this.#wanted(), 'ReLU that follows no convolution', step);
    }
  }

  /** Local response normalisation after conv1_1 and its ReLU. */
  lrn(step: string, lrn: Lrn): void {
    const came = `LRN of ${constants(lrn)}`;
    const same = (['size', 'alpha', 'beta', 'k'] as const).every(
      (constant) => Math.abs(lrn[constant] - KRIZHEVSKY[constant]) <= 1e-6 * KRIZHEVSKY[constant],
    );
    if (!same) throw this.#unlike(`LRN of ${constants(KRIZHEVSKY)} (alpha not divided by size)`, came, step);
    if (this.#layers.length !== 1 || this.#last !== (this.#rectified ? 'relu' : this.#last) || this.#lrn) {
      throw this.#unlike(`${this.#wanted()}: LRN once, after conv1_1 and its ReLU`, came, step);
    }
    this.#lrn = true;
    this.#last = 'lrn';
  }

  /** The max-pool that ends a block; with all of its geometry, if the file says it. */
  pool(step: string, geometry?: Geometry): void {
    if (this.#last === 'pool' || this.flat) throw this.#unlike(this.#wanted(), 'a pool', step);
    this.#checkRelu(step);
    if (geometry) {
      const { kernel, pads, strides, dilations } = geometry;
      const fits =
        every(kernel ?? [], 2) && every(strides ?? [], 2) && (pads === 'same' || every(pads, 0)) && every(dilations, 1);
      if (!fits || !kernel || !strides) {
        throw this.#unlike('max-pooling of kernel 2, stride 2, pad 0', described(geometry), step);
      }
    }
    this.#block++;
    this.#position = 1;
    this.#last = 'pool';
  }

  /** Says that something is no step of a VGG network. */
  refuse(step: string, came: string): VggError {
    return this.#unlike(this.#wanted(), came, step);
  }

  /** All layers, once the file ends; and the row, where LRN tells A from A-LRN. */
  end(where: string): Pick<Release, 'layers' | 'network'> {
    if (!this.complete) throw this.#unlike(this.#wanted(), 'no further layer', where);
    const convolutions = this.#layers.slice(0, -CONNECTED.length);
    const ofA =
      convolutions.map(({ name }) => name).join(' ') === A_CONVOLUTIONS &&
      convolutions.every(({ weight }) => weight.shape[2] === 3);
    if (this.#lrn && !ofA) {
      const came = convolutions.map(({ name }) => name).join(' ');
      throw this.#unlike(`LRN in network A-LRN alone, of 3×3 ${A_CONVOLUTIONS}`, came, where);
    }
    if (!this.#complete && !this.#lrn) return { layers: this.#layers };
    return { layers: this.#layers, ...(ofA && { network: this.#lrn ? 'A-LRN' : 'A' }) };
  }

  #begin(step: string): string {
    const name = this.next;
    if (name === undefined) throw this.#unlike('fc8 to be the last layer', 'an extra layer', step);
    if (this.#position > 1 || this.flat) this.#checkRelu(step);
    return name;
  }

  #add(name: string, weights: Weights): void {
    this.#layers.push({ name, ...weights });
    this.#position++;
    this.#last = 'conv';
  }

  #checkRelu(step: string): void {
    if (this.#rectified && (this.#last === 'conv' || this.#last === 'norm')) {
      throw this.#unlike(`ReLU after ${this.#layers.at(-1)?.name ?? ''}`, 'none', step);
    }
  }

  #wanted(): string {
    const name = this.next;
    return name === undefined ? 'the scores of fc8' : this.flat || this.#last === 'pool' ? name : `${name} or a pool`;
  }

  #unlike(wanted: string, came: string, step: string): VggError {
    return new VggError(
      'INVALID_ARGUMENT',
      `Expected a VGG network, here ${wanted}, but received ${cut(came)} (${cut(step)})`,
    );
  }
}

function every(values: readonly number[] | undefined | 'same', wanted: number): boolean {
  return values === undefined || (values !== 'same' && values.every((value) => value === wanted));
}

function described({ kernel, pads, strides, dilations, group }: Geometry): string {
  const facts = [
    ['kernel', kernel],
    ['stride', strides],
    ['pad', pads],
    ['group', group === undefined ? undefined : [group]],
    ['dilation', dilations],
  ] as const;
  const told = facts.flatMap(([name, values]) => {
    if (values === undefined) return [];
    const [first, ...more] = values === 'same' ? ['same'] : values;
    return `${name} ${more.every((value) => value === first) ? String(first) : String(values)}`;
  });
  return told.join(', ') || 'nothing';
}

function constants({ k, size, alpha, beta }: Lrn): string {
  // Files have float32: nobody reads 0.00009999999747.
  const shown = (value: number) => String(Number(value.toPrecision(6)));
  return `k ${shown(k)}, n ${shown(size)}, alpha ${shown(alpha)}, beta ${shown(beta)}`;
}

// Names come from the file, and may be of any length there.
function cut(text: string): string {
  return text.length > 200 ? `${text.slice(0, 197)}…` : text;
}
