// docs/reference/errors.md: the codes, and what each is in gRPC, in HTTP and for whoever meets it.

import { status } from '@grpc/grpc-js';
import { toStatus } from '../../../proto/status.ts';
import { HTTP_STATUS } from '../../../services/gateway/problem.ts';
import { ERROR_CODES, VggError, type ErrorCode } from '../../../vgg/errors.ts';
import { code, opening, page, table } from './markdown.ts';

const WHAT_TO_DO: Record<ErrorCode, [when: string, then: string]> = {
  INVALID_ARGUMENT: [
    'an option or the photo is wrong; the message says what was expected, and `errors` names the field',
    'mend the request; the same one fails again',
  ],
  UNSUPPORTED_FORMAT: [
    'the body is no JPEG, PNG, WebP, AVIF, TIFF or GIF, or its content type is none of an image or form',
    'convert it, or send the right `Content-Type`',
  ],
  TOO_LARGE: [
    'too many bytes, pixels or views',
    'send less; the limits are variables ([configuration](../configuration.md))',
  ],
  NOT_FOUND: ['no such model, or no such path', 'ask `GET /v1/models` what there is'],
  RESOURCE_EXHAUSTED: [
    'a queue is full',
    'wait as long as `Retry-After` (HTTP) or `grpc-retry-pushback-ms` (gRPC) says, then try again; the SDK does. If it stays: more replicas',
  ],
  UNAVAILABLE: [
    'the service is starting, ending or not there',
    'try again after `Retry-After`; the SDK does. If it stays: look at `/readyz` of each service',
  ],
  DEADLINE_EXCEEDED: [
    'the time for the answer has passed, in a queue or while it was computed',
    'ask for less (fewer scales, `protocol=dense`, `stop=exact`), give it more time, or add replicas',
  ],
  CANCELLED: ['the client went away, or asked for the end', 'nothing: no HTTP client sees it'],
  UNAUTHENTICATED: [
    'no key, or one that is not known',
    'send `Authorization: Bearer KEY` or `X-API-Key: KEY` ([keys](../how-to/tls-and-keys.md))',
  ],
  PERMISSION_DENIED: ['the credential is known, but this is not allowed', 'ask whoever gave it'],
  INTERNAL: [
    'something that nobody foresaw; its cause is in the log, never in the answer',
    'find the log line by the `X-Request-Id` of the answer, and report it',
  ],
};

/** The page. */
export function errorsPage(): string {
  const rows = ERROR_CODES.map((each) => {
    const grpc = toStatus(new VggError(each, 'example')).code;
    const [when, then] = WHAT_TO_DO[each];
    return [
      code(each),
      `${status[grpc]} (${String(grpc)})`,
      each === 'CANCELLED' ? '(closed)' : String(HTTP_STATUS[each]),
      when,
      then,
    ];
  });
  return page(
    opening(
      'Errors',
      'There is one list of codes. Every message names what was expected, what came and where: `Expected scales ≥ 64 but received 50\n(scales[1])`. Messages are for people and may change; programs look at the code.',
    ),
    table(['code', 'gRPC status', 'HTTP', 'when', 'what to do'], rows),
    [
      '## Where the code is',
      '',
      '| where | code | fields at fault | when to try again |',
      '|---|---|---|---|',
      '| HTTP | `code` of the [problem+json](https://www.rfc-editor.org/rfc/rfc9457) body | `errors[].field`, `errors[].message` | `Retry-After`, in seconds, with 429 and 503 |',
      '| gRPC | the status; where several codes have the same one, `reason` of `google.rpc.ErrorInfo` (domain `vgg-serve`) in `grpc-status-details-bin` | `google.rpc.BadRequest`, there too | `grpc-retry-pushback-ms`, in the trailers |',
      '| SDK | `error.code` of a `VggError` | `error.fields` | it has tried again already; `error.retryAfterMs` |',
      '| command line | one line on standard error, exit status 1 | in the line | |',
    ].join('\n'),
    'Beyond the codes, HTTP has 405 with `Allow` for a method that a path does not take, with the code `INVALID_ARGUMENT`.',
  );
}
