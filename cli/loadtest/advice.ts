// What to try when a server refuses the first request for a reason that an option mends. Knows options and the words of
// errors; not how requests are sent.

import { VggError } from '../../vgg/errors.ts';

/** The error with what to try, if that is known; any other error as it is. */
export function advised(error: unknown, address: string): unknown {
  if (!(error instanceof VggError)) return error;
  const advice = adviceOn(error, address);
  if (advice === undefined) return error;
  return new VggError(error.code, `${error.message}\n${advice}`, { cause: error });
}

function adviceOn({ code, message }: VggError, address: string): string | undefined {
  if (code === 'UNAUTHENTICATED') return 'A key is given with --api-key, or in VGG_API_KEY.';
  if (code !== 'UNAVAILABLE') return undefined;
  const [, scheme = 'grpc'] = /^(\w+):\/\//.exec(address) ?? [];
  const secure = { http: 'https', grpc: 'grpcs' }[scheme.toLowerCase()];
  if (/alert (?:certificate required|handshake failure)/.test(message)) {
    return 'The server asks for a certificate: --cert and --key show one that it trusts.';
  }
  if (/altnames/.test(message)) return 'The name that the certificate has is given with --server-name.';
  if (/certificate/.test(message)) {
    return "The authority that signed the server's certificate is given with --ca.";
  }
  if (/wrong version number|packet length too long/.test(message)) {
    return `The server seems to speak no TLS: ${scheme.toLowerCase() === 'https' ? 'http' : 'grpc'}:// asks without.`;
  }
  if (secure === undefined && /ECONNRESET|Failed to connect/.test(message)) {
    return 'If the server asks for a certificate, --cert and --key show one that it trusts.';
  }
  if (secure !== undefined && /ECONNRESET|Failed to connect|other side closed|socket hang up/.test(message)) {
    return `If the server speaks TLS, its address is ${secure}://…`;
  }
  return undefined;
}
