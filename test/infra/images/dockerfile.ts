// A Dockerfile as its stages: what each starts from and is told. Knows the form, not what ought to be in it.

/** An instruction, its continued lines joined. */
export interface Instruction {
  word: string;
  /** What follows the word. */
  rest: string;
}

/** A stage. */
export interface Stage {
  name: string;
  /** What it starts from: another stage, `scratch` or an image, variables put in. */
  from: string;
  instructions: Instruction[];
}

/** Reads a Dockerfile. */
export function readStages(text: string): Stage[] {
  const lines = text.replace(/^\s*#.*\n/gm, '').replace(/\\\n/g, ' ');
  const stages: Stage[] = [];
  const variables = new Map<string, string>();
  for (const line of lines.split('\n').filter((each) => each.trim() !== '')) {
    const [, word = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line.trim()) ?? [];
    if (word === 'FROM') {
      const [, from = '', name = ''] = /^(\S+) AS (\S+)$/.exec(rest) ?? [];
      const put = from.replace(/\$\{(\w+)\}/g, (_, variable: string) => variables.get(variable) ?? '');
      stages.push({ name, from: put, instructions: [] });
    } else if (stages.length === 0 && word === 'ARG') {
      const [variable = '', value = ''] = rest.split(/=(.*)/s);
      variables.set(variable, value);
    } else stages.at(-1)?.instructions.push({ word, rest: rest.replace(/\s+/g, ' ') });
  }
  return stages;
}

/** All that a stage is told, that of the stages that it starts from first. */
export function wholeOf(stages: readonly Stage[], name: string): Instruction[] {
  const stage = stages.find((each) => each.name === name);
  return stage ? [...wholeOf(stages, stage.from), ...stage.instructions] : [];
}

/** Variables of ENV instructions. */
export function variablesOf(instructions: readonly Instruction[]): Record<string, string> {
  return Object.fromEntries(
    instructions
      .filter(({ word }) => word === 'ENV')
      .flatMap(({ rest }) => rest.split(' '))
      .map((pair) => pair.split(/=(.*)/s).slice(0, 2) as [string, string]),
  );
}

/** The last of a kind of instruction. */
export function lastOf(instructions: readonly Instruction[], word: string): string | undefined {
  return instructions.findLast((each) => each.word === word)?.rest;
}
