// The code blocks of a Markdown page and the marks before them, which docs/site/README.md explains. Knows Markdown's
// fences; not how anything is run.

/** Languages whose blocks are run unless a mark says why not. */
export const LANGUAGES = ['sh', 'console', 'ts', 'python'] as const;

const MARKS = ['not run', 'runs until', 'file', 'needs'] as const;
type Mark = (typeof MARKS)[number];

/** A fenced block. */
export interface Block {
  /** Line of the opening fence, from 1. */
  line: number;
  /** First word after the fence; empty if there is none. */
  language: string;
  text: string;
  marks: Partial<Record<Mark, string>>;
}

/** A command of a console block, and what it prints. */
export interface ConsoleCommand {
  command: string;
  output: string[];
}

/**
 * The blocks of a page, in order.
 *
 * @throws Error naming the line of a fence that stays open or of a mark that stands before no block
 */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let open: { fence: string; indent: string; block: Block } | undefined;
  let marks: Block['marks'] = {};
  for (const [i, text] of markdown.split('\n').entries()) {
    if (open) {
      if (text.trim().startsWith(open.fence) && text.trim().replaceAll('`', '') === '') {
        blocks.push(open.block);
        open = undefined;
      } else open.block.text += `${text.startsWith(open.indent) ? text.slice(open.indent.length) : text}\n`;
      continue;
    }
    const [, name, value] = /^<!-- ([a-z ]+): (.+) -->$/.exec(text.trim()) ?? [];
    const mark = MARKS.find((each) => each === name);
    if (mark !== undefined) {
      marks[mark] = value ?? '';
      continue;
    }
    const [, indent = '', fence, language = ''] = /^(\s*)(`{3,})\s*([\w-]*)/.exec(text) ?? [];
    if (fence !== undefined) open = { fence, indent, block: { line: i + 1, language, text: '', marks } };
    else if (Object.keys(marks).length > 0)
      throw new Error(`Expected a code block after the mark before line ${String(i + 1)}`);
    marks = {};
  }
  if (open) throw new Error(`Expected the block of line ${String(open.block.line)} to end`);
  return blocks;
}

/** Whether a block is a command, a program, or a file that they need. */
export function isRunnable({ language, marks }: Block): boolean {
  return marks.file !== undefined || LANGUAGES.some((each) => each === language);
}

/** The commands of a console block: lines after `$ `, continued after `\`; the rest is output. */
export function consoleCommands(text: string): ConsoleCommand[] {
  const commands: ConsoleCommand[] = [];
  let continued = false;
  for (const line of text.trimEnd().split('\n')) {
    const last = commands.at(-1);
    if (continued && last) last.command += `\n${line}`;
    else if (line.startsWith('$ ')) commands.push({ command: line.slice(2), output: [] });
    else if (last) last.output.push(line);
    else throw new Error(`Expected a console block to begin with "$ " but received ${line}`);
    continued = (continued || line.startsWith('$ ')) && line.endsWith('\\');
  }
  return commands;
}
