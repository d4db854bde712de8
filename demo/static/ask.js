// Asks the server what a picture shows. While somebody draws there is a new picture at every move of the pen, so
// pictures are offered, and only the newest is sent: at most one every INTERVAL, one on its way at a time. The last one
// (`now`) never waits. An answer that is older than what is shown is dropped. A server that is slow to answer is busy
// with others: it is given twice the time that it needed, so that with many visitors the last pictures, which count,
// do not queue behind those that do not.

const INTERVAL = 120, LONGEST = 1000; // milliseconds; eight answers a second look alive and leave the server to others
const KNOWN_FAULTS = [400, 413, 415, 422, 429, 503];

export class Asker {
  // answered(answer, asked): `asked` is {picture, settled, key}; settled: the picture is finished for now.
  constructor({ model, answered, failed }) {
    Object.assign(this, { model, answered, failed });
    this.made = null; // makes the newest picture; kept so that another model can be asked about it
    this.key = null; // whose picture it is, for those who collect answers; null: nobody should
    this.sent = this.shown = this.open = 0;
    this.lastSent = -INTERVAL;
    this.pause = INTERVAL; // from one picture to the next
    this.timer = null;
  }

  offer(make, now = false, key = null) {
    this.made = make;
    this.key = key;
    if (now) this.send(true);
    else if (this.timer === null) this.timer = setTimeout(() => this.due(), Math.max(0, this.lastSent + this.pause - performance.now()));
  }

  repeat() {
    if (this.made) this.send(true);
  }

  // What is still on its way will not be shown.
  forget() {
    clearTimeout(this.timer);
    this.timer = this.made = this.key = null;
    this.shown = ++this.sent;
  }

  due() {
    this.timer = null;
    const wait = this.open > 0 ? 15 : this.lastSent + this.pause - performance.now();
    if (wait > 0) this.timer = setTimeout(() => this.due(), wait);
    else if (this.made) this.send(false);
  }

  async send(settled) {
    clearTimeout(this.timer);
    this.timer = null;
    const started = this.lastSent = performance.now();
    const number = ++this.sent;
    const key = this.key;
    this.open += 1;
    try {
      const picture = await this.made();
      const answer = await post('predict/', { file: picture, seen: '1', model: this.model() });
      if (number > this.shown) { this.shown = number; this.answered(answer, { picture, settled, key }); }
    } catch (error) {
      if (number > this.shown) { this.shown = number; this.failed(error); }
    } finally {
      this.open -= 1;
      this.pause = Math.min(LONGEST, Math.max(INTERVAL, 2 * (performance.now() - started)));
    }
  }
}

export class AskError extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

// The answer of one of our routes to a form of these fields (undefined ones are left out), and how long it took.
export async function post(path, fields) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof Blob) form.append(name, value, value.name || 'picture');
    else if (value !== undefined) form.append(name, value);
  }
  const started = performance.now();
  let response;
  try {
    response = await fetch(new URL(path, document.baseURI), { method: 'POST', body: form });
  } catch {
    throw new AskError(0, '');
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new AskError(response.status, body.error ?? '');
  return { ...body, there_and_back: performance.now() - started };
}

// The key of the text for what went wrong; a bug of ours is thrown on.
export function faultKey(error) {
  if (error.status === undefined) throw error;
  if (!error.status) return 'errorOffline';
  return KNOWN_FAULTS.includes(error.status) ? `error${error.status}` : 'errorOther';
}
