// JSON logs, one object a line, to standard error. Knows what must never be logged.

import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';

/** Levels, most talkative first. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type Logger = PinoLogger;

// Credentials and pixels, wherever in the first levels of a line they stand.
const SECRET_KEYS = ['authorization', 'cookie', 'password', 'token', 'apiKey', 'x-api-key', 'secret', 'key'];
const BULKY_KEYS = ['photo', 'rgb8', 'posterior', 'values'];
const CAUSES_DEEP = 5;

/** What of an error is logged: never its other properties, which may hold requests and metadata. */
interface LoggedError {
  type: string;
  message: string;
  code?: string | number;
  stack?: string | undefined;
  cause?: LoggedError;
}

/**
 * A service's logger.
 *
 * @param service name in every line
 * @param destination where lines go; standard error unless given
 */
export function createLogger(
  service: string,
  level: LogLevel = 'info',
  destination: DestinationStream = pino.destination({ dest: 2, sync: true }),
): Logger {
  const paths = [...SECRET_KEYS, ...BULKY_KEYS].flatMap((key) => [
    `["${key}"]`,
    `*["${key}"]`,
    `*.*["${key}"]`,
  ]);
  return pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (error: unknown) => loggedError(error) },
      redact: { paths, censor: '[redacted]' },
    },
    destination,
  );
}

function loggedError(error: unknown, depth = CAUSES_DEEP): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    message: error.message,
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    stack: error.stack,
    ...(error.cause !== undefined && depth > 0 && { cause: loggedError(error.cause, depth - 1) }),
  };
}
