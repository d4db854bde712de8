// The probabilities as bars. Up to FEW labels stand in their own order and never change places, so that live answers
// can be followed by eye. Of more labels the likeliest are shown: while the pen moves a label keeps its place as long as
// it is among them; when the picture is finished they are put in order. The others are in a part that opens: all of them,
// or, of more than MANY, what a search finds.

import { count, onLanguage, percent, say } from './language.js';
import { element, write } from './nodes.js';
import { labelName } from './groups.js';
import { MANY, find, searchField } from './search.js';

const FEW = 12, TOP = 5, TOP_OF_MANY = 10;
const NOTICED = 0.01; // a label that is less likely than this takes nobody's place
const TURN = { duration: 180, easing: 'ease-out' };
const calm = matchMedia('(prefers-reduced-motion: reduce)');

export class Bars {
  constructor(list, all, title) {
    Object.assign(this, { list, all, title });
    this.allList = all.querySelector('ol');
    this.search = all.querySelector('input');
    searchField(this.search, () => this.drawAll());
    this.labels = [];
    this.rows = new Map();
    this.allRows = null;
    all.addEventListener('toggle', () => this.drawAll());
    onLanguage(() => this.name());
  }

  setLabels(labels) {
    this.labels = labels;
    this.many = labels.length > FEW;
    this.search.hidden = labels.length <= MANY;
    this.search.value = '';
    this.top = this.search.hidden ? TOP : TOP_OF_MANY;
    this.rows = new Map();
    this.allRows = this.answer = null;
    this.allList.replaceChildren();
    this.all.hidden = !this.many;
    this.list.classList.toggle('hw-short', !this.many && labels.every((label) => label.length < 3));
    this.list.replaceChildren(...(this.many ? placeholders(this.top) : labels.map((label) => this.row(label).item)));
    this.name();
  }

  row(label) {
    if (!this.rows.has(label)) this.rows.set(label, row(label));
    return this.rows.get(label);
  }

  name() {
    write(this.title, say(this.search.hidden ? 'allLabels' : 'findLabels', { count: count(this.labels.length) }));
    for (const rows of [this.rows, this.allRows ?? []]) for (const [label, parts] of rows) rename(parts, label);
  }

  show(answer, settled) {
    this.answer = answer;
    if (this.many) this.choose(settled);
    for (const [label, parts] of this.rows) fill(parts, label, answer);
    this.drawAll();
  }

  choose(settled) {
    if (!this.answer) return this.list.replaceChildren(...placeholders(this.top));
    const share = this.answer.probabilities;
    const top = find(this.labels, share, '', this.top);
    const now = [...this.list.children].map((item) => item.dataset.label).filter((label) => label !== undefined);
    this.place(settled || !now.length ? top : kept(now, top, share, this.top));
  }

  place(labels) {
    const items = labels.map((label) => this.row(label).item);
    const before = [...this.list.children];
    if (items.length === before.length && items.every((item, index) => item === before[index])) return;
    const heights = new Map(before.map((item) => [item, item.offsetTop]));
    this.list.replaceChildren(...items);
    for (const item of calm.matches ? [] : items) {
      const moved = (heights.get(item) ?? item.offsetTop) - item.offsetTop;
      if (moved) item.animate([{ transform: `translateY(${moved}px)` }, { transform: 'none' }], TURN);
    }
  }

  // Rows are only made for those who look at them.
  drawAll() {
    if (!this.all.open || !this.many) return;
    const searched = !this.search.hidden;
    if (searched || !this.allRows) {
      const labels = searched ? find(this.labels, this.answer?.probabilities, this.search.value) : this.labels;
      const before = this.allRows ?? new Map();
      this.allRows = new Map(labels.map((label) => [label, before.get(label) ?? row(label)]));
      this.allList.replaceChildren(...(labels.length ? [...this.allRows.values()].map((parts) => parts.item) : [element('li', 'hw-none', say('findNone'))]));
    }
    for (const [label, parts] of this.allRows) fill(parts, label, this.answer);
  }
}

// The places of the shown labels: who is still among the likeliest stays, newcomers take the places of the others.
function kept(now, top, share, most) {
  const newcomers = top.filter((label) => !now.includes(label) && share[label] >= NOTICED);
  const places = now.map((label) => (top.includes(label) || !newcomers.length ? label : newcomers.shift()));
  return [...places, ...top.filter((label) => !places.includes(label))].slice(0, most);
}

const placeholders = (length) => Array.from({ length }, () => {
  const item = element('li', 'hw-empty');
  item.setAttribute('aria-hidden', 'true');
  item.append(element('span', 'hw-label'), element('span', 'hw-track'), element('span', 'hw-value'));
  return item;
});

function row(label) {
  const parts = { item: element('li'), name: element('span', 'hw-label'), meter: element('span', 'hw-track'), fill: element('span', 'hw-fill'), value: element('span', 'hw-value') };
  parts.item.dataset.label = label;
  for (const hidden of [parts.name, parts.value]) hidden.setAttribute('aria-hidden', 'true');
  for (const [key, value] of [['role', 'meter'], ['aria-valuemin', '0'], ['aria-valuemax', '100']]) parts.meter.setAttribute(key, value);
  parts.meter.append(parts.fill);
  parts.item.append(parts.name, parts.meter, parts.value);
  rename(parts, label);
  return parts;
}

function rename({ name, meter }, label) {
  write(name, labelName(label));
  meter.setAttribute('aria-label', labelName(label));
}

function fill({ item, meter, fill: bar, value }, label, answer) {
  const share = answer?.probabilities[label] ?? 0;
  item.dataset.probability = share;
  item.classList.toggle('hw-best', !!answer && label === answer.label && !answer.rejected);
  bar.style.setProperty('--share', share);
  meter.setAttribute('aria-valuenow', (share * 100).toFixed(1));
  meter.setAttribute('aria-valuetext', percent(share));
  write(value, answer ? percent(share) : '');
}
