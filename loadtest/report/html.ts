// A load test as one page that needs nothing else: no script, no network, no fonts. Knows the order of its sections.

import type { LoadTestResult } from '../result.ts';
import { amount, asked, count, kindName, loadName, titleOf, verdictSentence, warningsOf } from './figures.ts';
import { loadPlots } from './html/load-plot.ts';
import { html, Markup } from './html/markup.ts';
import { percentilePlot } from './html/percentile-plot.ts';
import {
  boundsTable,
  chosenStep,
  errorsTable,
  generatorTable,
  keyFigures,
  kindsTable,
  predictionTable,
  serverTables,
  stepsTable,
} from './html/sections.ts';
import { judgementsOf } from './judgements.ts';
import { batchPlot, stagesPlot } from './html/server-plots.ts';
import { STYLE } from './html/style.ts';
import { timelinePlot } from './html/timeline-plot.ts';

// Whatever a server's words might become, nothing here runs or is fetched.
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/**
 * The page, light or dark as its reader is.
 *
 * @param predicted of the same loads, such as by simulation: drawn over what was measured, dashed
 */
export function htmlReport(
  result: LoadTestResult,
  { predicted }: { predicted?: LoadTestResult } = {},
): string {
  const { target, startedAt, steps } = result;
  const measured = result.machine !== undefined;
  const chosen = chosenStep(result);
  const several = steps.length > 1;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${titleOf(result)}, ${startedAt}</title>
        <style>
          ${new Markup(STYLE)}
        </style>
      </head>
      <body>
        <main>
          <header>
            <p class="eyebrow">
              ${measured ? 'Load test' : 'Simulation'}, ${target.transport === 'grpc' ? 'gRPC' : 'HTTP'}
            </p>
            <h1>${target.address}</h1>
            ${conditions(result)} ${verdict(result)}${warnings(result)}
            ${chosen && several ? html`<p class="quiet-text">${chosen.bound?.kept === true ? 'The highest load that kept the bound' : 'The step with the most answers'}: ${loadName(chosen.load)}</p>` : ''}
            ${chosen ? keyFigures(chosen) : ''}
          </header>
          ${section('steps', several ? 'Steps' : 'Figures', html`${stepsTable(result)}${boundsTable(result)}`)}
          ${section('beside', 'Beside the figures', judgements(result))}
          ${section('prediction', 'Measured beside predicted', predicted ? predictionTable(result, predicted) : html``)}
          ${section('load', 'What a growing load does', loadPlots(result, predicted))}
          ${section('latency', 'Latency by percentile', percentilePlot(result, predicted))}
          ${section('time', 'By the second', timelinePlot(result))}
          ${section('errors', 'Errors', errorsTable(result))}
          ${section('kinds', 'By kind of request', kindsTable(result))}
          ${section('stages', 'Where the time goes', stagesPlot(result, predicted))}
          ${section('batches', 'Views of a batch', batchPlot(result, predicted))}
          ${section('services', 'What the services say', serverTables(result))}
          ${section('generator', 'Whether the generator kept up', measured ? generatorTable(result) : html``)}
          ${origin(result)}
        </main>
      </body>
    </html> `;
  return page.toString();
}

function section(id: string, title: string, content: Markup): Markup {
  if (content.toString().trim() === '') return html``;
  return html`<section aria-labelledby="${id}">
    <h2 id="${id}">${title}</h2>
    ${content}
  </section> `;
}

function conditions({ mix, photos, steps, command, machine }: LoadTestResult): Markup {
  const kinds = mix
    .map((each) => (mix.length > 1 ? `${asked(100 * each.share)} % ` : '') + kindName(each))
    .join('; ');
  const seconds = steps.reduce((sum, step) => sum + step.seconds, 0);
  const warmUp = steps.reduce((sum, step) => sum + step.warmUpSeconds, 0);
  const sizes = `${count(photos.count)} photo${photos.count === 1 ? '' : 's'} of ${bytes(photos.smallest)}${photos.largest > photos.smallest ? ` to ${bytes(photos.largest)}` : ''}`;
  return html`<p>
      ${kinds}; ${sizes}. ${machine ? 'Measured' : 'Simulated'} for ${amount(seconds)}
      s${steps.length > 1 ? ` in ${count(steps.length)} steps` : ''}, after ${asked(warmUp)} s of warm-up that
      no figure is of.
    </p>
    <pre><code>${command}</code></pre>`;
}

function verdict({ search }: LoadTestResult): Markup {
  if (!search) return html``;
  const sentence = verdictSentence(search).slice(search.verdict.length);
  return html`<p class="${search.verdict === 'VALID' ? 'verdict' : 'verdict invalid'}">
    <strong>${search.verdict}</strong>${sentence}
  </p> `;
}

function warnings(result: LoadTestResult): Markup {
  const all = warningsOf(result);
  if (all.length === 0) return html``;
  return html`<div class="warnings">
    <p>Before you believe these figures</p>
    <ul>
      ${all.map(({ loads, text }) => html`<li>${result.steps.length > 1 ? `${loads.join(', ')}: ` : ''}${text}</li>`)}
    </ul>
  </div> `;
}

// Bounds have a table of their own.
function judgements(result: LoadTestResult): Markup {
  const all = judgementsOf(result).filter(({ about }) => about !== 'bound');
  if (all.length === 0) return html``;
  const several = result.steps.length > 1;
  return html`<ul class="judgements">
    ${all.map(
      ({ load, text, good }) =>
        html`<li class="${good === undefined ? 'aside' : good ? 'good' : 'bad'}">
          ${several ? `${load}: ${text}` : text}.
        </li> `,
    )}
  </ul>`;
}

function origin({ machine, seed, startedAt }: LoadTestResult): Markup {
  const source = machine
    ? `The load came from Node.js ${machine.node} on ${machine.platform}, ${count(machine.cores)} cores.`
    : 'Nobody was asked: all of it was simulated.';
  return html`<footer>
    <p>
      Started <time datetime="${startedAt}">${startedAt}</time>; seed ${seed}. ${source} Percentiles are of
      HDR histograms; all times are milliseconds unless a unit is named.
    </p>
  </footer>`;
}

function bytes(value: number): string {
  return value < 1024 * 1024 ? `${amount(value / 1024)} KiB` : `${amount(value / 1024 / 1024)} MiB`;
}
