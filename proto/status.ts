// VggError ↔ gRPC status, both ways: the one converter that servers and clients share.
// The code that gRPC cannot carry, and the fields at fault, travel in grpc-status-details-bin
// in Google's error model; the time to wait in grpc-retry-pushback-ms.

import { Metadata, status, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import { ERROR_CODES, VggError, asVggError, type ErrorCode, type FieldViolation } from '../vgg/errors.ts';
import { badRequestMessage, errorInfoMessage, statusMessage } from './definitions.ts';

const GRPC_CODES: Record<ErrorCode, status> = {
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  UNSUPPORTED_FORMAT: status.INVALID_ARGUMENT,
  TOO_LARGE: status.INVALID_ARGUMENT,
  NOT_FOUND: status.NOT_FOUND,
  RESOURCE_EXHAUSTED: status.RESOURCE_EXHAUSTED,
  UNAVAILABLE: status.UNAVAILABLE,
  DEADLINE_EXCEEDED: status.DEADLINE_EXCEEDED,
  CANCELLED: status.CANCELLED,
  UNAUTHENTICATED: status.UNAUTHENTICATED,
  PERMISSION_DENIED: status.PERMISSION_DENIED,
  INTERNAL: status.INTERNAL,
};

const DETAILS_KEY = 'grpc-status-details-bin';
const PUSHBACK_KEY = 'grpc-retry-pushback-ms';
const TYPE_PREFIX = 'type.googleapis.com/';
const DOMAIN = 'vgg-serve';
// A peer refuses trailers of more than 8 KiB (grpc-js's default), which would hide the error.
const MAX_FIELDS = 16;

/** The status that a server sends for any error; what is not a VggError becomes INTERNAL without its message. */
export function toStatus(error: unknown): Pick<StatusObject, 'code' | 'details' | 'metadata'> {
  const { code, message, fields, retryAfterMs } = asVggError(error);
  const metadata = new Metadata();
  const details = [
    packed('google.rpc.ErrorInfo', errorInfoMessage.serialize({ reason: code, domain: DOMAIN })),
  ];
  if (fields.length > 0) {
    const fieldViolations = fields
      .slice(0, MAX_FIELDS)
      .map(({ field, message: description }) => ({ field, description: description.slice(0, 256) }));
    details.push(packed('google.rpc.BadRequest', badRequestMessage.serialize({ fieldViolations })));
  }
  metadata.set(DETAILS_KEY, statusMessage.serialize({ code: GRPC_CODES[code], message, details }));
  if (retryAfterMs !== undefined) metadata.set(PUSHBACK_KEY, String(Math.ceil(retryAfterMs)));
  return { code: GRPC_CODES[code], details: message, metadata };
}

/** The error that a client throws for a status from any server. */
export function fromStatus(error: ServiceError | StatusObject): VggError {
  const pushback = Number(error.metadata.get(PUSHBACK_KEY)[0]);
  const options = {
    cause: error,
    fields: [] as FieldViolation[],
    ...(pushback >= 0 && { retryAfterMs: pushback }),
  };
  let code = plainCode(error.code);
  for (const { type_url: type, value } of detailsOf(error.metadata)) {
    if (type === `${TYPE_PREFIX}google.rpc.ErrorInfo`) {
      const { reason, domain } = errorInfoMessage.deserialize(value);
      // Only our own names, and only where they agree with the status.
      const named = ERROR_CODES.find((known) => known === reason);
      if (domain === DOMAIN && named && GRPC_CODES[named] === error.code) code = named;
    } else if (type === `${TYPE_PREFIX}google.rpc.BadRequest`) {
      for (const violation of badRequestMessage.deserialize(value).fieldViolations) {
        options.fields.push({ field: violation.field, message: violation.description });
      }
    }
  }
  return new VggError(code, error.details || `gRPC status ${status[error.code]}`, options);
}

function packed(type: string, value: Buffer) {
  return { type_url: TYPE_PREFIX + type, value };
}

function detailsOf(metadata: Metadata): { type_url: string; value: Buffer }[] {
  const [bytes] = metadata.get(DETAILS_KEY);
  if (!Buffer.isBuffer(bytes)) return [];
  try {
    return statusMessage.deserialize(bytes).details;
  } catch {
    return []; // Another server's details: the status itself still tells.
  }
}

function plainCode(code: status): ErrorCode {
  if (code === status.UNIMPLEMENTED) return 'NOT_FOUND';
  const match = (Object.entries(GRPC_CODES) as [ErrorCode, status][]).find(([, grpc]) => grpc === code);
  return match?.[0] ?? 'INTERNAL';
}
