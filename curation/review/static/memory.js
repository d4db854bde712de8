// What the browser keeps for us. A private window may refuse; then it lasts as long as the page.

export function recalled(key) {
  try { return localStorage.getItem(key); } catch { return null; }
}

export function remember(key, value) {
  try { value === null ? localStorage.removeItem(key) : localStorage.setItem(key, value); } catch { /* see above */ }
}

export function keys(prefix) {
  try { return Object.keys(localStorage).filter((key) => key.startsWith(prefix)); } catch { return []; }
}

export function randomName() {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

// Who judges: the name that somebody gave, or a random one that this browser keeps.
export function whoAmI() {
  const named = recalled('handwriter-reviewer-name');
  if (named) return named;
  const held = recalled('handwriter-reviewer') ?? `reviewer-${randomName().slice(0, 8)}`;
  remember('handwriter-reviewer', held);
  return held;
}
