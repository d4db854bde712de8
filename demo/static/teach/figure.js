// How well it works, in words that promise no more than what was tested, and what would make it better.

import { count, onLanguage, percent, say } from '../language.js';
import { element, write } from '../nodes.js';

export class Figure {
  constructor(root, work) {
    const find = (id) => root.querySelector('#' + id);
    Object.assign(this, { work, box: find('estimate'), figure: find('figure'), text: find('figure-text'), learning: find('learning'), list: find('warnings') });
    onLanguage(() => this.draw());
  }

  draw() {
    const state = this.work.state, found = state?.estimate;
    this.box.dataset.version = found?.version ?? '';
    this.box.dataset.busy = String(!!state?.busy || this.work.unsent > 0);
    const [figure, text] = this.told(found);
    write(this.figure, figure);
    write(this.text, text);
    this.learning.hidden = this.box.dataset.busy === 'false';
    this.drawWarnings(state);
  }

  told(found) {
    if (!found) return [say('noEstimate'), say('noEstimateText')];
    const values = { right: count(found.right), count: count(found.of), low: percent(found.interval[0]), high: percent(found.interval[1]) };
    if (found.single.length === this.work.classes.filter((one) => one.id && one.samples.length > 1).length) return [say('tooAlike'), say('tooAlikeText', values)];
    return [this.share(found), say('estimateText', values)];
  }

  // Tenths, because forty pictures tell no more.
  share({ right, of, accuracy }) {
    return right === of ? say('allRight', { count: count(of) }) : say('tenth', { tenths: Math.min(9.5, Math.round(accuracy * 20) / 2) });
  }

  drawWarnings(state) {
    const texts = (state?.warnings ?? []).map((warning) => this.words(warning)).filter(Boolean);
    if (state?.fault) texts.unshift(say('fault', { text: state.fault }));
    if (!state) texts.push(say('few_classes'));
    if (this.list.dataset.texts === JSON.stringify(texts)) return;
    this.list.dataset.texts = JSON.stringify(texts);
    this.list.replaceChildren(...texts.map((text) => element('li', '', text)));
  }

  words({ code, classes, count: times, of }) {
    const names = classes.map((id) => this.work.known(id)?.name);
    if (names.includes(undefined)) return ''; // removed meanwhile
    return say(code, { names: names.join(', '), first: names[0], second: names[1], count: times, of });
  }
}
