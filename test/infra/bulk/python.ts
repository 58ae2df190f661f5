// A Python with certain modules, where there is one: other software that tests hold ours against.

import { spawnSync } from 'node:child_process';

/** How to start it. */
export interface Python {
  command: string;
  env: NodeJS.ProcessEnv;
}

/**
 * Python with these modules (`NAME==VERSION`: of that version alone), which are also looked for in `VGG_AWS_PYTHONPATH`;
 * undefined if it lacks one. Another Python than `python3` is named by `VGG_PYTHON`.
 *
 * @throws Error if that folder is named and has not all of them: then no test may be left out in silence
 */
export function python(...modules: string[]): Python | undefined {
  const { VGG_PYTHON: command = 'python3', VGG_AWS_PYTHONPATH: folder = '' } = process.env;
  const env = { ...process.env, ...(folder !== '' && { PYTHONPATH: folder }) };
  const lines = modules.map((wanted) => {
    const [name = '', version] = wanted.split('==');
    return `import ${name}${version === undefined ? '' : `; assert ${name}.__version__ == '${version}'`}`;
  });
  const { status, stderr } = spawnSync(command, ['-c', lines.join('\n')], { env, encoding: 'utf8' });
  if (status === 0) return { command, env };
  if (folder === '') return undefined;
  throw new Error(`Expected ${modules.join(', ')} in VGG_AWS_PYTHONPATH (${folder}): ${stderr}`);
}
