// What onnxruntime and CUDA read from the environment, and nobody configures. Knows no session.

/**
 * Keeps onnxruntime from telling its publisher what it runs: since 1.29 its Linux builds send names and hashes of
 * models unless told not to, and keep them in the user's cache folder until then. And keeps a GPU from TensorFloat-32,
 * whose factors have 10 bits: no longer the same answer to 1e-4. The libraries read the process' own environment, of
 * which a worker thread has a copy: to be called on the main thread, before they are loaded.
 */
export function prepareOnnxEnvironment(): void {
  process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
  process.env['NVIDIA_TF32_OVERRIDE'] ??= '0';
}
