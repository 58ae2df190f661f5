// What `cdk` runs (cdk.json): the templates of both stages, or of the one that VGG_STAGE names.

import { checkedApp, addStage } from './app.ts';
import { readDeployment, STAGES } from './config.ts';

const app = checkedApp();
for (const stage of STAGES) addStage(app, readDeployment(stage, process.env));
app.synth();
