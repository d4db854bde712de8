// Asks the server what a picture shows. While somebody draws there is a new picture at every move of the pen, so
// pictures are offered, and only the newest is sent: at most one every INTERVAL, one on its way at a time. The last one
// (`now`) never waits. An answer that is older than what is shown is dropped.

const INTERVAL = 120; // milliseconds; eight answers a second look alive and leave the server to others

export class Asker {
  constructor({ model, answered, failed }) {
    Object.assign(this, { model, answered, failed });
    this.made = null; // makes the newest picture; kept so that another model can be asked about it
    this.sent = this.shown = this.open = 0;
    this.lastSent = -INTERVAL;
    this.timer = null;
  }

  offer(make, now = false) {
    this.made = make;
    if (now) this.send();
    else if (this.timer === null) this.timer = setTimeout(() => this.due(), Math.max(0, this.lastSent + INTERVAL - performance.now()));
  }

  repeat() {
    if (this.made) this.send();
  }

  // What is still on its way will not be shown.
  forget() {
    clearTimeout(this.timer);
    this.timer = this.made = null;
    this.shown = ++this.sent;
  }

  due() {
    this.timer = null;
    if (this.open > 0) this.timer = setTimeout(() => this.due(), 15);
    else if (this.made) this.send();
  }

  async send() {
    clearTimeout(this.timer);
    this.timer = null;
    this.lastSent = performance.now();
    const number = ++this.sent;
    this.open += 1;
    try {
      const answer = await ask(await this.made(), this.model());
      if (number > this.shown) { this.shown = number; this.answered(answer); }
    } catch (error) {
      if (number > this.shown) { this.shown = number; this.failed(error); }
    } finally {
      this.open -= 1;
    }
  }
}

export class AskError extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

async function ask(picture, model) {
  const form = new FormData();
  form.append('file', picture, picture.name || 'picture');
  form.append('seen', '1');
  if (model) form.append('model', model);
  const started = performance.now();
  let response;
  try {
    response = await fetch(new URL('predict/', document.baseURI), { method: 'POST', body: form });
  } catch {
    throw new AskError(0, '');
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new AskError(response.status, body.error ?? '');
  return { ...body, there_and_back: performance.now() - started };
}
