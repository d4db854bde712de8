// One model's answer: the winner in large, what to make of it, its group, the bars, the picture the network saw.
// There may be two of them side by side (compare.js); `prefix` tells their elements apart.

import { Bars } from './bars.js';
import { Groups, labelName } from './groups.js';
import { count, onLanguage, percent, say } from './language.js';
import { write } from './nodes.js';
import { find } from './search.js';

const SURE = 0.9, PERHAPS = 0.6;
const CALIBRATED = 0.05; // up to this calibration error "so many of 100" may be said
const WAITING = { draw: 'blankDraw', upload: 'blankUpload', webcam: 'blankWebcam' };
const SPOKEN_AFTER = 700; // a screen reader should hear the answer, not every step towards it

export class Result {
  constructor(root, prefix = '') {
    const find = (id) => root.querySelector(`#${prefix}${id}`);
    this.box = find('result');
    for (const id of ['who', 'winner', 'group', 'title', 'confidence', 'detail', 'seen', 'time', 'spoken']) this[id] = find(id);
    this.bars = new Bars(find('bars'), find('all'), find('all-title'));
    this.groups = new Groups(find('groups'));
    this.model = null;
    this.shown = { state: 'blank', way: 'draw' };
    onLanguage(() => this.draw());
  }

  // What is shown stays where the labels do: the new model's answer to it is a moment away.
  setModel(model) {
    const same = model.labels.join('\n') === this.model?.labels.join('\n');
    this.model = model;
    if (same) return this.draw();
    this.bars.setLabels(model.labels);
    this.groups.setGroups(model.groups ?? {});
    this.show({ state: 'blank', way: this.shown.way ?? 'draw' });
  }

  // Which model it is, where there are two.
  nameIt(shown) {
    this.who.hidden = !shown;
    this.draw();
  }

  blank(way) { this.show({ state: 'blank', way }); }
  error(key) { this.show({ state: 'error', key, way: this.shown.way }); }

  answer(answer, way, settled) {
    const state = answer.reason === 'blank' ? 'blank' : answer.rejected ? 'rejected' : 'answer';
    this.show({ state, way, answer, settled });
    this.box.dataset.answers = Number(this.box.dataset.answers) + 1;
  }

  show(shown) {
    this.shown = shown;
    this.draw();
  }

  draw() {
    const { state, answer, settled } = this.shown;
    this.box.dataset.state = state;
    const [winner, title, confidence, detail] = this.texts();
    write(this.who, this.model?.name ?? '');
    write(this.winner, winner);
    write(this.title, title);
    write(this.confidence, confidence);
    write(this.detail, detail);
    this.winner.style.setProperty('--letters', Math.max(2, ...winner.split(' ').map(width)));
    const told = state === 'answer' || state === 'rejected' ? answer : null;
    this.drawGroup(told);
    this.bars.show(told, settled);
    this.drawSeen(answer);
    this.speakLater([title, confidence].filter(Boolean).join(', '), detail);
  }

  drawGroup(answer) {
    this.groups.show(answer);
    const group = answer && !answer.rejected && answer.category;
    this.group.hidden = !group;
    write(this.group, group ? labelName(group) : '');
  }

  // [winner, title, confidence, detail] of what is shown.
  texts() {
    const { state, way, answer, key } = this.shown;
    if (state === 'error') return ['!', say('errorTitle'), '', say(key)];
    if (state === 'rejected') return ['?', say('notLabel'), '', say('nearest', { label: labelName(answer.label) })];
    if (state === 'answer') return this.answerTexts(answer);
    if (answer) return ['', say('blankSeen'), '', say(WAITING[way])];
    return ['', say(WAITING[way]), '', say(way === 'draw' ? 'blankDetail' : 'blankDetailOther')];
  }

  answerTexts({ label, confidence, probabilities }) {
    const second = find(this.model.labels, probabilities, '', 2).find((other) => other !== label);
    const sure = labelName(label).length > 2 ? 'sureWord' : 'sure';
    const key = confidence >= SURE ? sure : confidence >= PERHAPS ? 'probably' : 'perhaps';
    const detail = [key !== sure && second && say('perhapsDetail', { second: labelName(second) }), this.inWords(confidence)];
    return [labelName(label), say(key, { label: labelName(label) }), say('confidence', { percent: percent(confidence) }), detail.filter(Boolean).join(' ')];
  }

  // What a confidence means, for models whose confidence was compared with how often they are right.
  inWords(confidence) {
    if (typeof this.model?.ece !== 'number' || this.model.ece > CALIBRATED) return '';
    return say('ofHundred', { right: Math.min(99, Math.round(confidence * 100)) });
  }

  drawSeen(answer) {
    this.seen.hidden = !answer;
    this.seen.alt = say('seenAlt');
    if (answer && this.seen.src !== answer.seen) this.seen.src = answer.seen;
    this.seen.classList.toggle('hw-photo', this.model?.kind === 'photographs');
    write(this.time, answer ? say('time', { inside: tenth(answer.milliseconds), outside: tenth(answer.there_and_back) }) : '');
  }

  speakLater(title, detail) {
    clearTimeout(this.timer);
    const { state } = this.shown;
    const text = state === 'blank' ? '' : state === 'answer' ? title : `${title}. ${detail}`;
    const who = text && !this.who.hidden ? `${this.model.name}: ` : '';
    this.timer = setTimeout(() => write(this.spoken, who + text), SPOKEN_AFTER);
  }
}

// How wide a word is, in Latin letters: Hangul and its like take two.
const width = (word) => [...word].reduce((sum, letter) => sum + (letter > '\u2e80' ? 1.7 : 1), 0);
const tenth = (milliseconds) => count(Math.round(milliseconds * 10) / 10);
