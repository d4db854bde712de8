// A model as a repository on the Hugging Face Hub, and as a Space that others can try: offered where the server says that
// this visitor may. The Recognise page publishes the model that reads, the Teach page what was taught.

import { onLanguage, say } from './language.js';
import { element, option, write } from './nodes.js';

const SPACES = ['', 'static', 'gradio'];

export class Publish {
  // `order()`: what is published, {model} or {session}; `able()`: whether there is something to publish; `ready(tell)`:
  // waits until all of it is on the server, and gives whether it is: else `tell(text)` has heard why not.
  constructor(part, { order, able = () => true, ready = async () => true }) {
    Object.assign(this, { part, order, able, ready, sending: false });
    this.title = element('summary');
    this.login = element('a');
    this.repo = field('text', 'publish-repo', 96);
    this.key = field('password', 'publish-key', 64);
    this.hidden = Object.assign(element('input'), { type: 'checkbox', id: 'publish-private' });
    this.hidden.setAttribute('role', 'switch');
    this.space = Object.assign(element('select'), { id: 'publish-space' });
    this.button = Object.assign(element('button', 'hw-tool hw-wide'), { type: 'submit', id: 'publish-send' });
    this.done = Object.assign(element('p'), { id: 'publish-done' });
    this.done.setAttribute('role', 'status');
    this.form = element('form', 'hw-row');
    this.form.addEventListener('submit', (event) => { event.preventDefault(); this.send(); });
    this.arrange();
    onLanguage(() => this.speak());
  }

  arrange() {
    const labelled = (control, kind) => {
      const label = element('label', kind), text = element('span');
      label.append(...(kind === 'hw-check' ? [control, text] : [text, control]));
      return Object.assign(label, { text });
    };
    this.labels = { repo: labelled(this.repo, 'hw-field'), key: labelled(this.key, 'hw-field'), space: labelled(this.space, 'hw-field'), hidden: labelled(this.hidden, 'hw-check') };
    this.repo.required = true;
    this.form.append(...Object.values(this.labels), this.button);
    this.part.append(this.title, this.login, this.form, this.done);
  }

  speak() {
    write(this.title, say('publishTitle'));
    write(this.login, say('publishLogin'));
    write(this.labels.repo.text, say('publishRepo'));
    write(this.labels.key.text, say('publishKey'));
    write(this.labels.hidden.text, say('publishPrivate'));
    write(this.labels.space.text, say('publishSpace'));
    write(this.button, say('publishSend'));
    const texts = [say('publishSpaceNone'), say('publishSpaceStatic'), say('publishSpaceGradio')];
    const chosen = this.space.value;
    this.space.replaceChildren(...SPACES.map((kind, place) => option(kind, texts[place], kind === chosen)));
    this.said?.();
  }

  // Says how it stands, now and again in another language.
  report(words) {
    this.said = words;
    words();
  }

  async load() {
    const response = await fetch(new URL('publish', document.baseURI)).catch(() => null);
    const terms = response?.ok ? await response.json() : {};
    this.part.hidden = !terms.who && !terms.login;
    this.form.hidden = !terms.who;
    this.labels.key.hidden = !terms.key;
    this.key.required = !!terms.key;
    this.login.hidden = !terms.login;
    if (terms.login) this.login.href = terms.login;
  }

  draw() { this.button.disabled = this.sending || !this.able(); }

  // What was published or refused was about another model.
  clear() { this.report(() => this.done.replaceChildren()); }

  async send() {
    this.sending = true;
    this.draw();
    try {
      if (await this.ready((text) => this.report(() => write(this.done, text)))) await this.post();
    } finally {
      this.sending = false;
      this.draw();
    }
  }

  async post() {
    this.report(() => write(this.done, say('publishing')));
    const order = { ...this.order(), repo: this.repo.value.trim(), private: this.hidden.checked, space: this.space.value };
    const headers = { 'Content-Type': 'application/json', ...(this.key.value && { 'X-Publish-Key': this.key.value.trim() }) };
    const response = await fetch(new URL('publish', document.baseURI), { method: 'POST', headers, body: JSON.stringify(order) }).catch(() => null);
    if (!response) return this.refused(() => say('errorOffline'));
    const told = await response.json().catch(() => ({}));
    if (response.ok) return this.report(() => this.tell([told.url, told.space?.url], told.space_error));
    return this.refused(() => [told.error, told.hint].filter(Boolean).join('; ') || say('errorOther'));
  }

  // The addresses as links. Only an address of the web becomes one. The model may be there and its Space not.
  tell(addresses, spaceError) {
    const lines = addresses.filter((url) => /^https?:\/\//.test(url ?? '')).map((url) => {
      const line = element('span', 'hw-line'), link = element('a', '', url);
      line.append(Object.assign(link, { href: url, target: '_blank', rel: 'noopener' }));
      return line;
    });
    if (spaceError) lines.push(element('span', 'hw-line hw-amiss', say('publishSpaceFailed', { text: spaceError })));
    this.done.replaceChildren(...lines);
  }

  refused(why) { this.report(() => write(this.done, say('notPublished', { text: why() }))); }
}

function field(type, id, maxLength) {
  return Object.assign(element('input'), { type, id, maxLength, autocomplete: 'off', spellcheck: false });
}
