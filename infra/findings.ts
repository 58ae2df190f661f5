// What checkers of templates find and is meant so, each with its reason. The only way in which a finding is passed over.

import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Says of a construct, and what is in it, why a finding of cdk-nag is meant so. */
export function acknowledge(construct: IConstruct, id: string, reason: string): void {
  Validations.of(construct).acknowledge({ id, reason });
}
