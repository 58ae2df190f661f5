// What onnxruntime reads from the environment, and nobody configures. Knows no session.

/**
 * Keeps onnxruntime from telling its publisher what it runs: since 1.29 its Linux builds send names and hashes of
 * models unless told not to, and keep them in the user's cache folder until then. The library reads the process' own
 * environment, of which a worker thread has a copy: to be called on the main thread, before the library is loaded.
 */
export function keepToItself(): void {
  process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
}
