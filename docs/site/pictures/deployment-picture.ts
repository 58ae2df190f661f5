// What is deployed, drawn from a template: who is reached from where, and at which port; what each may read; how many
// tasks there are. Boxes have places; every box, arrow and number is what the template says.

import { line, number, svgDocument, text } from '../../../drawing/svg.ts';

/** A template, as CloudFormation takes it. */
export interface DeployedTemplate {
  Resources: Record<string, { Type: string; Properties?: Record<string, unknown> }>;
}

interface Box {
  x: number;
  y: number;
  lines: readonly string[];
}

const WIDTH = 132;
const HEIGHT = 62;
const STEP = 214;
const LEFT = 24;
// Column and row of each box.
const PLACES: Readonly<Record<string, readonly [column: number, row: number]>> = {
  apps: [0, 0],
  sdk: [0, 1],
  edge: [1, 0.5],
  gateway: [2, 0],
  aggregator: [2, 1],
  preprocess: [3, 1.6],
  inference: [3, 0.5],
  keys: [3, -0.5],
  models: [4, 0.5],
  machine: [1, 2.95],
  control: [2, 2.55],
  scoring: [2, 3.35],
  results: [3, 2.55],
  photos: [3, 3.35],
};
// From the services to bulk scoring.
const BULK_HEIGHT = 205;

/** The picture of a stage, with bulk scoring if it has that. */
export function deploymentPicture(
  stage: string,
  template: DeployedTemplate,
  bulk?: DeployedTemplate,
): string {
  const resources = Object.entries(template.Resources).map(([id, { Type, Properties = {} }]) => ({
    id,
    Type,
    Properties,
  }));
  const of = (type: string) => resources.filter(({ Type }) => Type === type);
  const arrows: { from: string; to: string; label: string }[] = [];
  for (const { Properties } of of('AWS::ElasticLoadBalancingV2::Listener')) {
    const { Port, Protocol, MutualAuthentication: mutual } = Properties;
    const from = mutual === undefined ? 'apps' : 'sdk';
    if (Protocol === 'HTTPS')
      arrows.push({ from, to: 'edge', label: `${mutual ? 'mTLS' : 'HTTPS'} ${String(Port)}` });
  }
  const groups = new Map(
    of('AWS::EC2::SecurityGroup').map(({ id, Properties }) => [id, String(Properties['GroupDescription'])]),
  );
  const named = (reference: unknown) => {
    const [id = ''] = (reference as { 'Fn::GetAtt': string[] })['Fn::GetAtt'];
    return (groups.get(id) ?? '').replace(/^Tasks of /, '').replace('The load balancer', 'edge');
  };
  for (const { Properties } of of('AWS::EC2::SecurityGroupIngress')) {
    const { SourceSecurityGroupId: from, GroupId: to, FromPort: port } = Properties;
    arrows.push({ from: named(from), to: named(to), label: String(port) });
  }
  const services = of('AWS::ECS::Service').map(({ Properties }) => Properties);
  const encrypted = services.some((each) =>
    JSON.stringify(each['ServiceConnectConfiguration']).includes('"Tls"'),
  );
  const boxes = new Map<string, Box>();
  const box = (name: string, ...lines: string[]) => {
    const [column, row] = PLACES[name] ?? [0, 0];
    boxes.set(name, { x: LEFT + column * STEP, y: 100 + row * 120, lines });
  };
  box('apps', 'apps');
  if (arrows.some(({ from }) => from === 'sdk')) box('sdk', 'SDK clients');
  box('edge', 'load balancer', of('AWS::WAFv2::WebACL').length > 0 ? 'firewall, TLS' : 'TLS');
  for (const properties of services) {
    const name = String(properties['ServiceName']);
    const target = of('AWS::ApplicationAutoScaling::ScalableTarget').find(({ id }) =>
      id.startsWith(`Scaling${name}`),
    );
    const { MinCapacity: min, MaxCapacity: max } = target?.Properties ?? {};
    const where = properties['LaunchType'] === 'FARGATE' ? 'Fargate' : 'GPU instances';
    box(name, name, where, `${String(min)} to ${String(max)} tasks`);
  }
  for (const { id, Properties } of of('AWS::IAM::Policy')) {
    const reads = JSON.stringify(Properties['PolicyDocument']);
    const reader = services
      .map((each) => String(each['ServiceName']))
      .find((name) => id.toLowerCase().startsWith(`${name}task`));
    if (reader === undefined) continue;
    if (reads.includes('s3:GetObject')) {
      box('models', 'models', 'S3, versions');
      arrows.push({ from: reader, to: 'models', label: 'reads' });
    }
    if (reads.includes('secretsmanager:GetSecretValue')) {
      box('keys', 'API keys', 'Secrets Manager');
      arrows.push({ from: reader, to: 'keys', label: 'hashes' });
    }
  }
  for (const [name, lines, to] of bulk ? bulkOf(bulk) : []) {
    box(name, ...lines);
    for (const each of to) arrows.push({ from: name, ...each });
  }
  const height = 400 + (bulk ? BULK_HEIGHT : 0);
  const drawn = arrows.flatMap(({ from, to, label }) => {
    const [start, end] = [boxes.get(from), boxes.get(to)];
    return start && end ? arrow(start, end, label) : [];
  });
  const mesh = encrypted ? 'Between services: Service Connect, TLS 1.3' : 'Between services: Service Connect';
  return svgDocument(
    `vgg-serve ${stage}, as its template says`,
    { width: LEFT * 2 + 4 * STEP + WIDTH, height, left: LEFT },
    [
      `<style>.box { fill: none; stroke: #59636e; stroke: var(--quiet) } .arrow { stroke: #0072b2; stroke: var(--training); stroke-width: 1.5 } .head { fill: #0072b2; fill: var(--training) } .name { font-weight: 600 } .label { paint-order: stroke; stroke: #ffffff; stroke: var(--paper); stroke-width: 5; stroke-linejoin: round }</style>`,
      `<defs><marker id="head" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>`,
      ...drawn,
      ...[...boxes.values()].flatMap(({ x, y, lines }) => [
        `<rect class="box" x="${number(x)}" y="${number(y)}" width="${String(WIDTH)}" height="${String(HEIGHT)}" rx="6"/>`,
        ...lines.map((each, i) =>
          text(i === 0 ? 'name' : 'quiet', x + WIDTH / 2, y + 20 + i * 16, each, 'middle'),
        ),
      ]),
      text(
        'quiet',
        LEFT,
        height - 16,
        `${mesh}. Numbers at arrows are ports that the network lets through; nothing else reaches a task.`,
      ),
    ],
  );
}

type BulkBox = [name: string, lines: string[], to: { to: string; label: string }[]];

// The state machine, its tasks, and the buckets that their roles name.
function bulkOf({ Resources }: DeployedTemplate): BulkBox[] {
  const resources = Object.entries(Resources);
  const machine = JSON.stringify(
    resources.find(([, { Type }]) => Type === 'AWS::StepFunctions::StateMachine')?.[1].Properties,
  );
  const [, gpus = '?'] = /MaxConcurrency\\":(\d+)/.exec(machine) ?? [];
  const tasks = [
    { name: 'control', id: 'Control' },
    { name: 'scoring', id: 'Shard' },
  ].map(({ name, id }): BulkBox => {
    const [definition] = resources
      .filter(([key, { Type }]) => key.startsWith(id) && Type === 'AWS::ECS::TaskDefinition')
      .map(([, { Properties = {} }]) => Properties);
    const fargate = (definition?.['RequiresCompatibilities'] as string[] | undefined)?.includes('FARGATE');
    const role = JSON.stringify(
      resources.find(
        ([key, { Type }]) => key.startsWith(`${id}DefinitionTaskRole`) && Type === 'AWS::IAM::Policy',
      ),
    );
    const to = [
      ...(/Photos|:s3:::[a-z]/.test(role) ? [{ to: 'photos', label: 'reads' }] : []),
      ...(role.includes('s3:PutObject') ? [{ to: 'results', label: 'writes' }] : []),
    ];
    const what = fargate ? ['lists, counts', 'Fargate'] : ['scoring', 'GPU instances', `0 to ${gpus} tasks`];
    return [name, what, to];
  });
  return [
    ['machine', ['bulk scoring', 'Step Functions'], tasks.map(([name]) => ({ to: name, label: 'starts' }))],
    ...tasks,
    ['photos', ['photos', 'S3'], []],
    ['results', ['results', 'S3'], []],
  ];
}

// From edge to edge, with what it is beside its middle.
function arrow(from: Box, to: Box, label: string): string[] {
  const across = to.x > from.x;
  const start = across
    ? { x: from.x + WIDTH, y: from.y + HEIGHT / 2 }
    : { x: from.x + WIDTH / 2, y: to.y > from.y ? from.y + HEIGHT : from.y };
  const end = across
    ? { x: to.x, y: to.y + HEIGHT / 2 }
    : { x: to.x + WIDTH / 2, y: to.y > from.y ? to.y : to.y + HEIGHT };
  const straight = line('arrow', start.x, start.y, end.x, end.y).replace('/>', ' marker-end="url(#head)"/>');
  const middle = { x: (start.x + end.x) / 2, y: (start.y + end.y) / 2 };
  return [
    straight,
    text(
      'quiet label',
      middle.x + (across ? 0 : 6),
      middle.y + (across ? 4 : 0),
      label,
      across ? 'middle' : 'start',
    ),
  ];
}
