// Which Markdown files are pages of the site, in the order in which they are offered. Knows files by their paths in the
// repository; a page's address is its path, less `docs/`.

/** A page: its file in the repository, and its name in the sidebar. */
export interface Page {
  file: string;
  text: string;
}

/** A part of the sidebar. */
export interface Part {
  text: string;
  pages: Page[];
}

/** The front page. */
export const FRONT = 'docs/README.md';

/** The sidebar. */
export const PARTS: Part[] = [
  { text: 'Start', pages: [page('docs/tutorial.md', 'First answer in five minutes')] },
  {
    text: 'How to: models',
    pages: [
      page('docs/how-to/serve-imagenet-vgg16.md', 'Serve VGG-16 with ImageNet weights'),
      page('docs/how-to/bring-your-own-checkpoint.md', 'Bring your own checkpoint'),
      page('docs/how-to/train.md', 'Train'),
      page('docs/how-to/evaluate.md', 'Evaluate'),
    ],
  },
  {
    text: 'How to: ask',
    pages: [
      page('docs/how-to/typescript.md', 'From TypeScript'),
      page('docs/how-to/python.md', 'From Python'),
      page('docs/how-to/curl.md', 'From curl'),
      page('docs/how-to/http-api.md', 'The HTTP API'),
    ],
  },
  {
    text: 'How to: run',
    pages: [
      page('docs/how-to/containers.md', 'In containers'),
      page('docs/how-to/nginx.md', 'Behind nginx'),
      page('docs/how-to/tls-and-keys.md', 'TLS and API keys'),
      page('docs/how-to/bulk.md', 'Score millions of photos'),
      page('docs/how-to/monitor.md', 'Monitor'),
      page('docs/how-to/tune-batches.md', 'Tune batches'),
      page('docs/how-to/load-test.md', 'Load test'),
      page('docs/how-to/gpu.md', 'On a machine with a GPU'),
      page('docs/how-to/deploy.md', 'Deploy to AWS'),
      page('docs/how-to/operate.md', 'Operate in AWS'),
    ],
  },
  {
    text: 'Reference',
    pages: [
      page('docs/reference/cli.md', 'Command line'),
      page('docs/configuration.md', 'Configuration'),
      page('docs/reference/proto.md', 'gRPC messages'),
      page('docs/reference/open-inference.md', 'Open Inference Protocol'),
      page('docs/reference/errors.md', 'Errors'),
      page('docs/reference/metrics.md', 'Metrics'),
    ],
  },
  {
    text: 'Explanation',
    pages: [
      page('docs/explanation/method.md', 'The method, in pictures'),
      page('docs/explanation/dense-and-crops.md', 'Dense against multi-crop'),
      page('docs/explanation/why-views.md', 'Why views travel, not crops'),
      page('docs/sharing.md', 'What views share'),
      page('docs/align.md', 'Where crops lie'),
      page('docs/early-stop.md', 'Known early'),
      page('docs/performance.md', 'Against other software'),
      page('docs/capacity.md', 'Capacity and cost'),
      page('docs/explanation/faults.md', 'When a part dies'),
      page('docs/paper/README.md', 'The paper’s experiments'),
      page('ARCHITECTURE.md', 'Architecture'),
    ],
  },
  {
    text: 'The project',
    pages: [
      page('models/caltech-101-d/README.md', 'The default model'),
      page('models/README.md', 'Models in the package'),
      page('test/golden/README.md', 'Golden files'),
      page('CONTRIBUTING.md', 'Contributing'),
      page('SECURITY.md', 'Security'),
      page('CHANGELOG.md', 'Changes'),
      page('docs/site/README.md', 'How these pages are made'),
    ],
  },
];

/** Every page, the front one first. */
export const PAGES: Page[] = [page(FRONT, 'vgg-serve'), ...PARTS.flatMap(({ pages }) => pages)];

/** The path of a page in the site, with `.md`: `docs/tutorial.md` is `tutorial.md`, a README is its folder's index. */
export function sitePath(file: string): string {
  return file.replace(/^docs\//, '').replace(/(^|\/)README\.md$/, '$1index.md');
}

function page(file: string, text: string): Page {
  return { file, text };
}
