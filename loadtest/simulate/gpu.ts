// How long a GPU takes for a batch: an ESTIMATE from its data sheet, never measured. Knows layers and bytes.
//
//     time = launches + weights read once a batch / bandwidth + per view (operations / (peak · part reached) + activations / bandwidth)
//
// Nothing overlaps, which is pessimistic; the part of the peak that is reached is a guess that is right for VGG's
// large convolutions in float32 to a quarter, one way or the other. Whoever has such a GPU replaces it by a table that
// bench/batch writes there.

import { macs, networkLayers, parameterCount, type NetworkSpec } from '../../vgg/networks.ts';
import { expected } from '../../vgg/errors.ts';
import { chance, type EngineTiming } from './timings.ts';

/** A GPU's data sheet, and what is assumed of it. */
export interface GpuSheet {
  name: string;
  /** Float32 without tensor cores, 10¹² operations a second. */
  teraflops: number;
  /** Of that part of it, 0 to 1, VGG is assumed to reach. */
  reached: number;
  /** GB/s. */
  bandwidth: number;
}

/** GPUs of the price table's instances, by its names. */
export const GPU_SHEETS: Readonly<Record<string, GpuSheet>> = {
  T4: { name: 'T4', teraflops: 8.1, reached: 0.6, bandwidth: 320 },
  A10G: { name: 'A10G', teraflops: 31.2, reached: 0.5, bandwidth: 600 },
  // 72 W: it does not hold its clock under such a load.
  L4: { name: 'L4', teraflops: 30.3, reached: 0.4, bandwidth: 300 },
  L40S: { name: 'L40S', teraflops: 91.6, reached: 0.5, bandwidth: 864 },
  H100: { name: 'H100', teraflops: 67, reached: 0.6, bandwidth: 3350 },
};

// A kernel or two a layer, each some microseconds, and the worker's way there and back.
const LAUNCH_MS = 2;
// Cutting a crop out of its plane and handing it over, on the worker's thread: megabytes a millisecond.
const CUT_MB_PER_MS = 1;
// Times of a GPU vary little.
const VARIATION = 0.05;

/** @throws VggError INVALID_ARGUMENT for a GPU without a sheet */
export function gpuSheet(name: string): GpuSheet {
  const sheet = GPU_SHEETS[name];
  if (!sheet) throw expected(`one of ${Object.keys(GPU_SHEETS).join(', ')}`, name, 'gpu');
  return sheet;
}

/** An engine on a GPU that computes every view by itself. */
export function gpuTiming(spec: NetworkSpec, sheet: GpuSheet): EngineTiming {
  const weightsMs = (4 * parameterCount(spec)) / (sheet.bandwidth * 1e6);
  const crop = spec.inputSize ** 2;
  const perMac = 2 / (sheet.teraflops * 1e9 * sheet.reached);
  // Operations of a view grow with its pixels, nearly; those of a crop are exact.
  const perPixel =
    (macs(spec, spec.inputSize, spec.inputSize) * perMac + activationsMs(spec, sheet)) / crop +
    3 / 1e6 / CUT_MB_PER_MS;
  return {
    threads: 0,
    batchMs(batch, random) {
      let pixels = 0;
      for (const unit of batch) pixels += unit.pixels;
      return (LAUNCH_MS + weightsMs + pixels * perPixel) * chance(VARIATION, random);
    },
  };
}

// Every activation is written once and read once.
function activationsMs(spec: NetworkSpec, { bandwidth }: GpuSheet): number {
  let numbers = 0;
  let side = spec.inputSize;
  let channels = 3;
  for (const layer of networkLayers(spec)) {
    if (layer.kind === 'conv') channels = layer.outChannels;
    if (layer.kind === 'pool') side = Math.floor(side / 2);
    numbers += channels * side * side;
  }
  return (2 * 4 * numbers) / (bandwidth * 1e6);
}
