// Making and changing elements of the page, in one line each. Text goes in as text, never as HTML.

export function element(name, kind = '', text = '') {
  const node = document.createElement(name);
  if (kind) node.className = kind;
  node.textContent = text;
  return node;
}

// Only what differs is written: a screen reader and the browser's layout notice every write.
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function option(value, text, chosen = false) {
  return Object.assign(element('option', '', text), { value, selected: chosen });
}

// Whether what is typed there is text of its own, with its own undo and its own paste; or, of a field, also a list that
// letters and digits choose from.
export const isText = (node) => !!node?.closest?.('input:not([type=range], [type=radio], [type=checkbox], [type=file]), textarea');
export const isField = (node) => isText(node) || !!node?.closest?.('select');

// A button that opens and closes a part of the page; `changed(open)` is called after each change.
export class Opener {
  constructor(button, part, changed = () => {}) {
    Object.assign(this, { button, part, changed });
    button.addEventListener('click', () => this.set(part.hidden));
  }

  get open() { return !this.part.hidden; }

  set(open) {
    this.part.hidden = !open;
    this.button.setAttribute('aria-expanded', String(open));
    this.changed(open);
  }
}
