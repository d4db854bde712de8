// What was taught, as a repository on the Hugging Face Hub: offered where the server says that this visitor may.

import { say } from '../language.js';
import { write } from '../nodes.js';

export class Publish {
  constructor(root, work) {
    const find = (id) => root.querySelector('#publish' + id);
    Object.assign(this, { work, part: find(''), login: find('-login'), link: find('-login-link'), form: find('-form'), repo: find('-repo'), key: find('-key'), keyField: find('-key-field'), hidden: find('-private'), button: find('-send'), done: find('-done') });
    this.form.addEventListener('submit', (event) => { event.preventDefault(); this.send(); });
  }

  async load() {
    const response = await fetch(new URL('publish', document.baseURI)).catch(() => null);
    const terms = response?.ok ? await response.json() : {};
    this.part.hidden = !terms.who && !terms.login;
    this.form.hidden = !terms.who;
    this.keyField.hidden = !terms.key;
    this.key.required = !!terms.key;
    this.login.hidden = !terms.login;
    if (terms.login) this.link.href = terms.login;
  }

  draw() {
    this.button.disabled = !!this.sending || this.work.classes.filter((one) => one.samples.length > 1).length < 2;
  }

  async send() {
    this.sending = true;
    this.draw();
    write(this.done, say('publishing'));
    const order = { repo: this.repo.value.trim(), session: this.work.api.session, private: this.hidden.checked };
    const headers = { 'Content-Type': 'application/json', ...(this.key.value && { 'X-Publish-Key': this.key.value.trim() }) };
    try {
      const response = await fetch(new URL('publish', document.baseURI), { method: 'POST', headers, body: JSON.stringify(order) });
      const told = await response.json();
      this.tell(response.ok ? told.url : '', [told.error, told.hint].filter(Boolean).join('; '));
    } catch {
      this.tell('', say('errorOffline'));
    } finally {
      this.sending = false;
      this.draw();
    }
  }

  // The address as a link, or what went wrong. Only an address of the web becomes a link.
  tell(url, wrong) {
    if (!/^https?:\/\//.test(url)) return write(this.done, say('notSaved', { text: wrong }));
    const link = Object.assign(document.createElement('a'), { href: url, textContent: url, target: '_blank', rel: 'noopener' });
    return this.done.replaceChildren(link);
  }
}
