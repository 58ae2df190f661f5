// The environment that the TensorFlow library reads while it loads, and never again. Knows the library's own
// variables; what somebody has set already stays.

/** What the library can only be told by its environment; all have defaults. */
export interface TensorFlowEnvironment {
  /** Threads of one operation; as many as the machine has unless given. */
  threads?: number;
  /** `cpu` hides all GPUs from the library. */
  device?: 'any' | 'gpu' | 'cpu';
}

/**
 * Sets the library's variables. The library reads the process's own environment, and a worker thread has but a
 * copy of it: call this on the main thread, before the library loads or a worker that loads it is started.
 */
export function prepareTensorFlowEnvironment({ threads, device }: TensorFlowEnvironment = {}): void {
  const { env } = process;
  // oneDNN's kernels: a training step takes half the time.
  env['TF_ENABLE_ONEDNN_OPTS'] ??= '1';
  // Errors only; the rest is chatter on stderr.
  env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  // Otherwise the first process takes all memory of a GPU.
  env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true';
  // TensorFloat-32 keeps 10 bits of each factor: quicker, but no longer the same answer to 1e-4.
  env['NVIDIA_TF32_OVERRIDE'] ??= '0';
  if (threads !== undefined) env['TF_NUM_INTRAOP_THREADS'] = String(threads);
  if (device === 'cpu') env['CUDA_VISIBLE_DEVICES'] = '-1';
}
