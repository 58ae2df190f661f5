// A disk that is full while a model is fetched or imported, beside services that run.

import { execFile, spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { packageRoot } from '../../../proto/package-root.ts';
import type { Fault, Scene } from '../fault.ts';

const CLI = join(packageRoot, 'dist/cli/main.js');
const SMALL = join(packageRoot, 'test/golden/checkpoints/published/torchvision-vgg16_bn.pth');
const DISK_KIB = 128;

/** Fetching and importing with too little room. */
export const disks: Fault[] = [
  {
    name: 'disk-full',
    what: `the disk is full while models are fetched and imported (${String(DISK_KIB)} KiB, tmpfs)`,
    holds:
      'the commands say so and fail; no model is left that is not whole; with room the import succeeds; services notice nothing',
    topology: 'direct',
    missing: () =>
      process.platform === 'linux' && process.getuid?.() === 0
        ? undefined
        : 'a small disk can only be mounted by root on Linux',
    async run({ scratch, inject, tell, violated }: Scene) {
      const disk = join(scratch, 'disk');
      await mkdir(disk);
      const size = `size=${String(DISK_KIB)}k`;
      if (spawnSync('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', disk]).status !== 0) {
        violated('a small disk cannot be mounted');
        return;
      }
      const bytes = await readFile(SMALL);
      const host = createServer((_request, response) => response.end(bytes));
      await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${String((host.address() as AddressInfo).port)}/weights.pth`;
      try {
        inject('vgg models pull and import into it');
        const pull = await vgg(['pull', 'torchvision-vgg11', '--from', url, '--to', join(disk, 'models')], disk);
        check('pull', pull);
        const to = join(disk, 'imported');
        const into = ['import', SMALL, '--name', 'small', '--labels', 'none', '--to', to];
        check('import', await vgg(into, scratch));
        const left = await readdir(to).catch(() => []);
        if (left.length > 0) violated(`import left ${left.join(', ')}`);
        const elsewhere = join(scratch, 'models');
        const roomy = await vgg([...into.slice(0, -1), elsewhere], scratch);
        if (roomy.status !== 0) violated(`with room, import said ${roomy.said}`);
      } finally {
        host.close();
        spawnSync('umount', [disk]);
      }

      function check(command: string, { status, said }: { status: number; said: string }): void {
        tell(`${command}: ${said.trim().split('\n').at(-1) ?? ''}`);
        if (status === 0) violated(`${command} on a full disk succeeds`);
        else if (!/no space left|disk is full/i.test(said))
          violated(`Expected ${command} to name the disk but it said ${said}`);
      }
    },
  },
];

function vgg(args: readonly string[], cache: string): Promise<{ status: number; said: string }> {
  return new Promise((resolve) => {
    const env = { ...process.env, VGG_CACHE: join(cache, 'cache') };
    execFile(process.execPath, [CLI, 'models', ...args], { env }, (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code ?? 1) : 0, said: stdout + stderr });
    });
  });
}
