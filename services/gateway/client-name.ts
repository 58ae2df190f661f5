// Who a client without a key is: its address, or its network where a network has more addresses than can be counted.

import { isIP, isIPv6 } from 'node:net';
import { expected } from '../../vgg/errors.ts';

// Of IPv6, the groups that name a network: a household or a host has all addresses of a /64.
const NETWORK_GROUPS = 4;
const GROUPS = 8;

/** The name that requests from an address are counted by. */
export function clientName(address: string): string {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  if (mapped !== undefined) return mapped;
  const plain = address.split('%')[0] ?? '';
  if (!isIPv6(plain)) return address;
  const [head = '', tail] = plain.toLowerCase().split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: GROUPS - before.length - after.length }, () => '0');
  const groups = tail === undefined ? before : [...before, ...zeros, ...after];
  const network = groups.slice(0, NETWORK_GROUPS).map((group) => group.replace(/^0+(?=.)/, ''));
  return `${network.join(':')}::/64`;
}

// Ranges that have names.
const RANGES = ['loopback', 'linklocal', 'uniquelocal'];

/**
 * Checks the proxies whose X-Forwarded-For is believed: addresses, address/bits, or names of ranges.
 *
 * @throws VggError INVALID_ARGUMENT
 */
export function checkProxies(proxies: readonly string[], field: string): void {
  for (const proxy of proxies) {
    const [address = '', bits, ...more] = proxy.split('/');
    const most = isIPv6(address) ? 128 : 32;
    const whole = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= most);
    if (!RANGES.includes(proxy) && !(isIP(address) > 0 && whole && more.length === 0)) {
      throw expected(`addresses, address/bits or ${RANGES.join(', ')}`, proxy, field);
    }
  }
}
