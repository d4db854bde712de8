// Requests to our own server. An error without `status` means that the server did not answer.

const PATIENCE = 30_000; // milliseconds

export async function get(path, values = {}) {
  return answered(await fetch(`${path}?${new URLSearchParams(values)}`, { signal: AbortSignal.timeout(PATIENCE) }));
}

export async function post(path, body) {
  const text = JSON.stringify(body);
  return answered(await fetch(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-HandWriter': 'review' },
    body: text,
    keepalive: text.length < 50_000, // a page that is closed just now still says it; browsers allow 64 kB
    signal: AbortSignal.timeout(PATIENCE),
  }));
}

async function answered(response) {
  if (response.ok) return response.json();
  let told = {};
  try { told = await response.json(); } catch { /* not ours */ }
  throw Object.assign(new Error([told.error, told.hint].filter(Boolean).join('; ') || response.statusText), { status: response.status });
}
