// Server-sent events out of a body that arrives in pieces. Knows the format (HTML, 9.2.6), not what events mean.

/** One event. */
export interface StreamEvent {
  /** `message` where the server names none. */
  name: string;
  data: string;
}

/** Turns text that arrives in any pieces into events; an event counts once its empty line is there. */
export class EventReader {
  private rest = '';
  private name = '';
  private readonly lines: string[] = [];

  /** The events that this piece completes. */
  read(piece: string): StreamEvent[] {
    this.rest += piece;
    const events: StreamEvent[] = [];
    for (;;) {
      const end = /\r\n|\n|\r(?=[^\n])/.exec(this.rest);
      if (!end) return events;
      const line = this.rest.slice(0, end.index);
      this.rest = this.rest.slice(end.index + end[0].length);
      if (line === '') this.finish(events);
      else this.take(line);
    }
  }

  private take(line: string): void {
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.name = value;
    if (field === 'data') this.lines.push(value);
  }

  private finish(events: StreamEvent[]): void {
    if (this.lines.length > 0) events.push({ name: this.name || 'message', data: this.lines.join('\n') });
    this.name = '';
    this.lines.length = 0;
  }
}

/** The events of a body, as they come. */
export async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  const reader = new EventReader();
  const decoder = new TextDecoder();
  const source = body.getReader();
  try {
    for (;;) {
      const { done, value } = await source.read();
      if (done) return;
      yield* reader.read(decoder.decode(value, { stream: true }));
    }
  } finally {
    source.releaseLock();
  }
}
