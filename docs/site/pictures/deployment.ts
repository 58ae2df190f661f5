// The picture of docs/how-to/deploy.md: prod's template, made here and drawn. Knows where it is made; not what is in it.

import type { Stack } from 'aws-cdk-lib';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addStage, newApp } from '../../../infra/app.ts';
import { readDeployment } from '../../../infra/config.ts';
import { deploymentPicture, type DeployedTemplate } from './deployment-picture.ts';

/** SVG of the stage `prod`, with gRPC offered to the outside. */
export function deploymentSvg(): string {
  const outdir = mkdtempSync(join(tmpdir(), 'vgg-picture-'));
  const authority = join(outdir, 'client-ca.pem');
  writeFileSync(authority, '');
  try {
    const app = newApp({ outdir, context: { 'aws:cdk:disable-asset-staging': true } });
    const { serving, bulk } = addStage(app, readDeployment('prod', { VGG_DEPLOY_SDK_CLIENT_CA: authority }));
    const assembly = app.synth();
    const template = (stack: Stack) =>
      assembly.getStackArtifact(stack.artifactId).template as DeployedTemplate;
    return deploymentPicture('prod', template(serving), bulk && template(bulk));
  } finally {
    rmSync(outdir, { recursive: true });
  }
}
