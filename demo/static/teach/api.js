// Talks to the server: the session's name in a header, patience when the server is busy, one kind of error.

const HEADER = 'X-Teach-Session';
const PIECE = 30_000; // characters of a question, about half of what the server takes
const PATIENCE = 5; // tries when the server says that it is busy

export class ApiError extends Error {
  constructor(status, error, hint) {
    super(error);
    Object.assign(this, { status, hint });
  }
}

export class Api {
  constructor() { this.session = null; }

  get(path) { return this.send('GET', path); }
  post(path, body) { return this.send('POST', path, body); }

  async send(method, path, body) {
    const response = await this.request(method, path, body);
    return response.status === 204 ? null : response.json().catch(() => { throw new ApiError(0, '', ''); }); // cut short
  }

  // Whether each of these files is a picture by its name or its first bytes: [{path, inside?, head?}] in pieces that the
  // server takes.
  async arePictures(files) {
    const said = [];
    for (let rest = files; rest.length;) {
      let count = 0, size = 0;
      while (count < rest.length && (!count || size < PIECE)) size += 2 * rest[count].path.length + (rest[count++].head?.length ?? 0) + 50;
      said.push(...(await this.post('pictures', { files: rest.slice(0, count) })).pictures);
      rest = rest.slice(count);
    }
    return said;
  }

  // The bytes of a download, as a Blob.
  async blob(path, body) {
    return (await this.request('POST', path, body)).blob();
  }

  // Ends a session that nobody wants any more; the server would else keep it for an hour.
  end(session) {
    this.request('DELETE', 'session', undefined, session).catch(() => {});
  }

  // What is tried again later is still meant for the session of the first time.
  async request(method, path, body, session = this.session, times = PATIENCE) {
    const response = await this.fetch(method, path, body, session);
    if ((response.status === 429 || response.status === 503) && times > 1 && response.headers.has('Retry-After')) {
      await new Promise((resolve) => setTimeout(resolve, 1000 * Math.min(10, Number(response.headers.get('Retry-After')) || 1)));
      return this.request(method, path, body, session, times - 1);
    }
    if (!response.ok) throw await failure(response);
    return response;
  }

  async fetch(method, path, body, session) {
    const form = body instanceof FormData;
    const headers = { ...(session && { [HEADER]: session }), ...(body && !form && { 'Content-Type': 'application/json' }) };
    try {
      return await fetch(new URL(`teach/api/${path}`, document.baseURI), { method, headers, body: form || !body ? body : JSON.stringify(body) });
    } catch {
      throw new ApiError(0, '', '');
    }
  }
}

async function failure(response) {
  const body = await response.json().catch(() => ({}));
  return new ApiError(response.status, body.error ?? '', body.hint ?? '');
}

export function form(files, fields = {}) {
  const made = new FormData();
  for (const file of files) made.append('file', file, file.name || 'picture');
  for (const [name, value] of Object.entries(fields)) made.append(name, value);
  return made;
}
