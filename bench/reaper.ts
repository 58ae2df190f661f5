// Ends processes that outlive this one: were it killed, nobody else would. Knows process ids; not what runs in them.
//
// A shell in a session of its own reads from this process which ones there are. When this process is gone, in whatever
// way, its input ends, and it kills those that are left; a stopped process too, which could not end by itself.

import { spawn, type ChildProcess } from 'node:child_process';

const SCRIPT = `
pids=" "
while read -r sign pid; do
  case $sign in
    +) pids="$pids$pid " ;;
    -) pids=\${pids%% $pid *}" "\${pids#* $pid } ;;
  esac
done
[ "$pids" = " " ] || kill -KILL $pids 2>/dev/null
`;

let shell: ChildProcess | undefined;

/** From now on the process dies with this one; the function that it returns is called when it has ended. */
export function mourn(pid: number): () => void {
  shell ??= start();
  const { stdin } = shell;
  stdin?.write(`+ ${String(pid)}\n`);
  return () => {
    stdin?.write(`- ${String(pid)}\n`);
  };
}

function start(): ChildProcess {
  const child = spawn('/bin/sh', ['-c', SCRIPT], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  // It waits for this process, not this process for it.
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  return child;
}
