// What ECS does for a state machine, as far as `runTask.sync` asks: it starts what a task's command says, here as a process
// of this machine, and tells how it ended. The commands are the real ones.

import type { ChildProcess } from 'node:child_process';
import { startVgg } from '../../cli/bulk/photos.ts';
import type { Call } from './s3/front.ts';

/** Tasks of a cluster. */
export interface ContainerAgent {
  /** Commands, in the order they were started. */
  ran: string[][];
  /** What failed tasks said. */
  failures: string[];
  /** Whether a task finds a machine; its error, if not. */
  refuse: (command: string[]) => string | undefined;
  /** Told of each process that was started. */
  onStart: (command: string[], child: ChildProcess) => void;
  /** Answers ECS's calls; undefined for any other. */
  answer(call: Call): Promise<{ status: number; body: string } | undefined>;
}

interface Task {
  status: number | NodeJS.Signals | undefined;
}

const TARGET = 'AmazonEC2ContainerServiceV20141113.';
const ARN = 'arn:aws:ecs:us-east-1:123456789012:';

/** An agent whose tasks have these variables. */
export function containerAgent(env: NodeJS.ProcessEnv): ContainerAgent {
  const tasks = new Map<string, Task>();
  const agent: ContainerAgent = {
    ...{ ran: [], failures: [], refuse: () => undefined, onStart: () => undefined },
    answer({ headers, body }) {
      const target = String(headers['x-amz-target']);
      if (!target.startsWith(TARGET)) return Promise.resolve(undefined);
      const said = (status: number, value: object) =>
        Promise.resolve({ status, body: JSON.stringify(value) });
      const error = (type: string, message: string) => said(400, { __type: type, message });
      const asked = JSON.parse(body.toString()) as Record<string, unknown>;
      switch (target.slice(TARGET.length)) {
        case 'RunTask': {
          const command = commandOf(asked);
          const refused = agent.refuse(command);
          if (refused !== undefined) return error(refused, 'by the test');
          return said(200, { tasks: [described(run(command), { status: undefined })], failures: [] });
        }
        case 'DescribeTasks': {
          const [arn = ''] = asked['tasks'] as string[];
          const task = tasks.get(arn);
          if (!task) return error('InvalidParameterException', `no task ${arn}`);
          // The real integration fails with States.TaskFailed if a container did not end with 0. The emulator only
          // looks whether a task has stopped, so it is told here.
          if (task.status !== undefined && task.status !== 0)
            return error('TaskFailed', `exit status ${String(task.status)}`);
          return said(200, { tasks: [described(arn, task)], failures: [] });
        }
        default:
          return error('UnsupportedOperation', target);
      }
    },
  };

  function run(command: string[]): string {
    const arn = `${ARN}task/vgg/${String(agent.ran.push(command))}`;
    const task: Task = { status: undefined };
    tasks.set(arn, task);
    const { child, ended } = startVgg(command, env);
    agent.onStart(command, child);
    void ended.then(({ status, stderr }) => {
      task.status = status;
      if (status !== 0) agent.failures.push(`${String(command[1])} ${String(status)} ${stderr}`);
    });
    return arn;
  }
  return agent;
}

function described(taskArn: string, { status }: Task): object {
  const stopped = status !== undefined;
  return {
    ...{ taskArn, clusterArn: `${ARN}cluster/vgg`, lastStatus: stopped ? 'STOPPED' : 'RUNNING' },
    containers: [{ name: 'vgg', ...(stopped && { exitCode: status }) }],
  };
}

function commandOf(asked: Record<string, unknown>): string[] {
  const { containerOverrides } = asked['overrides'] as { containerOverrides: { command: string[] }[] };
  return containerOverrides[0]?.command ?? [];
}
