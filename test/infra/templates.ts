// The templates of both stages, made once, and how tests look into them. Knows CloudFormation; no rule of the project.

import { Template } from 'aws-cdk-lib/assertions';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addStage, newApp } from '../../infra/app.ts';
import { readDeployment, STAGES, type Deployment } from '../../infra/config.ts';
import { SCALED_SERVICES, type ScaledService, type Stage } from '../../infra/scaling.ts';

/** A resource of a template. */
export interface Resource {
  Type: string;
  Properties: Record<string, unknown>;
  [name: string]: unknown;
}

/** A statement of a policy, with lists where one alone may stand. */
export interface Statement {
  effect: string;
  actions: string[];
  resources: unknown[];
  principal: unknown;
  conditions: unknown;
}

/** A container of a task. */
export interface Container {
  Name: string;
  Environment: { Name: string; Value: unknown }[];
  Secrets?: { Name: string; ValueFrom: unknown }[];
  [name: string]: unknown;
}

/** What a stage's stacks say. */
export interface StageTemplates {
  stage: Stage;
  deployment: Deployment;
  store: Template;
  serving: Template;
  /** Undefined: there is no bulk scoring. */
  bulk: Template | undefined;
}

// It is uploaded as it is; what is in it is between the load balancer and the clients.
function clientCa(): string {
  const file = join(mkdtempSync(join(tmpdir(), 'vgg-infra-')), 'client-ca.pem');
  writeFileSync(file, '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n');
  return file;
}

/** A stage's templates, with what the environment says. */
export function templatesOf(stage: Stage, env: Record<string, string> = {}): StageTemplates {
  const deployment = readDeployment(stage, env);
  const app = newApp({
    outdir: mkdtempSync(join(tmpdir(), 'vgg-synth-')),
    context: { 'aws:cdk:disable-asset-staging': true },
  });
  const { store, serving, bulk } = addStage(app, deployment);
  return {
    ...{ stage, deployment },
    store: Template.fromStack(store),
    serving: Template.fromStack(serving),
    bulk: bulk && Template.fromStack(bulk),
  };
}

const CLIENT_CA = clientCa();

/** Both stages, with gRPC offered to the outside. */
export const TEMPLATES: readonly StageTemplates[] = STAGES.map((stage) =>
  templatesOf(stage, { VGG_DEPLOY_SDK_CLIENT_CA: CLIENT_CA }),
);

/** Resources of a type, by their logical names. */
export function resourcesOf(template: Template, type: string): Record<string, Resource> {
  return template.findResources(type) as Record<string, Resource>;
}

/** Each service's container, by the service's name. */
export function containersOf({ serving }: StageTemplates): Record<ScaledService, Container> {
  const all = Object.values(resourcesOf(serving, 'AWS::ECS::TaskDefinition')).flatMap(
    ({ Properties }) => Properties['ContainerDefinitions'] as Container[],
  );
  return Object.fromEntries(
    SCALED_SERVICES.map((name) => [name, all.find((each) => each.Name === name)]),
  ) as Record<ScaledService, Container>;
}

/** A service's variables as texts; what only the deployment knows has a name in its place. */
export function environmentOf({ Environment }: Container): Record<string, string> {
  return Object.fromEntries(Environment.map(({ Name, Value }) => [Name, textOf(Value)]));
}

/** A text of a template: parts joined, references named. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const { 'Fn::Join': join, Ref: reference } = value as { 'Fn::Join'?: [string, unknown[]]; Ref?: string };
  if (reference === 'AWS::Partition') return 'aws';
  return join ? join[1].map(textOf).join(join[0]) : 'name';
}

/** Every statement of every policy, with the resource that it is in. */
export function statementsOf(template: Template): { of: string; type: string; statement: Statement }[] {
  const found: { of: string; type: string; statement: Statement }[] = [];
  const { Resources } = template.toJSON() as { Resources: Record<string, Resource> };
  for (const [of, { Type, Properties }] of Object.entries(Resources)) {
    const visit = (value: unknown) => {
      if (typeof value !== 'object' || value === null) return;
      if (Array.isArray((value as { Statement?: unknown }).Statement)) {
        for (const each of (value as { Statement: Record<string, unknown>[] }).Statement) {
          const listOf = (one: unknown): unknown[] => (one === undefined ? [] : [one].flat());
          const statement: Statement = {
            effect: String(each['Effect']),
            actions: listOf(each['Action']).map(String),
            resources: listOf(each['Resource']),
            principal: each['Principal'],
            conditions: each['Condition'],
          };
          found.push({ of, type: Type, statement });
        }
        return;
      }
      for (const each of Object.values(value)) visit(each);
    };
    visit(Properties);
  }
  return found;
}
