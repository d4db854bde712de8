// The answer: the winner in large, what to make of it, the bars in the order of the labels, the picture the network saw.
// Bars never change places, so that live answers can be followed by eye.

import { count, onLanguage, percent, say } from './language.js';

const SURE = 0.9, PERHAPS = 0.6;
const WAITING = { draw: 'blankDraw', upload: 'blankUpload', webcam: 'blankWebcam' };
const SPOKEN_AFTER = 700; // a screen reader should hear the answer, not every step towards it

export class Result {
  constructor(root) {
    const find = (id) => root.querySelector('#' + id);
    this.box = find('result');
    for (const id of ['winner', 'title', 'confidence', 'detail', 'seen', 'bars', 'time', 'spoken']) this[id] = find(id);
    this.labels = [];
    this.rows = new Map();
    this.shown = { state: 'blank', way: 'draw' };
    onLanguage(() => this.draw());
  }

  setLabels(labels) {
    if (labels.join('\n') === this.labels.join('\n')) return;
    this.labels = labels;
    this.digits = labels.length === 10 && labels.every((label, index) => label === String(index));
    this.rows = new Map(labels.map((label) => [label, row(label)]));
    this.bars.replaceChildren(...[...this.rows.values()].map((parts) => parts.item));
    this.bars.classList.toggle('hw-many', labels.length > 12);
    this.draw();
  }

  blank(way) { this.show({ state: 'blank', way }); }
  error(key, detail = '') { this.show({ state: 'error', key, detail }); }

  answer(answer, way) {
    if (answer.reason === 'blank') this.show({ state: 'blank', way, answer });
    else this.show({ state: answer.rejected ? 'rejected' : 'answer', answer });
    this.box.dataset.answers = Number(this.box.dataset.answers) + 1;
  }

  show(shown) {
    this.shown = shown;
    this.draw();
  }

  draw() {
    const { state, answer } = this.shown;
    this.box.dataset.state = state;
    const [winner, title, confidence, detail] = this.texts();
    write(this.winner, winner);
    write(this.title, title);
    write(this.confidence, confidence);
    write(this.detail, detail);
    this.winner.classList.toggle('hw-long', winner.length > 2);
    this.drawBars(state === 'answer' || state === 'rejected' ? answer : null);
    this.drawSeen(answer);
    this.speakLater(state === 'blank' ? '' : confidence ? say('spoken', { title, confidence }) : `${title}. ${detail}`);
  }

  // [winner, title, confidence, detail] of what is shown.
  texts() {
    const { state, way, answer, key, detail } = this.shown;
    if (state === 'error') return ['!', say('errorTitle'), '', [say(key), detail].filter(Boolean).join(' ')];
    if (state === 'rejected') {
      return ['?', say(this.digits ? 'notDigit' : 'notLabel'), '', say('nearest', { label: answer.label })];
    }
    if (state === 'answer') return this.answerTexts(answer);
    if (answer) return ['', say('blankSeen'), '', say(WAITING[way])];
    return ['', say(WAITING[way]), '', say(way === 'draw' ? 'blankDetail' : 'blankDetailOther')];
  }

  answerTexts({ label, confidence, probabilities }) {
    const second = Object.keys(probabilities).filter((other) => other !== label)
      .reduce((best, other) => (probabilities[other] > (probabilities[best] ?? -1) ? other : best), '');
    const key = confidence >= SURE ? 'sure' : confidence >= PERHAPS ? 'probably' : 'perhaps';
    const detail = key === 'sure' ? '' : say('perhapsDetail', { second });
    return [label, say(key, { label }), say('confidence', { percent: percent(confidence) }), detail];
  }

  drawBars(answer) {
    for (const [label, { item, meter, fill, value }] of this.rows) {
      const share = answer?.probabilities[label] ?? 0;
      item.dataset.probability = share;
      item.classList.toggle('hw-best', !!answer && label === answer.label && !answer.rejected);
      fill.style.setProperty('--share', share);
      meter.setAttribute('aria-valuenow', (share * 100).toFixed(1));
      meter.setAttribute('aria-valuetext', percent(share));
      write(value, answer ? percent(share) : '');
    }
  }

  drawSeen(answer) {
    this.seen.hidden = !answer;
    this.seen.alt = say('seenAlt');
    if (answer) this.seen.src = answer.seen;
    write(this.time, answer ? say('time', { inside: tenth(answer.milliseconds), outside: tenth(answer.there_and_back) }) : '');
  }

  speakLater(text) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => write(this.spoken, text), SPOKEN_AFTER);
  }
}

const tenth = (milliseconds) => count(Math.round(milliseconds * 10) / 10);

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function row(label) {
  const item = document.createElement('li');
  item.dataset.label = label;
  const name = part(item, 'hw-label', label);
  name.setAttribute('aria-hidden', 'true');
  const meter = part(item, 'hw-track', '');
  meter.setAttribute('role', 'meter');
  meter.setAttribute('aria-label', label);
  meter.setAttribute('aria-valuemin', '0');
  meter.setAttribute('aria-valuemax', '100');
  const fill = part(meter, 'hw-fill', '');
  const value = part(item, 'hw-value', '');
  value.setAttribute('aria-hidden', 'true');
  return { item, meter, fill, value };
}

function part(parent, name, text) {
  const node = document.createElement('span');
  node.className = name;
  node.textContent = text;
  parent.append(node);
  return node;
}
