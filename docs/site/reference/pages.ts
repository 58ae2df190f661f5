// The pages under docs/reference/ that code writes, and who writes each.

import { configurationPage } from '../../../cli/config.ts';
import { commandLinePage } from './command-line.ts';
import { errorsPage } from './errors.ts';
import { openInferencePage, protoPage } from './messages.ts';
import { metricsPage } from './metrics.ts';

/** Files under docs/ and what is in them. */
export async function referencePages(): Promise<[file: string, text: string][]> {
  return [
    ['configuration.md', `${configurationPage()}\n`],
    ['reference/cli.md', commandLinePage()],
    ['reference/proto.md', protoPage()],
    ['reference/open-inference.md', openInferencePage()],
    ['reference/metrics.md', await metricsPage()],
    ['reference/errors.md', errorsPage()],
  ];
}
