// vgg probe: asks one server whether it serves, and says so by its exit status. Containers run it every few seconds, so
// it loads nothing of the other commands.

import { Command } from 'commander';
import { asVggError, expected } from '../vgg/errors.ts';
import { ask } from './probe/ask.ts';
import { targetOf, type TlsFlags } from './probe/target.ts';
import { print, say } from './terminal.ts';

/** Exit statuses of a probe; 2 is Docker's own. */
export const PROBE_STATUS = { serving: 0, notServing: 1, noAnswer: 3, wrong: 4 } as const;

interface ProbeFlags extends TlsFlags {
  healthService: string;
  live?: boolean;
  timeout: string;
}

const LONGEST_NAME = 127;

/** Adds the command. */
export function addProbe(program: Command): void {
  program
    .command('probe')
    .argument(
      '<target>',
      'grpc://HOST:PORT, grpcs://…, http://HOST:PORT/path, https://…; or gateway, preprocess, aggregator or inference: the one of this machine, found by its variables',
    )
    .description('ask a server whether it serves, for health checks of containers')
    .option('--live', 'that it answers is enough, ready or not')
    .option('--timeout <time>', 'time for an answer, such as 500ms or 2s', '2s')
    .option('--health-service <name>', "service of gRPC's health protocol (default: the whole server)", '')
    .option('--ca <file>', 'authorities that are trusted, PEM')
    .option('--cert <file>', 'certificate to show (mutual TLS), PEM')
    .option('--key <file>', 'its private key, PEM')
    .option('--server-name <name>', "name in the server's certificate, where it is not that of the address")
    .addHelpText(
      'after',
      `
Exit status: 0 it serves, 1 it says that it does not, 3 it cannot be reached or
does not answer in time, 4 the command line or a variable is wrong.

The server of this machine is reached at its own port, by TLS if it has a
certificate; whose certificate that is, is not asked then.

Examples:
  vgg probe inference
  vgg probe grpcs://inference.internal:50053 --ca ca.pem
  vgg probe http://127.0.0.1:8080/readyz`,
    )
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : PROBE_STATUS.wrong))
    .action(async (target: string, flags: ProbeFlags) => {
      process.exitCode = await probe(target, flags);
    });
}

/** A program that has this command alone. */
export function probeAlone(): Command {
  const program = new Command('vgg');
  addProbe(program);
  return program;
}

async function probe(text: string, flags: ProbeFlags): Promise<number> {
  const { healthService, live = false, timeout, ...tls } = flags;
  try {
    const timeoutMs = milliseconds(timeout);
    if (Buffer.byteLength(healthService) > LONGEST_NAME) {
      throw expected(`a name of at most ${String(LONGEST_NAME)} bytes`, healthService, '--health-service');
    }
    const target = await targetOf(text, tls, live, process.env);
    const verdict = await ask(target, healthService, timeoutMs);
    if (!verdict.answered) {
      say(`${target.address} cannot be asked: ${verdict.words}`);
      return PROBE_STATUS.noAnswer;
    }
    print(`${target.address}: ${verdict.words}`);
    return verdict.serving || live ? PROBE_STATUS.serving : PROBE_STATUS.notServing;
  } catch (error) {
    say(asVggError(error).message);
    return PROBE_STATUS.wrong;
  }
}

function milliseconds(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s)$/.exec(text) ?? [];
  const value = Number(amount) * (unit === 's' ? 1000 : 1);
  if (!(value >= 1 && value <= 60_000)) throw expected('a time from 1ms to 60s', text, '--timeout');
  return value;
}
