/** Server-sent events out of a stream of text (https://html.spec.whatwg.org/multipage/server-sent-events.html, "Parsing an event stream"). */

export interface ServerEvent {
  event: string;
  id: string;
  data: string;
}

export class EventReader {
  private text = '';
  private fields: ServerEvent = { event: '', id: '', data: '' };

  /** The events that this piece completes. */
  *feed(piece: string): Generator<ServerEvent> {
    this.text += piece;
    const lines = this.text.split(/\r\n|\n|\r(?!$)/);
    this.text = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') {
        if (this.fields.data) yield { ...this.fields, data: this.fields.data.slice(0, -1) };
        this.fields = { event: '', id: this.fields.id, data: '' };
      } else this.read(line);
    }
  }

  private read(line: string): void {
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') this.fields.data += `${value}\n`;
    else if (name === 'event' || name === 'id') this.fields[name] = value;
  }
}
