// docs/reference/cli.md: every command, its arguments and its options, from the commands' own definitions.

import type { Command, Option } from 'commander';
import { createProgram } from '../../../cli/program.ts';
import { packageRoot } from '../../../proto/package-root.ts';
import { code, opening, page, plain, table } from './markdown.ts';

/** The page. */
export function commandLinePage(): string {
  const program = createProgram();
  const commands = leaves(program);
  return page(
    opening(
      'Command line',
      'What `vgg --help` and `vgg COMMAND --help` say. Exit status: 0 if everything was done, 1 if not, 130 after Ctrl-C. Results go to\nstandard output, everything else to standard error. In a checkout, `npx vgg` runs it after `npm ci && npm run build`.',
    ),
    table(
      ['command', 'what'],
      commands.map((command) => [
        `[${code(nameOf(command))}](#${nameOf(command).replaceAll(' ', '-')})`,
        plain(command.description()),
      ]),
    ),
    ...commands.map(section),
  );
}

// Commands that do something; `models` alone only names its own.
function leaves(command: Command): Command[] {
  return command.commands.flatMap((each) => (each.commands.length > 0 ? leaves(each) : [each]));
}

function nameOf(command: Command): string {
  return command.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name();
}

function section(command: Command): string {
  const args = command.registeredArguments;
  const options = command.options.filter(({ hidden }) => !hidden);
  const words = args.map((each) => {
    const word = `${each.name()}${each.variadic ? '...' : ''}`;
    return each.required ? `<${word}>` : `[${word}]`;
  });
  return [
    `## ${nameOf(command)}`,
    sentence(plain(command.description())),
    `\`\`\`text\n${[nameOf(command), ...(options.length > 0 ? ['[options]'] : []), ...words].join(' ')}\n\`\`\``,
    args.length > 0
      ? table(
          ['argument', 'what'],
          args.map(({ description }, i) => [code(words[i] ?? ''), plain(description)]),
        )
      : '',
    options.length > 0
      ? table(
          ['option', 'what', 'default'],
          options.map((option) => {
            const { what, otherwise } = split(option);
            return [code(option.flags), plain(what), otherwise];
          }),
        )
      : '',
    after(command),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

// Defaults that are no value of the option stand at the end of its description.
function split(option: Option): { what: string; otherwise: string } {
  const [, what = option.description, said] = /^(.*?),? \(default: (.+)\)$/.exec(option.description) ?? [];
  return { what, otherwise: said === undefined ? defaultOf(option) : plain(said) };
}

function defaultOf({ defaultValue, defaultValueDescription }: Option): string {
  if (defaultValueDescription !== undefined) return plain(defaultValueDescription);
  const value: unknown = defaultValue;
  if (value === undefined || value === false || (Array.isArray(value) && value.length === 0)) return '';
  const text =
    typeof value === 'string' ? value : Array.isArray(value) ? value.join(',') : JSON.stringify(value);
  return code(text.replace(packageRoot, 'the package'));
}

// What addHelpText('after') adds: commander keeps it in a listener, so it is what help prints beyond the rest.
function after(command: Command): string {
  let printed = '';
  command.configureOutput({ writeOut: (text) => (printed += text) });
  command.outputHelp();
  const extra = printed.slice(command.helpInformation().length).trim();
  return extra === '' ? '' : `\`\`\`text\n${extra}\n\`\`\``;
}
