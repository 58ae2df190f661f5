// An authority of a test's own, and certificates that end at a given second. Knows openssl's command line.

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceName } from '../../bench/services.ts';

const DAY_MS = 24 * 3_600_000;

const CONFIG = `
[ca]
default_ca = own
[own]
database = index.txt
rand_serial = yes
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
`;

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Why there can be no certificates here; undefined where there can. */
export function withoutOpenssl(): string | undefined {
  return spawnSync('openssl', ['version']).status === 0
    ? undefined
    : 'openssl, which makes certificates, is not installed';
}

/** An authority and what it has signed, in a folder. */
export class Authority {
  readonly #folder: string;

  /** Makes the folder, the authority, and lasting certificates for both replicas of each service. */
  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder);
    writeFileSync(join(folder, 'ca.cnf'), CONFIG);
    writeFileSync(join(folder, 'index.txt'), '');
    this.#openssl('req', '-x509', ...KEY, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=ca');
    for (const name of ['preprocess', 'inference', 'aggregator'] as const)
      for (const place of [0, 1]) this.sign(name, place, Date.now() + DAY_MS);
  }

  /** A new certificate for a replica, which has it after its next start. @param ends milliseconds since the epoch, in whole seconds */
  sign(name: ServiceName, place: number, ends: number): void {
    const file = `${name}-${String(place)}`;
    const subject = ['-subj', `/CN=${file}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
    this.#openssl('req', ...KEY, '-keyout', `${file}.key`, '-out', `${file}.csr`, ...subject);
    const dates = ['-startdate', dateOf(Date.now() - DAY_MS), '-enddate', dateOf(ends)];
    this.#openssl('ca', '-batch', '-notext', '-config', 'ca.cnf', '-in', `${file}.csr`, '-out', `${file}.pem`, ...dates);
  }

  /** What a replica is told of its certificate, and of whom to trust. */
  variablesOf(name: ServiceName, place: number): Record<string, string> {
    const prefix = `VGG_${name.toUpperCase()}_`;
    const file = join(this.#folder, `${name}-${String(place)}`);
    return {
      ...(name !== 'gateway' && { [`${prefix}TLS_CERT`]: `${file}.pem`, [`${prefix}TLS_KEY`]: `${file}.key` }),
      ...((name === 'aggregator' || name === 'gateway') && {
        [`${prefix}UPSTREAM_CA`]: join(this.#folder, 'ca.pem'),
      }),
    };
  }

  #openssl(...args: string[]): void {
    const { status, stderr } = spawnSync('openssl', args, { cwd: this.#folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl ${args.join(' ')}:\n${stderr}`);
  }
}

// 20261127043000Z
function dateOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
}
