// Prometheus's text format, versions 0.0.4 and 1.0.0 (OpenMetrics), as samples. Knows the format; no metric.
// https://github.com/prometheus/docs/blob/main/docs/instrumenting/exposition_formats.md

import { expected } from '../../vgg/errors.ts';

/** A series' value. */
export interface Sample {
  name: string;
  labels: Readonly<Record<string, string>>;
  /** May be NaN and ±Infinity. */
  value: number;
}

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL = /[a-zA-Z_][a-zA-Z0-9_]*/y;
// Spaces and tabs may stand between any two tokens.
const BLANK = /[ \t]*/y;
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const INFINITY = /^([+-]?)Inf(inity)?$/i;
const ESCAPES: Record<string, string> = { '\\': '\\', '"': '"', n: '\n' };

/**
 * The samples of a text, in its order. Comments, HELP and TYPE lines, timestamps and exemplars are checked for
 * nothing and left out.
 *
 * @throws VggError INVALID_ARGUMENT with the line if one is no sample
 */
export function parseExposition(text: string): Sample[] {
  const samples: Sample[] = [];
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    samples.push(new Line(line, i + 1).sample());
  }
  return samples;
}

// One line, read from left to right.
class Line {
  readonly #text: string;
  readonly #place: number;
  #at = 0;

  constructor(text: string, place: number) {
    this.#text = text;
    this.#place = place;
  }

  sample(): Sample {
    const name = this.#take(NAME, 'the name of a metric');
    this.#blank();
    const labels = this.#text[this.#at] === '{' ? this.#labels() : {};
    // What follows a lone # is an exemplar; what follows the value is the time.
    const [fields = ''] = this.#text.slice(this.#at).split('#');
    const [value = '', time, ...more] = fields.trim().split(/[ \t]+/);
    if (more.length > 0 || (time !== undefined && !NUMBER.test(time))) this.#fail('a time after the value');
    return { name, labels, value: this.#number(value) };
  }

  #labels(): Record<string, string> {
    // Without a prototype, so that a label may have any name.
    const labels = Object.create(null) as Record<string, string>;
    this.#at += 1;
    for (;;) {
      this.#blank();
      if (this.#text[this.#at] === '}') break;
      const label = this.#take(LABEL, 'the name of a label, or }');
      if (label in labels) this.#fail(`one ${label}`);
      this.#blank();
      this.#expect('=');
      this.#blank();
      labels[label] = this.#quoted();
      this.#blank();
      // A comma may stand after the last label too.
      if (this.#text[this.#at] === ',') this.#at += 1;
      else if (this.#text[this.#at] !== '}') this.#fail(', or }');
    }
    this.#at += 1;
    return labels;
  }

  #quoted(): string {
    this.#expect('"');
    let value = '';
    for (;;) {
      const character = this.#text[this.#at++];
      if (character === undefined) this.#fail('a closing "');
      if (character === '"') return value;
      if (character === '\\') {
        const escape = this.#text[this.#at++] ?? '';
        value += ESCAPES[escape] ?? this.#fail('\\\\, \\" or \\n');
      } else value += character;
    }
  }

  #number(text: string): number {
    const infinite = INFINITY.exec(text);
    if (infinite) return infinite[1] === '-' ? -Infinity : Infinity;
    if (/^NaN$/i.test(text)) return NaN;
    return NUMBER.test(text) ? Number(text) : this.#fail('a number');
  }

  #take(pattern: RegExp, what: string): string {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found === undefined) return this.#fail(what);
    this.#at = pattern.lastIndex;
    return found;
  }

  #blank(): void {
    this.#take(BLANK, 'a blank');
  }

  #expect(character: string): void {
    if (this.#text[this.#at] !== character) this.#fail(character);
    this.#at += 1;
  }

  #fail(what: string): never {
    throw expected(what, this.#text, `line ${String(this.#place)}`);
  }
}
