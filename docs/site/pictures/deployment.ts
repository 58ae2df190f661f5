// The picture of docs/how-to/deploy.md: prod's template, made here and drawn. Knows where it is made; not what is in it.

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
    const { serving } = addStage(app, readDeployment('prod', { VGG_DEPLOY_SDK_CLIENT_CA: authority }));
    const artifact = app.synth().getStackArtifact(serving.artifactId);
    return deploymentPicture('prod', artifact.template as DeployedTemplate);
  } finally {
    rmSync(outdir, { recursive: true });
  }
}
