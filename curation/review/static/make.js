// Elements, made of names, texts and other elements; a text is never read as HTML.

export function make(tag, attributes = {}, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...inside);
  return element;
}

// A link out of the page: only to the web, and the page there learns nothing of us.
export function link(address, text) {
  if (!/^https?:\/\//i.test(address)) return document.createTextNode(text);
  return make('a', { href: address, target: '_blank', rel: 'noreferrer noopener' }, text);
}

// A dialog that is in the page only while it is open; `label` is what a screen reader calls it.
export function dialog(id, label, closed, ...inside) {
  const element = make('dialog', { id, 'aria-label': label }, ...inside);
  element.addEventListener('close', () => { element.remove(); closed(); });
  element.addEventListener('click', (event) => { if (event.target === element) element.close(); });
  document.body.append(element);
  element.showModal();
  return element;
}
