// A Python with certain modules, where there is one: other software that tests hold ours against.

import { spawnSync } from 'node:child_process';

/** How to start it. */
export interface Python {
  command: string;
  env: NodeJS.ProcessEnv;
}

/**
 * Python with these modules, which are also looked for in `VGG_AWS_PYTHONPATH`; undefined if it lacks one. Another
 * Python than `python3` is named by `VGG_PYTHON`.
 */
export function python(...modules: string[]): Python | undefined {
  const { VGG_PYTHON: command = 'python3', VGG_AWS_PYTHONPATH } = process.env;
  const env = { ...process.env, ...(VGG_AWS_PYTHONPATH && { PYTHONPATH: VGG_AWS_PYTHONPATH }) };
  const { status } = spawnSync(command, ['-c', modules.map((name) => `import ${name}`).join('\n')], { env });
  return status === 0 ? { command, env } : undefined;
}
