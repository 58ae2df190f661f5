// What `cdk` runs (cdk.json): the templates of both stages.

import { checkedApp, addStage } from './app.ts';
import { readDeployment, STAGES } from './config.ts';

const app = checkedApp();
for (const stage of STAGES) addStage(app, readDeployment(stage, process.env));
app.synth();
