// What the model that is being taught says of what is shown now: asked at most every INTERVAL, the newest picture only,
// and once more when it has learned something new. Bars stand in the order of the classes and never change places; each
// has the button that teaches its class.

import { onLanguage, percent, say } from '../language.js';
import { element, write } from '../nodes.js';

const INTERVAL = 120; // milliseconds
const SURE = 0.6;
const SPOKEN_AFTER = 700; // a screen reader should hear the answer, not every step towards it

export class Live {
  // `teach(one, event)`: the button of a class was used; `teaches()`: '' (nothing to add), 'add' or 'record'.
  constructor(root, work, { teach, release, teaches }) {
    const find = (id) => root.querySelector('#' + id);
    Object.assign(this, { work, teach, release, teaches, rows: new Map(), answer: null, make: null, learned: null });
    Object.assign(this, { box: find('answer'), verdict: find('verdict'), bars: find('bars'), keys: find('keys'), spoken: find('spoken') });
    this.open = false;
    this.timer = null;
    this.lastSent = -INTERVAL;
    onLanguage(() => this.draw());
  }

  // `make()` gives the picture when its turn comes.
  offer(make) {
    this.make = make;
    this.schedule();
  }

  empty() {
    this.make = this.answer = null;
    this.number = (this.number ?? 0) + 1;
    this.draw();
  }

  // The server has learned something new: what is shown is asked about again.
  told() {
    const learned = this.work.state?.learned ?? null;
    if (learned !== this.learned && learned !== null && this.make) this.schedule();
    if (learned === null) {
      this.answer = null;
      this.number = (this.number ?? 0) + 1; // an answer that is on its way is not about these classes
    }
    this.learned = learned;
    this.draw();
  }

  schedule() {
    this.draw();
    if (this.learned === null && this.work.state?.learned == null) return;
    this.due = true;
    if (!this.open) this.timer ??= setTimeout(() => this.ask(), Math.max(0, this.lastSent + INTERVAL - performance.now()));
  }

  async ask() {
    this.timer = null;
    if (!this.make || !this.work.api.session) return;
    this.lastSent = performance.now();
    this.due = false;
    this.open = true;
    const number = (this.number = (this.number ?? 0) + 1);
    try {
      const body = new FormData();
      body.append('file', await this.make(), 'picture');
      const answer = await this.work.api.post('predict', body);
      if (number === this.number) this.show(answer);
    } catch (error) {
      if (error.status === undefined) throw error; // no live answer is worth a message: the way to the server has its own
    } finally {
      this.open = false;
      if (this.due) this.schedule();
    }
  }

  show(answer) {
    this.answer = answer;
    this.draw();
    this.box.dataset.answers = Number(this.box.dataset.answers) + 1;
    clearTimeout(this.speaking);
    this.speaking = setTimeout(() => write(this.spoken, this.verdict.textContent), SPOKEN_AFTER);
  }

  draw() {
    this.place();
    const state = !this.answer ? 'empty' : this.answer.reason === 'blank' ? 'blank' : this.answer.rejected ? 'rejected' : 'answer';
    this.box.dataset.state = state;
    this.box.dataset.label = state === 'answer' ? this.work.known(this.answer.id)?.name ?? '' : '';
    write(this.verdict, this.words(state));
    const { unsent, classes } = this.work;
    this.keys.dataset.key = unsent > 3 ? 'sending' : 'keyHelp';
    write(this.keys, classes.length ? say(this.keys.dataset.key, { count: unsent }) : '');
    for (const [number, one] of this.work.classes.entries()) this.fill(one, number, state);
  }

  words(state) {
    if (state === 'empty') return say(this.learned === null ? 'nothingYet' : 'showSomething');
    if (state === 'blank') return say('waitingInk');
    const name = this.work.known(this.answer.id)?.name ?? this.answer.label;
    if (state === 'rejected') return `${say('neither')}: ${say('nearestTeach', { name })}`;
    return this.answer.confidence >= SURE ? say('verdict', { name, percent: percent(this.answer.confidence) }) : say('unsure', { name });
  }

  // A row for each class, in order; rows are kept, so that a held button stays the same one.
  place() {
    const keys = this.work.classes.map((one) => one.key);
    for (const one of this.work.classes) if (!this.rows.has(one.key)) this.rows.set(one.key, this.row(one));
    for (const [key, parts] of this.rows) if (!keys.includes(key)) { parts.item.remove(); this.rows.delete(key); }
    const items = keys.map((key) => this.rows.get(key).item);
    if (items.some((item, index) => this.bars.children[index] !== item)) this.bars.replaceChildren(...items);
  }

  row(one) {
    const parts = { item: element('li'), name: element('span', 'hw-label'), meter: element('span', 'hw-track'), fill: element('span', 'hw-fill'), value: element('span', 'hw-value'), add: element('button', 'hw-tool ht-add', '+') };
    for (const hidden of [parts.name, parts.value]) hidden.setAttribute('aria-hidden', 'true');
    for (const [key, value] of [['role', 'meter'], ['aria-valuemin', '0'], ['aria-valuemax', '100']]) parts.meter.setAttribute(key, value);
    parts.add.type = 'button';
    parts.meter.append(parts.fill);
    parts.item.append(parts.name, parts.meter, parts.value, parts.add);
    this.listen(parts.add, one);
    return parts;
  }

  // A press adds what is shown; with the camera it records for as long as it is held, also by key.
  listen(button, one) {
    const hold = (event) => { if (this.teaches() === 'record') { event.preventDefault(); button.focus({ preventScroll: true }); this.teach(one); } };
    button.addEventListener('pointerdown', (event) => { if (!event.button) hold(event); });
    button.addEventListener('keydown', (event) => { if (event.key === ' ' || event.key === 'Enter') hold(event); });
    for (const name of ['pointerup', 'pointercancel', 'pointerleave', 'keyup', 'blur']) button.addEventListener(name, () => this.release());
    button.addEventListener('click', () => { if (this.teaches() === 'add') this.teach(one); });
    button.addEventListener('contextmenu', (event) => event.preventDefault());
  }

  fill(one, number, state) {
    const { item, name, meter, fill, value, add } = this.rows.get(one.key);
    const share = state === 'answer' || state === 'rejected' ? this.answer.classes.find((row) => row.id === one.id)?.probability ?? 0 : 0;
    item.dataset.label = one.name;
    item.dataset.probability = share;
    item.classList.toggle('hw-best', state === 'answer' && one.id === this.answer.id);
    write(name, one.name);
    fill.style.setProperty('--share', share);
    meter.setAttribute('aria-label', one.name);
    meter.setAttribute('aria-valuenow', (share * 100).toFixed(1));
    meter.setAttribute('aria-valuetext', percent(share));
    write(value, state === 'answer' || state === 'rejected' ? percent(share) : '');
    const way = this.teaches();
    add.disabled = !way;
    add.dataset.number = number + 1;
    add.setAttribute('aria-label', say(way === 'record' ? 'recordTo' : 'addTo', { name: one.name }));
    add.title = add.getAttribute('aria-label');
  }
}
