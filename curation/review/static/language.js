// The language of the page: the browser's at first, the reader's choice from then on; switching needs no reload.

import { TEXTS } from './texts.js';
import { recalled, remember } from './memory.js';

const KEY = 'handwriter-language';
const listeners = [];
let current = 'en';

export const onLanguage = (listener) => listeners.push(listener);
export const number = (value) => new Intl.NumberFormat(current).format(value);
export const has = (key) => key in TEXTS.en;

export function say(key, values = {}) {
  return (TEXTS[current][key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export function startLanguage(root) {
  const asked = recalled(KEY) ?? (navigator.languages ?? [navigator.language]).map((tag) => tag.slice(0, 2)).find((tag) => tag in TEXTS);
  for (const button of root.querySelectorAll('[data-language]')) {
    button.addEventListener('click', () => { remember(KEY, button.dataset.language); use(root, button.dataset.language); });
  }
  use(root, asked in TEXTS ? asked : 'en');
}

// Elements carry the key of their text; who makes text on the fly listens with `onLanguage`.
export function fill(root) {
  for (const node of root.querySelectorAll('[data-text]')) node.textContent = say(node.dataset.text);
  for (const node of root.querySelectorAll('[data-aria]')) node.setAttribute('aria-label', say(node.dataset.aria));
  for (const node of root.querySelectorAll('[data-tip]')) node.title = say(node.dataset.tip);
}

function use(root, name) {
  current = name;
  document.documentElement.lang = name;
  fill(root);
  for (const button of root.querySelectorAll('[data-language]')) {
    button.setAttribute('aria-pressed', String(button.dataset.language === name));
  }
  for (const listener of listeners) listener();
}
