// The one error class of the project and its closed list of codes.
// Knows nothing of gRPC or HTTP: proto/status.ts and the gateway translate.

/** Every kind of failure a caller can meet. */
export const ERROR_CODES = [
  'INVALID_ARGUMENT',
  'UNSUPPORTED_FORMAT',
  'TOO_LARGE',
  'NOT_FOUND',
  'RESOURCE_EXHAUSTED',
  'UNAVAILABLE',
  'DEADLINE_EXCEEDED',
  'CANCELLED',
  'UNAUTHENTICATED',
  'PERMISSION_DENIED',
  'INTERNAL',
] as const;

/** See {@link ERROR_CODES}. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** A field of the request that is wrong, by its path (`scales[1]`), and why. */
export interface FieldViolation {
  field: string;
  message: string;
}

/** What an error carries beside its code and message. */
export interface VggErrorOptions {
  /** What went wrong underneath. Logged, never sent. */
  cause?: unknown;
  /** The fields at fault. */
  fields?: readonly FieldViolation[];
  /** Milliseconds after which trying again may succeed. */
  retryAfterMs?: number;
}

/**
 * A failure with a code. The message names what was expected, what came, and where:
 * `Expected scales ≥ 224 but received 200 (scales[1])`. It is shown to the caller.
 */
export class VggError extends Error {
  override readonly name = 'VggError';
  readonly code: ErrorCode;
  readonly fields: readonly FieldViolation[];
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: VggErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.fields = options.fields ?? [];
    this.retryAfterMs = options.retryAfterMs;
  }
}

/**
 * The one validation voice: `Expected {what} but received {came} ({field})`.
 *
 * @param what what would have been right, with unit and range
 * @param came what was given; long values are cut
 * @param field path of the field at fault
 */
export function expected(
  what: string,
  came: unknown,
  field: string,
  code: ErrorCode = 'INVALID_ARGUMENT',
): VggError {
  const message = `Expected ${what} but received ${shown(came)} (${field})`;
  return new VggError(code, message, { fields: [{ field, message }] });
}

/** The error as a VggError: itself, or INTERNAL with the error as its cause. */
export function asVggError(error: unknown): VggError {
  if (error instanceof VggError) return error;
  return new VggError('INTERNAL', 'Internal error', { cause: error });
}

function shown(value: unknown): string {
  const text =
    typeof value === 'string'
      ? value
      : typeof value === 'object' && value !== null
        ? JSON.stringify(value)
        : String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text === '' ? 'nothing' : text;
}
