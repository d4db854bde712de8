// "That is wrong, it is a 7": gives a picture to the owner of the server, when the owner has asked for such. Nothing is
// sent before the button is pressed.

import { faultKey, post } from './ask.js';
import { labelName } from './groups.js';
import { onLanguage, say } from './language.js';
import { Opener, option, write } from './nodes.js';
import { MANY, find, searchField } from './search.js';

const NONE = ''; // none of the labels
const OWN_FAULTS = { 403: 'feedbackOff', 507: 'feedbackFull' };

export class Feedback {
  constructor(root, { model }) {
    const part = (id) => root.querySelector('#' + id);
    this.privacy = part('privacy');
    Object.assign(this, { model, button: part('wrong'), right: part('right'), note: part('wrong-note'), send: part('wrong-send') });
    this.form = part('wrong-panel');
    this.search = part('right-search');
    searchField(this.search, () => this.drawLabels());
    this.asked = this.said = this.noteKey = null;
    this.allowed = false;
    this.opener = new Opener(this.button, this.form, (open) => open && this.opened());
    this.form.addEventListener('submit', (event) => { event.preventDefault(); this.submit(); });
    this.right.addEventListener('change', () => { this.send.disabled = false; });
    onLanguage(() => this.speak());
  }

  allow(allowed) {
    this.allowed = allowed;
    if (allowed) this.privacy.dataset.text = 'privacyFeedback';
    this.privacy.textContent = say(this.privacy.dataset.text);
    this.draw();
  }

  // What the button would be about; a question that stands open belongs to the picture before and is closed.
  // While the camera is live it stays about the picture at which it was opened.
  offer(answer, { picture, settled, key }) {
    if (this.opener.open && settled && !key) return;
    if (!settled || answer.reason === 'blank') return this.clear();
    this.asked = { picture, model: this.model().name, said: answer.rejected ? NONE : answer.label, share: answer.probabilities };
    this.shut();
  }

  clear() {
    this.asked = null;
    this.shut();
  }

  shut() {
    if (this.opener.open) this.opener.set(false);
    this.draw();
  }

  draw() {
    this.button.hidden = !this.allowed;
    this.button.disabled = !this.asked;
  }

  // What was chosen stays chosen, if what is looked for finds it in this language, too.
  speak() {
    this.tell(this.noteKey);
    if (!this.opener.open || !this.asked) return;
    const { disabled } = this.send, chosen = this.chosen;
    this.drawLabels();
    const place = this.labels.indexOf(chosen);
    this.right.value = place >= 0 ? `label ${place}` : chosen === NONE ? 'none' : '';
    this.send.disabled = disabled || !this.right.value;
  }

  // The label that was chosen, NONE for none of them; undefined while nothing is.
  get chosen() { return this.right.value === 'none' ? NONE : this.labels[this.right.value.split(' ')[1]]; }

  tell(key) {
    this.noteKey = key;
    write(this.note, key ? say(key) : '');
  }

  opened() {
    this.search.hidden = this.model().labels.length <= MANY;
    this.search.value = '';
    this.drawLabels();
    this.tell(null);
    (this.search.hidden ? this.right : this.search).focus();
  }

  // All labels but the one that was said; of very many those that are looked for, else the likeliest.
  drawLabels() {
    const others = this.model().labels.filter((label) => label !== this.asked.said);
    this.labels = this.search.hidden ? others : find(others, this.asked.share, this.search.value);
    const none = this.asked.said === NONE ? [] : [option('none', say('rightNone'))];
    const ask = Object.assign(option('', say('rightAsk'), true), { disabled: true });
    this.right.replaceChildren(ask, ...this.labels.map((label, place) => option(`label ${place}`, labelName(label))), ...none);
    this.send.disabled = true;
  }

  async submit() {
    const { picture, model, said } = this.asked;
    const right = this.chosen;
    this.send.disabled = true;
    this.tell('feedbackSending');
    try {
      await post('feedback/', { file: picture, model, said, right });
      this.tell('feedbackThanks');
    } catch (error) {
      this.send.disabled = false;
      this.tell(OWN_FAULTS[error.status] ?? faultKey(error));
    }
  }
}
