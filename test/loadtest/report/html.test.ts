// The page: HTML without a mistake whatever it is told, and each of its figures the result's.

import fc from 'fast-check';
import { parse, type DefaultTreeAdapterTypes } from 'parse5';
import { describe, expect, test } from 'vitest';
import { ms, PERCENTILES } from '../../../loadtest/report/figures.ts';
import { htmlReport } from '../../../loadtest/report/html.ts';
import { percentileScale } from '../../../loadtest/report/html/percentile-plot.ts';
import type { LoadTestResult } from '../../../loadtest/result.ts';
import { everyResult, hostile, result, step } from './results.ts';

type Element = DefaultTreeAdapterTypes.Element;

const results = Object.entries(everyResult());

function read(page: string) {
  const errors: string[] = [];
  const document = parse(page, {
    sourceCodeLocationInfo: true,
    onParseError: ({ code, startLine }) => errors.push(`${code} in line ${String(startLine)}`),
  });
  const elements: Element[] = [];
  const walk = (node: DefaultTreeAdapterTypes.ParentNode) => {
    for (const child of node.childNodes) {
      if (!('tagName' in child)) continue;
      elements.push(child);
      walk(child);
    }
  };
  walk(document);
  return { errors, elements };
}

function textOf(node: DefaultTreeAdapterTypes.Node): string {
  if ('value' in node) return node.value;
  return 'childNodes' in node ? node.childNodes.map(textOf).join('') : '';
}

function attribute(element: Element | undefined, name: string): string | undefined {
  return element?.attrs.find((each) => each.name === name)?.value;
}

function inside(element: Element, tag: string): Element[] {
  return element.childNodes.flatMap((child) =>
    'tagName' in child ? [...(child.tagName === tag ? [child] : []), ...inside(child, tag)] : [],
  );
}

/** Cells of the table with a caption: exact numbers where there are some, else the text. */
function tableOf(
  elements: readonly Element[],
  caption: string,
): { header: string[]; rows: (string | number)[][] } {
  const table = elements.find(
    (each) =>
      each.tagName === 'table' && inside(each, 'caption').some((one) => textOf(one).trim() === caption),
  );
  if (!table) return { header: [], rows: [] };
  const [head, ...body] = inside(table, 'tr').map((row) =>
    row.childNodes.filter((each): each is Element => 'tagName' in each),
  );
  return {
    header: head?.map((cell) => textOf(cell).trim()) ?? [],
    rows: body.map((row) =>
      row.map((cell) => {
        const [data] = inside(cell, 'data');
        return data ? Number(attribute(data, 'value')) : textOf(cell).trim();
      }),
    ),
  };
}

describe('a page', () => {
  test.each(results)('%s: has no mistake, and everything has a name', (_, each) => {
    const { errors, elements } = read(htmlReport(each, { predicted: each }));
    expect(errors).toEqual([]);
    const ids = elements.flatMap((element) => attribute(element, 'id') ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    for (const svg of elements.filter(({ tagName }) => tagName === 'svg')) {
      const named = attribute(svg, 'aria-labelledby')?.split(' ') ?? [];
      const [title, description] = named.map((id) =>
        elements.find((element) => attribute(element, 'id') === id),
      );
      expect([title?.tagName, description?.tagName]).toEqual(['title', 'desc']);
      expect(title && textOf(title)).not.toBe('');
      expect(description && textOf(description).length).toBeGreaterThan(20);
    }
    for (const table of elements.filter(({ tagName }) => tagName === 'table')) {
      const widths = inside(table, 'tr').map((row) => inside(row, 'th').length + inside(row, 'td').length);
      expect(new Set(widths).size).toBe(1);
    }
  });

  test('a step has four plots, a search one more, and what is not known has none', () => {
    const plots = (each: LoadTestResult) =>
      read(htmlReport(each)).elements.flatMap((element) =>
        element.tagName === 'svg' ? [attribute(element, 'aria-labelledby')?.split('-title')[0]] : [],
      );
    const { single, sweep, search, failing } = everyResult();
    expect(single && plots(single)).toEqual(['percentiles', 'timeline', 'stages', 'batches']);
    expect(search && plots(search)).toEqual(['load-open', 'percentiles', 'timeline', 'stages', 'batches']);
    expect(sweep && plots(sweep)).toEqual(['load-closed', 'percentiles', 'timeline', 'stages', 'batches']);
    expect(failing && plots(failing)).toEqual([]);
  });

  test('no position is unknown', () => {
    for (const [, each] of results) {
      expect(htmlReport(each, { predicted: each })).not.toMatch(/NaN|Infinity|undefined/);
    }
  });
});

describe('words of others', () => {
  const TAGS = new Set(
    'html head meta title style body main header p h1 h2 pre code strong div ul li dl dt dd small section table caption thead tbody tr th td data details summary footer time svg desc text line path rect circle'.split(
      ' ',
    ),
  );

  test('become text, never elements, attributes or requests', () => {
    const pieces = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom(
        '<script>alert(1)</script>',
        '"><img src=x onerror=alert(1)>',
        '</style>',
        '</title>',
        '</svg>',
        '<!--',
        ']]>',
        '&amp;',
        '&#0;',
        "' onload='",
        '\0',
        '\ud800',
        '\u202e',
        '${1}',
        '\x1b[2J',
      ),
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 4 }), fc.constantFrom(...results), (texts, [, each]) => {
        const told = hostile(each, texts.join(''));
        const { errors, elements } = read(htmlReport(told, { predicted: told }));
        expect(errors).toEqual([]);
        for (const { tagName, attrs } of elements) {
          expect(TAGS).toContain(tagName);
          for (const { name } of attrs) expect(name).not.toMatch(/^(on|href$|src|srcdoc$|xlink)/);
        }
        const styles = elements.filter(({ tagName }) => tagName === 'style');
        expect(styles.length).toBe(1);
      }),
      { numRuns: 60 },
    );
  });

  test('are shown as they are', () => {
    const text = `a <b> & "c" 'd' </code> é 日本 — \u{1f600}`;
    const { single } = everyResult();
    const { elements } = read(htmlReport(hostile(single as LoadTestResult, text)));
    const shown = (tag: string) => elements.filter(({ tagName }) => tagName === tag).map(textOf);
    expect(shown('h1')).toEqual([text]);
    expect(shown('code')).toEqual([text]);
    expect(shown('th')).toContain(`${text}, ${text}`);
    expect(shown('td')).toContain(text);
    expect(shown('title')[0]).toContain(text);
  });

  test('nothing is run or fetched, by the page’s own policy', () => {
    const { elements } = read(htmlReport(everyResult()['single'] as LoadTestResult));
    const policy = elements.find((each) => attribute(each, 'http-equiv') === 'Content-Security-Policy');
    expect(attribute(policy, 'content')).toMatch(/^default-src 'none'; style-src 'unsafe-inline';/);
    expect(textOf(elements.find(({ tagName }) => tagName === 'style') as Element)).not.toMatch(
      /url\(|@import|@font-face/,
    );
  });
});

describe('figures', () => {
  test('of cancelled requests: how many, what the services had left of them, and whether that is well', () => {
    const { elements } = read(htmlReport(everyResult()['storm'] as LoadTestResult));
    expect(tableOf(elements, 'After requests were cancelled').rows.map((row) => row.slice(1))).toEqual([
      [200, 4321, '1,500, then 0', '12, then 0', 412],
      [200, 4321, '1,500, then 30', '12, then 3', 'never'],
    ]);
    const said = elements
      .filter((each) => each.tagName === 'li')
      .map((each) => [attribute(each, 'class'), textOf(each).trim()]);
    const aside = 'In no figure of time: 200 were cancelled, 50 were answered to slow clients.';
    const dropped = 'After cancelling, the services dropped 4,321 views, warm-up included';
    expect(said.filter(([kind]) => kind !== undefined)).toEqual([
      ['aside', `8 clients: ${aside}`],
      ['good', `8 clients: ${dropped}; nothing was left 412 ms after the last answer.`],
      ['aside', `16 clients: ${aside}`],
      ['bad', `16 clients: ${dropped}, but 30 views and 3 calls were left.`],
    ]);
  });

  test.each(results)('%s: of steps are the result’s, to the last digit', (_, each) => {
    const { elements } = read(htmlReport(each));
    const { header, rows } = tableOf(
      elements,
      'Latency of answers in ms, from the moment a request was meant to start',
    );
    const column = (name: string) => rows.map((row) => row[header.indexOf(name)]);
    const of = (pick: (one: (typeof each.steps)[number]) => number) => each.steps.map(pick);
    expect(column('sent')).toEqual(of(({ requests }) => requests.sent));
    expect(column('answered')).toEqual(of(({ requests }) => requests.answered));
    expect(column('failed')).toEqual(of(({ requests }) => requests.failed));
    expect(column('abandoned')).toEqual(of(({ requests }) => requests.abandoned));
    expect(column('answers/s')).toEqual(of(({ answersPerSecond }) => answersPerSecond));
    for (const [key, name] of [...PERCENTILES, ['mean', 'mean'], ['max', 'max']] as const) {
      expect(column(name)).toEqual(each.steps.map(({ latency }) => (latency.count > 0 ? latency[key] : '–')));
    }
  });

  test.each(results)('%s: of errors, kinds, services and the generator too', (_, each) => {
    const { elements } = read(htmlReport(each));
    const rows = (caption: string) => tableOf(elements, caption).rows;
    expect(
      rows('Requests that failed; times in ms, apart from those of answers').map((row) => row.slice(2, 5)),
    ).toEqual(
      each.steps.flatMap(({ errors }) =>
        errors.map(({ count, latency }) => [count, latency.p50, latency.p99]),
      ),
    );
    expect(rows('By kind of request; times in ms').map((row) => row.slice(2))).toEqual(
      each.steps.flatMap(({ kinds }) =>
        kinds.map(({ answersPerSecond, failed, latency }) => [
          answersPerSecond,
          failed,
          latency.p50,
          latency.p90,
          latency.p99,
          latency.max,
        ]),
      ),
    );
    const sides = each.steps.flatMap(({ server }) => server ?? []);
    expect(rows('Engines and queue').map((row) => row.slice(1, 8))).toEqual(
      sides.map(({ viewsPerSecond, batches, mostQueuedViews }) => [
        viewsPerSecond,
        batches.busy,
        batches.count,
        batches.meanViews,
        batches.meanCalls,
        batches.meanMs,
        mostQueuedViews,
      ]),
    );
    expect(rows('CPU cores in use, by process').map((row) => row.slice(1))).toEqual(
      sides.map(({ cpu }) => cpu.map(({ cores }) => cores)),
    );
    expect(rows('Stages').map((row) => row.slice(2))).toEqual(
      sides.flatMap(({ stages }) => stages.map(({ meanMs, count }) => [meanMs, count])),
    );
    expect(rows('Batches by their views').map((row) => row[2])).toEqual(
      sides.flatMap(({ batches }) => batches.sizes.map(({ count }) => count)),
    );
    expect(rows('By the second').length).toBe(
      each.steps.reduce((sum, { timeline }) => sum + timeline.length, 0),
    );
    expect(
      rows('The generator itself: how late it sent, and what held it up; times in ms').map((row) => row[2]),
    ).toEqual(each.steps.map(({ generator }) => (generator.late.count > 0 ? generator.late.p99 : '–')));
  });

  test('lines are where the figures are', () => {
    const load = { loop: 'open', arrivals: 'poisson', ratePerSecond: 20 } as const;
    const [slow, quick] = [step(load, { seed: 2 }), step(load, { seed: 3 })];
    const page = htmlReport(result([slow]), { predicted: result([quick]) });
    const { elements } = read(page);
    const plot = elements.find(
      (each) => attribute(each, 'aria-labelledby')?.startsWith('percentiles') === true,
    );
    const lines = plot
      ? inside(plot, 'path').filter((each) => attribute(each, 'd')?.includes('L') === true)
      : [];
    // Latency, service time, and what was predicted, dashed.
    expect(lines.map((each) => attribute(each, 'class'))).toEqual([
      'line c1',
      'line quiet',
      'line c2 dashed',
    ]);
    const points = (line: Element | undefined) =>
      (attribute(line, 'd') ?? '')
        .split(/[ML]/)
        .slice(1)
        .map((point) => point.split(' ').map(Number));
    for (const [i, distribution] of [slow.latency, slow.serviceTime, quick.latency].entries()) {
      const drawn = points(lines[i]);
      expect(drawn.length).toBe(distribution.percentiles.length);
      // To the right and up: more answers take longer.
      for (const [at, [x = NaN, y = NaN]] of drawn.entries()) {
        const [left = -1, below = Infinity] = drawn[at - 1] ?? [];
        expect(x).toBeGreaterThanOrEqual(left);
        expect(y).toBeLessThanOrEqual(below);
      }
    }
    const { rows } = tableOf(elements, 'The same loads, measured and predicted');
    expect(rows.find((row) => row[1] === 'p99, ms')?.slice(2)).toEqual([
      slow.latency.p99,
      quick.latency.p99,
      quick.latency.p99 / slow.latency.p99,
    ]);
  });

  test('the percentile axis gives each tenth of the rest as much room', () => {
    const { at, ticks } = percentileScale(0.9999);
    expect(ticks).toEqual(
      [0, 0.5, 0.9, 0.99, 0.999, 0.9999].map((part) => expect.closeTo(part, 12) as number),
    );
    expect(at(0.99) - at(0.9)).toBeCloseTo(at(0.9) - at(0), 9);
    expect(at(0.9999) - at(0.999)).toBeCloseTo(at(0.9) - at(0), 9);
  });

  test('are never 0 unless they are', () => {
    expect([ms(0.004), ms(0.04), ms(9.999), ms(99.96), ms(1234.5)]).toEqual([
      '0.00',
      '0.04',
      '10.0',
      '100',
      '1,235',
    ]);
  });
});
