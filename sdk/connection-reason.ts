// Why a connection could not be made, for people: what Node.js, OpenSSL and @grpc/grpc-js say, without codes, places in
// their sources and times. Knows their words; not who connects.

// error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:../deps/openssl/…:1601:…
const OPENSSL = /error:[0-9A-F]+:[^:]*:[^:]*:([^:]+)/;
const NAME = /^Error(?: \[\w+\])?: /;
const TIME = / ?\(\d{4}-\d\d-\d\dT[\d:.]+Z\)\.?$/;

/** The reason in a message of an error that a connection met. */
export function connectionReason(message: string): string {
  const reason = OPENSSL.exec(message)?.[1] ?? message;
  return reason.trim().replace(TIME, '').replace(NAME, '').replace(/\.$/, '');
}
