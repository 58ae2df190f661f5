// Starts the process of queue-server.ts for a test, and ends it.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Where a queue is served. */
export interface ServedQueue {
  http: string;
  grpc: string;
  close: () => void;
}

/** A queue behind HTTP and another behind gRPC, in a process of their own. */
export async function serveQueue(): Promise<ServedQueue> {
  const file = fileURLToPath(new URL('./queue-server.js', import.meta.url));
  const child = spawn(process.execPath, [file], { stdio: ['pipe', 'pipe', 'inherit'] });
  for await (const line of createInterface(child.stdout)) {
    const { http, grpc } = JSON.parse(line) as { http: string; grpc: string };
    return {
      http,
      grpc,
      close: () => {
        child.kill();
      },
    };
  }
  throw new Error('The queue server did not start');
}
