// One layer at a time, forward and backward. Knows what a layer keeps for its gradient and when it lets go;
// not where weights or gradients live.

import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import type { ConvLayer, LrnLayer } from '../../../vgg/networks.ts';
import type { Kernels } from './kernels.ts';
import type { VariableShape } from './variables.ts';

/** What a layer's pass takes from the network around it. */
export interface Surroundings {
  kernels: Kernels;
  variable(role: VariableShape['role']): Tensor;
  /** Takes a gradient over. */
  gradient(role: VariableShape['role'], value: Tensor): void;
  /** Takes new running statistics over. */
  statistics(mean: Tensor, variance: Tensor): void;
  /** Called before sums are normalised, with them; may set the variables. */
  beforeNorm(sums: Tensor): void;
  /** Whether anything below learns; nothing is below the first layer. */
  below: boolean;
}

/** A layer's output, and the way back. */
export interface Passed {
  y: Tensor;
  /**
   * Hands in the gradients of the layer's variables and returns its input's, if anything is below. To be called
   * once; disposes of `dy`, `y` and what else the layer kept.
   */
  back(dy: Tensor): Tensor | undefined;
}

/** Convolution, batch normalisation if the layer has it, ReLU. */
export function passConv(x: Tensor, layer: ConvLayer, around: Surroundings): Passed {
  const { kernels } = around;
  const weight = around.variable('weight');
  const sums = kernels.conv(x, weight);
  const normed = layer.batchNorm ? passNorm(sums, around) : passBias(sums, around);
  const y = kernels.relu(normed.y);
  normed.y.dispose();
  return {
    y,
    back(dy) {
      const dNormed = replaced(dy, kernels.reluGradient(dy, y));
      y.dispose();
      const dSums = normed.back(dNormed);
      around.gradient('weight', kernels.convKernelGradient(x, weight.shape, dSums));
      const dx = around.below ? kernels.convInputGradient(x.shape, weight, dSums) : undefined;
      dSums.dispose();
      return dx;
    },
  };
}

interface NormPassed {
  y: Tensor;
  /** Disposes of `dy`, unless it is the result. */
  back(dy: Tensor): Tensor;
}

function passNorm(x: Tensor, around: Surroundings): NormPassed {
  const { kernels } = around;
  around.beforeNorm(x);
  const scale = around.variable('scale');
  const { y, mean, variance, saved } = kernels.batchNorm(x, {
    scale,
    shift: around.variable('shift'),
    mean: around.variable('mean'),
    variance: around.variable('variance'),
  });
  around.statistics(mean, variance);
  return {
    y,
    back(dy) {
      const gradients = kernels.batchNormGradient(x, scale, saved, dy);
      for (const tensor of [x, saved.mean, saved.variance, dy]) tensor.dispose();
      around.gradient('scale', gradients.scale);
      around.gradient('shift', gradients.shift);
      return gradients.dx;
    },
  };
}

function passBias(x: Tensor, around: Surroundings): NormPassed {
  const y = replaced(x, around.kernels.addBias(x, around.variable('bias')));
  return {
    y,
    back(dy) {
      around.gradient('bias', around.kernels.biasGradient(dy));
      return dy;
    },
  };
}

/** 2×2 max-pooling. */
export function passPool(x: Tensor, { kernels }: Surroundings): Passed {
  const y = kernels.maxPool(x);
  return {
    y,
    back(dy) {
      const dx = replaced(dy, kernels.maxPoolGradient(x, y, dy));
      y.dispose();
      return dx;
    },
  };
}

/** Local response normalisation. */
export function passLrn(x: Tensor, layer: LrnLayer, { kernels }: Surroundings): Passed {
  const y = kernels.lrn(x, layer);
  return {
    y,
    back(dy) {
      const dx = replaced(dy, kernels.lrnGradient(x, y, dy, layer));
      y.dispose();
      return dx;
    },
  };
}

/**
 * Fully connected: [n, …] → [n, out], ReLU if the layer has it, then outputs times the mask.
 *
 * @param mask 0 or 1 / (1 − dropout) for each output; taken over
 */
export function passConnected(x: Tensor, layer: ConvLayer, around: Surroundings, mask?: Tensor): Passed {
  const { kernels } = around;
  const weight = around.variable('weight');
  const rows = x.reshape([x.shape[0], -1]);
  const sums = kernels.product(rows, weight);
  const biased = replaced(sums, kernels.addBias(sums, around.variable('bias')));
  const active = layer.relu ? replaced(biased, kernels.relu(biased)) : biased;
  const y = mask ? active.mul(mask) : active;
  return {
    y,
    back(dy) {
      let d = mask ? replaced(dy, dy.mul(mask)) : dy;
      if (layer.relu) d = replaced(d, kernels.reluGradient(d, active));
      for (const tensor of [y, active, mask]) tensor?.dispose();
      around.gradient('bias', kernels.biasGradient(d));
      around.gradient('weight', kernels.product(rows, d, { a: true }));
      const dRows = kernels.product(d, weight, { b: true });
      const dx = dRows.reshape(x.shape);
      for (const tensor of [d, dRows, rows]) tensor.dispose();
      return dx;
    },
  };
}

function replaced(old: Tensor, by: Tensor): Tensor {
  old.dispose();
  return by;
}
