// The state machine's definition, out of a synthesised template: text with references put in, as the service gets it.

import type { Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { textOf } from '../templates.ts';

/** A state of Amazon's language, as far as tests look at one. */
export interface State {
  Type: string;
  Resource?: string;
  Retry?: { ErrorEquals: string[]; IntervalSeconds: number; MaxAttempts: number }[];
  ItemProcessor?: Definition;
  [field: string]: unknown;
}

/** A definition. */
export interface Definition {
  StartAt: string;
  States: Record<string, State>;
}

/** The definition of the stack's only state machine. */
export function definitionOf(stack: Stack): Definition {
  return definitionIn(Template.fromStack(stack));
}

/** The same, of a template; what only the deployment knows has a name in its place. */
export function definitionIn(template: Template): Definition {
  const [machine] = Object.values(
    template.findResources('AWS::StepFunctions::StateMachine', Match.anyValue()),
  );
  const { DefinitionString } = machine?.['Properties'] as { DefinitionString: unknown };
  return JSON.parse(textOf(DefinitionString)) as Definition;
}
