// The state machine of bulk scoring, run to its end by an interpreter of its language (moto's, which is LocalStack's, by emulator.py): it
// takes its list from S3, maps, tries again, chooses and catches. ECS is container-agent.ts, which runs the commands.
//
// Of the definition two things are changed: how long it waits between attempts, and 5 into 5.0, since the interpreter's
// grammar has no whole percentage. It tolerates any number of failed tasks; what AWS does beyond that bound is not seen.

import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Row } from '../../../infra/bulk/rows.ts';
import { packageRoot } from '../../../proto/package-root.ts';
import { startVgg, writeNoPhoto, writePhotos } from '../../cli/bulk/photos.ts';
import { python } from './python.ts';
import { containerAgent, type ContainerAgent } from './container-agent.ts';
import { definitionOf, type State } from './definition.ts';
import { startS3, type S3Under } from './s3/place.ts';
import { bulkStack } from './stack.ts';

const PHOTOS = 12;

// Another version speaks otherwise.
const requirements = readFileSync(join(packageRoot, 'test/infra/bulk/requirements.txt'), 'utf8');
const [moto] = /(?<=^moto\[.*\])==\S+$/m.exec(requirements) ?? [];
if (moto === undefined) throw new Error('Expected a version of moto in requirements.txt');
const missing = python(`moto${moto}`, 'moto.server', 'flask', 'antlr4', 'jsonpath_ng')
  ? undefined
  : 'no moto[server,stepfunctions] (also looked for in VGG_AWS_PYTHONPATH)';
if (missing !== undefined) process.stderr.write(`Runs of the state machine are left out: ${missing}\n`);

describe.skipIf(missing !== undefined)('the state machine', () => {
  let under: S3Under;
  let folder: string;
  let env: NodeJS.ProcessEnv;
  let agent: ContainerAgent;
  let machine: string;
  beforeAll(async () => {
    under = await startS3([join(packageRoot, 'test/infra/bulk/emulator.py')]);
    env = { ...process.env, ...under.env };
    folder = await mkdtemp(join(tmpdir(), 'vgg-bulk-cloud-'));
    await writePhotos(folder, PHOTOS - 1);
    await writeNoPhoto(join(folder, 'text.jpg'));
    await under.putFolder('photos', '2026', folder);
    await fetch(`${under.direct}/moto-api/config`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ stepfunctions: { execute_state_machine: true } }),
    });
    const definition = definitionOf(bulkStack({ gpus: 2, taskShards: 2 }));
    impatient(definition.States);
    const text = JSON.stringify(definition).replace(/("ToleratedFailurePercentage":\d+)(?=[,}])/, '$1.0');
    const { stateMachineArn } = await states<{ stateMachineArn: string }>('CreateStateMachine', {
      ...{ name: 'bulk', roleArn: 'arn:aws:iam::123456789012:role/bulk', definition: text },
    });
    machine = stateMachineArn;
  }, 120_000);
  beforeEach(() => {
    agent = containerAgent(env);
    under.front.answer = (call) => agent.answer(call);
    under.front.interfere = () => undefined;
  });
  afterAll(async () => {
    await under.close();
    await rm(folder, { recursive: true });
  });

  // A call of the JSON protocol that Step Functions speaks; the emulator reads the service out of the credential.
  async function states<Reply>(name: string, body: object): Promise<Reply> {
    const response = await fetch(under.direct, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `AWSStepFunctions.${name}`,
        authorization:
          'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/states/aws4_request, SignedHeaders=host, Signature=0',
      },
      body: JSON.stringify(body),
    });
    const reply = (await response.json()) as Reply;
    if (!response.ok) throw new Error(`${name}: ${JSON.stringify(reply)}`);
    return reply;
  }

  async function job(name: string): Promise<void> {
    const { ended } = startVgg(
      [
        ...['bulk', 'manifest', 's3://photos/2026', '--out', `s3://results/${name}`],
        ...['--protocol', 'center-crop', '--shard-photos', '2', '--model', 'caltech-101-d'],
      ],
      env,
    );
    expect(await ended).toEqual({
      ...{ status: 0, stdout: '' },
      stderr: `12 photos in 6 shards: s3://results/${name}\n`,
    });
  }

  // Starts an execution and waits for its end; the states it entered, and how it ended.
  async function execution(name: string): Promise<{ status: string; entered: string[] }> {
    const { executionArn } = await states<{ executionArn: string }>('StartExecution', {
      ...{ stateMachineArn: machine, name: `run-${name}-${String(++executions)}` },
      input: JSON.stringify({ prefix: `${name}/` }),
    });
    let status = 'RUNNING';
    while (status === 'RUNNING') {
      await new Promise((resolve) => setTimeout(resolve, 200));
      ({ status } = await states<{ status: string }>('DescribeExecution', { executionArn }));
    }
    const { events } = await states<{ events: { stateEnteredEventDetails?: { name: string } }[] }>(
      ...(['GetExecutionHistory', { executionArn }] as const),
    );
    return { status, entered: events.flatMap(({ stateEnteredEventDetails: each }) => each?.name ?? []) };
  }
  let executions = 0;

  const steps = () => agent.ran.map((command) => command[1]);
  const partsOf = (command: string[]) =>
    JSON.parse(command[command.indexOf('--parts') + 1] ?? '[]') as string[];
  const handedOut = () => agent.ran.filter((each) => each[1] === 'shard').map(partsOf);

  async function expectWhole(name: string): Promise<void> {
    const summary = (await under.get('results', `${name}/summary.json`)).toString();
    expect(JSON.parse(summary)).toMatchObject({
      ...{ photos: PHOTOS, answered: PHOTOS - 1, setAside: 1, complete: true },
    });
    const keys = await under.keys('results', `${name}/results/`);
    const files = await Promise.all(keys.map((key) => under.get('results', key)));
    const rows = files.flatMap((file) =>
      file
        .toString()
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Row),
    );
    expect(rows).toHaveLength(PHOTOS);
    expect(new Set(rows.map(({ photo }) => photo)).size).toBe(PHOTOS);
  }

  test('scores a bucket, though the cluster is late and a task is killed; started again, it finds nothing to do', async () => {
    await job('job-1');
    let refusals = 2;
    agent.refuse = () => (refusals-- > 0 ? 'ClusterNotFoundException' : undefined);
    let killed = false;
    agent.onStart = ([, step], child) => {
      if (step !== 'shard' || killed) return;
      killed = true;
      // As soon as it has committed something.
      under.front.interfere = ({ method, path }, done) => {
        if (done && method === 'PUT' && path.includes('/job-1/results/')) child.kill('SIGKILL');
        return undefined;
      };
    };
    const first = await execution('job-1');
    expect({ ...first, failures: agent.failures }).toMatchObject({
      status: 'SUCCEEDED',
      entered: ['Job', 'Todo', 'Count', 'Anything', 'Map', 'Verify', 'Done'],
      failures: [expect.stringMatching(/^shard SIGKILL/)],
    });
    expect(steps()).toEqual(['todo', 'shard', 'shard', 'shard', 'shard', 'verify']);
    // Three tasks of two shards, one of them twice.
    expect([...new Set(handedOut().flat())].sort()).toEqual(
      [0, 1, 2, 3, 4, 5].map((i) => `0000${String(i)}`),
    );
    expect(handedOut().flat()).toHaveLength(8);
    await expectWhole('job-1');

    agent.ran.length = 0;
    expect(await execution('job-1')).toEqual({
      ...{ status: 'SUCCEEDED', entered: ['Job', 'Todo', 'Count', 'Anything', 'Verify', 'Done'] },
    });
    expect(steps()).toEqual(['todo', 'verify']);
  }, 600_000);

  test('fails if a task fails for good, after all attempts; started again, it hands out what is missing', async () => {
    await job('job-2');
    const lost = (command: string[]) => command[1] === 'shard' && partsOf(command).includes('00002');
    agent.onStart = (command, child) => {
      if (lost(command)) child.kill('SIGKILL');
    };
    expect(await execution('job-2')).toEqual({
      ...{ status: 'FAILED', entered: ['Job', 'Todo', 'Count', 'Anything', 'Map', 'Verify'] },
    });
    expect(agent.ran.filter(lost)).toHaveLength(7);
    expect(steps().filter((step) => step === 'verify')).toHaveLength(3);
    expect(agent.failures.at(-1)).toMatch(/^verify 1 .*\n?Without results: 4 photos in shards 00002, 00003/s);

    agent = containerAgent(env);
    expect(await execution('job-2')).toMatchObject({ status: 'SUCCEEDED' });
    expect(handedOut().flat().sort()).toEqual(['00002', '00003']);
    await expectWhole('job-2');
  }, 600_000);

  test('counts what is done even if the map itself fails, and fails then', async () => {
    await job('job-3');
    under.front.interfere = ({ method, path }) =>
      method === 'GET' && path.includes('/job-3/todo.json')
        ? { status: 403, code: 'AccessDenied' }
        : undefined;
    expect(await execution('job-3')).toEqual({
      ...{ status: 'FAILED', entered: ['Job', 'Todo', 'Count', 'Anything', 'Map', 'Verify'] },
    });
    expect(steps()).toEqual(['todo', 'verify', 'verify', 'verify']);
    expect(agent.failures[0]).toContain('0 of 12 photos answered');
  }, 600_000);
});

// Of what the definition says, only how long it waits is changed.
function impatient(all: Record<string, State>): void {
  for (const { Retry = [], ItemProcessor } of Object.values(all)) {
    for (const retry of Retry) Object.assign(retry, { IntervalSeconds: 1, BackoffRate: 1 });
    if (ItemProcessor) impatient(ItemProcessor.States);
  }
}
