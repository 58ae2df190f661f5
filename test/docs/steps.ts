// A page's blocks as steps: scripts to be run one after the other, servers among them, and what each should print.
// Knows what a machine must have for a step; runs nothing but the question whether it has it.

import { spawnSync } from 'node:child_process';
import { tensorFlowMissing } from '../tensorflow-library.ts';
import { consoleCommands, isRunnable, type Block } from './blocks.ts';

/** Something to be run, in bash. */
export interface Step {
  /** Line of the page. */
  line: number;
  script: string;
  /** A server: runs on beside the steps that follow, which begin once it has printed this. */
  until?: string;
  /** What it prints; undefined if the page does not show it. */
  output?: readonly string[];
}

/** What a page asks for. */
export interface Steps {
  steps: Step[];
  /** Files that the page shows, by name: written before anything is run. */
  files: Map<string, string>;
  /** Blocks that are not run, each with its reason. */
  left: { line: number; reason: string; lacking: boolean }[];
}

/** The steps of a page on this machine. */
export function stepsOf(blocks: readonly Block[]): Steps {
  const steps: Step[] = [];
  const files = new Map<string, string>();
  const left: Steps['left'] = [];
  for (const block of blocks.filter(isRunnable)) {
    const { line, marks, text, language } = block;
    const reason = marks['not run'];
    if (reason !== undefined) {
      left.push({ line, reason, lacking: false });
      continue;
    }
    const lacks = [...(language === 'python' ? ['python3'] : []), ...(marks.needs ?? '').split(/[\s,]+/)]
      .filter((each) => each !== '')
      .find((each) => !has(each));
    if (lacks !== undefined) {
      left.push({ line, reason: `this machine lacks ${lacks}`, lacking: true });
      continue;
    }
    if (marks.file !== undefined) {
      files.set(marks.file, text);
      continue;
    }
    const until = marks['runs until'];
    if (language === 'console')
      for (const { command, output } of consoleCommands(text))
        steps.push({ line, script: command, output, ...(until !== undefined && { until }) });
    else {
      const file = `block-${String(line)}.${language === 'python' ? 'py' : language}`;
      const script =
        language === 'sh'
          ? text
          : language === 'ts'
            ? `node ${file.replace(/ts$/, 'js')}`
            : `python3 ${file}`;
      if (language !== 'sh') files.set(file, text);
      steps.push({ line, script, ...(until !== undefined && { until }) });
    }
  }
  return { steps, files, left };
}

const known = new Map<string, boolean>();

// A program, `python:MODULE`, or `engine:tensorflow`.
function has(need: string): boolean {
  if (need === 'engine:tensorflow') return tensorFlowMissing === undefined;
  const before = known.get(need);
  if (before !== undefined) return before;
  const [, module] = /^python:(\w+)$/.exec(need) ?? [];
  const asked =
    module === undefined
      ? spawnSync('bash', ['-c', `command -v -- ${need}`], { env: environment() })
      : spawnSync('python3', ['-c', `import ${module}`], { env: environment() });
  known.set(need, asked.status === 0);
  return asked.status === 0;
}

/** What commands of pages see: no variable of this project's, no question to a registry, the Python packages
 * of VGG_DOCS_PYTHONPATH. */
export function environment(): NodeJS.ProcessEnv {
  const packages = process.env['VGG_DOCS_PYTHONPATH'];
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VGG_')));
  return {
    ...env,
    PATH: `${env['PATH'] ?? ''}:/usr/sbin:/sbin`,
    ...(packages !== undefined && { PYTHONPATH: packages }),
    NODE_ENV: '',
    NO_COLOR: '1',
    npm_config_offline: 'true',
    npm_config_update_notifier: 'false',
  };
}
