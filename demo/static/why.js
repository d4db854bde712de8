// Why: where in the picture the evidence for a label lies, and which strokes carry it. It is asked for only while the
// part is open, only about finished pictures, and at most once in PAUSE: a live camera makes five pictures a second.

import { faultKey, post } from './ask.js';
import { labelName } from './groups.js';
import { onLanguage, percent, say } from './language.js';
import { Opener, option, write } from './nodes.js';
import { MANY, find, searchField } from './search.js';

const PAUSE = 600; // milliseconds

export class Why {
  constructor(root, { model }) {
    const part = (id) => root.querySelector('#' + id);
    this.model = model;
    this.search = part('why-search');
    searchField(this.search, () => this.drawLabels());
    for (const id of ['why-panel', 'why-label', 'why-note', 'why-heat', 'why-strokes', 'why-maps']) this[id.slice(4)] = part(id);
    this.strokesPart = this.strokes.closest('figure');
    this.picture = this.found = this.fault = null;
    this.waiting = this.again = false;
    this.number = 0; // of the newest question: an answer to one before it is not shown
    this.opener = new Opener(part('why'), this.panel, () => this.ask());
    this.label.addEventListener('change', () => this.ask());
    onLanguage(() => this.draw());
  }

  setModel() {
    this.label.replaceChildren();
    this.search.value = '';
    this.share = null;
    this.clear();
  }

  offer(answer, { picture, settled }) {
    this.maps.classList.add('hw-stale');
    if (!settled) return;
    this.share = answer.probabilities;
    this.picture = answer.reason === 'blank' ? null : picture;
    this.ask();
  }

  clear() {
    this.picture = this.found = this.fault = null;
    this.number += 1;
    this.draw();
  }

  async ask() {
    if (!this.opener.open) return;
    if (!this.picture) return this.draw();
    this.again = true;
    if (this.waiting) return;
    this.waiting = true;
    while (this.again && this.picture && this.opener.open) {
      this.again = false;
      const pause = new Promise((resolve) => setTimeout(resolve, PAUSE));
      const number = ++this.number;
      const answered = await this.answer();
      if (number === this.number) { Object.assign(this, answered); this.draw(); }
      await pause;
    }
    this.waiting = false;
  }

  async answer() {
    const label = this.label.value || undefined;
    try {
      return { found: await post('explain/', { file: this.picture, model: this.model().name, label }), fault: null };
    } catch (error) {
      return { found: null, fault: faultKey(error) };
    }
  }

  draw() {
    this.drawLabels();
    const { found, fault } = this;
    this.maps.hidden = !found || !found.label;
    this.maps.classList.remove('hw-stale');
    write(this.note, fault ? say(fault) : this.maps.hidden ? say('whyNothing') : this.support());
    if (this.maps.hidden) return;
    const label = labelName(found.label);
    this.heat.src = found.heat;
    this.heat.alt = say('heatAlt', { label });
    this.strokesPart.hidden = !found.strokes;
    if (found.strokes) this.strokes.src = found.strokes;
    this.strokes.alt = say('strokesAlt', { label });
  }

  drawLabels() {
    const chosen = this.label.value;
    const all = this.model()?.labels ?? [];
    this.search.hidden = all.length <= MANY;
    const found = this.search.hidden ? all : find(all, this.share, this.search.value);
    const labels = !chosen || found.includes(chosen) ? found : [chosen, ...found];
    this.label.replaceChildren(option('', say('whyAnswer')), ...labels.map((label) => option(label, labelName(label), label === chosen)));
  }

  // What the strokes say, in words: two may each suffice, or be needed both, so only the strongest one is named.
  support() {
    const { label, confidence, support } = this.found;
    const said = say('whyAbout', { label: labelName(label), percent: percent(confidence) });
    const most = Math.max(0, ...support);
    if (support.length < 2 || most < 0.01) return said;
    return `${said} ${say('whyStroke', { percent: percent(Math.max(0, confidence - most)) })}`;
  }
}
