// The state machine's definition, out of a synthesised template: text with references put in, as the service gets it.

import type { Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';

type Value = string | { 'Fn::Join'?: [string, Value[]]; Ref?: string };

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
  const [machine] = Object.values(
    Template.fromStack(stack).findResources('AWS::StepFunctions::StateMachine', Match.anyValue()),
  );
  const { DefinitionString } = machine?.['Properties'] as { DefinitionString: Value };
  return JSON.parse(textOf(DefinitionString)) as Definition;
}

function textOf(value: Value): string {
  if (typeof value === 'string') return value;
  const { 'Fn::Join': join, Ref: reference } = value;
  if (join) return join[1].map(textOf).join(join[0]);
  if (reference === 'AWS::Partition') return 'aws';
  throw new Error(`No text for ${JSON.stringify(value)}`);
}
