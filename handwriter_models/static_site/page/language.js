// The language of the page: the browser's at first, the reader's choice from then on. Switching needs no reload:
// elements carry the key of their text, and who makes text on the fly listens with `onLanguage`. Some texts differ by
// what is read (digits, any characters, photographs): a key with that word at its end wins over the plain key.

import { TEXTS } from './texts.js';

const KEY = 'handwriter-language';
const listeners = [];
const values = {};
const formats = new Map(); // to make one takes longer than to use it a hundred times
let current = 'en', subject = '', page = null;

const remembered = () => { try { return localStorage.getItem(KEY); } catch { return null; } }; // private mode throws
const remember = (name) => { try { localStorage.setItem(KEY, name); } catch { /* the choice lasts for this visit */ } };

export const language = () => current;
export const onLanguage = (listener) => listeners.push(listener);

export function say(key, extra = {}) {
  const known = { ...values, ...extra };
  const text = TEXTS[current][key + subject] ?? TEXTS[current][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => known[name] ?? whole);
}

// Never 100 %: a network that has seen some thousand pictures cannot be that sure, and rounding would say it.
export const percent = (share) =>
  format('percent', { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(Math.min(share, 0.999));
export const count = (number) => format('count', {}).format(number);

function format(name, options) {
  const key = `${current} ${name}`;
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(current, options));
  return formats.get(key);
}

export function startLanguage(root, fixed) {
  Object.assign(values, fixed);
  page = root;
  const asked = remembered() ?? (navigator.languages ?? [navigator.language]).map((tag) => tag.slice(0, 2)).find((tag) => tag in TEXTS);
  for (const button of root.querySelectorAll('[data-language]')) {
    button.addEventListener('click', () => { remember(button.dataset.language); use(button.dataset.language); });
  }
  use(asked in TEXTS ? asked : 'en');
}

// What is read: 'Digits', 'Photos' or '' for any characters.
export function speakOf(name) {
  if (name === subject) return;
  subject = name;
  if (page) use(current);
}

function use(name) {
  current = name;
  document.documentElement.lang = name;
  page.lang = name;
  for (const node of page.querySelectorAll('[data-text]')) node.textContent = say(node.dataset.text);
  for (const node of page.querySelectorAll('[data-aria]')) node.setAttribute('aria-label', say(node.dataset.aria));
  for (const node of page.querySelectorAll('[data-tip]')) node.title = say(node.dataset.tip);
  for (const button of page.querySelectorAll('[data-language]')) {
    button.setAttribute('aria-pressed', String(button.dataset.language === name));
  }
  for (const listener of listeners) listener();
}
