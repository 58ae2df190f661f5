// A Python with certain modules, where there is one: other software that tests hold ours against.

import { spawnSync } from 'node:child_process';

/** How to start it. */
export interface Python {
  command: string;
  env: NodeJS.ProcessEnv;
}

/**
 * Python with these modules (`NAME==VERSION`: of that version alone), which are also looked for in `VGG_AWS_PYTHONPATH`; undefined if it lacks one. Another
 * Python than `python3` is named by `VGG_PYTHON`.
 */
export function python(...modules: string[]): Python | undefined {
  const { VGG_PYTHON: command = 'python3', VGG_AWS_PYTHONPATH } = process.env;
  const env = { ...process.env, ...(VGG_AWS_PYTHONPATH && { PYTHONPATH: VGG_AWS_PYTHONPATH }) };
  const lines = modules.map((wanted) => {
    const [name = '', version] = wanted.split('==');
    return `import ${name}${version === undefined ? '' : `; assert ${name}.__version__ == '${version}'`}`;
  });
  const { status } = spawnSync(command, ['-c', lines.join('\n')], { env });
  return status === 0 ? { command, env } : undefined;
}
