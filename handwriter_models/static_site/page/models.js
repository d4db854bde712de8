// The switch between models, and what is known about the chosen one: what it reads, how often it is right and how sure
// that figure is. One model alone is shown without a choice.

import { labelName } from './groups.js';
import { count, language, onLanguage, percent, say } from './language.js';
import { element } from './nodes.js';

const LISTED = 60; // labels in words; of more the rest is counted

export class Models {
  constructor(root, { chosen }) {
    this.box = root.querySelector('#models');
    this.about = root.querySelector('#about');
    this.chosen = chosen;
    this.all = [];
    this.current = null;
    onLanguage(() => this.draw());
  }

  async load() {
    const response = await fetch(new URL('models', document.baseURI));
    this.all = await response.json();
    this.current = this.all.find((model) => model.default);
  }

  // Puts another model in charge; `chosen` is told.
  choose(name) {
    this.current = this.all.find((model) => model.name === name);
    this.chosen(this.current);
    this.draw();
  }

  draw() {
    if (!this.current) return;
    if (!this.box.children.length) this.box.replaceChildren(...this.all.map((model) => this.option(model)));
    for (const radio of this.box.querySelectorAll('input')) radio.checked = radio.value === this.current.name;
    for (const node of this.box.querySelectorAll('span')) node.textContent = share(Number(node.dataset.share));
    this.about.replaceChildren(element('p', '', this.description()), facts(this.current), card(this.current.name));
  }

  option(model) {
    const option = element('label', 'hw-option');
    const radio = Object.assign(element('input'), { type: 'radio', name: 'model', value: model.name });
    radio.addEventListener('change', () => this.choose(model.name));
    option.append(radio, element('strong', '', model.name));
    if (model.accuracy) {
      const figure = element('span');
      figure.dataset.share = model.accuracy;
      option.append(figure);
    }
    return option;
  }

  description() {
    const { description, rejects } = this.current;
    const text = (description[language()] ?? description.en ?? '').replace(/([^.!?])$/, '$1.');
    return `${text} ${rejects ? '' : say('cannotRefuse')}`.trim();
  }
}

function facts(model) {
  const list = element('dl', 'hw-facts');
  const add = (key, text) => text && list.append(element('dt', '', say(key)), element('dd', '', text));
  add('factRight', right(model));
  add('factCalibration', typeof model.ece === 'number' ? say('calibration', { points: points(model.ece) }) : '');
  add('factLabels', inWords(model.labels));
  add('factSize', say('parameters', { count: count(model.parameters) }));
  return list;
}

function right({ accuracy, tested, interval }) {
  if (!accuracy || !tested) return '';
  const said = say('accuracy', { percent: share(accuracy), count: count(tested) });
  return interval ? `${said} (${say('interval', { low: percent(interval[0]), high: percent(interval[1]) })})` : said;
}

function card(name) {
  return Object.assign(element('a', '', say('card')), { href: `models/${encodeURIComponent(name)}`, target: '_blank', rel: 'noopener' });
}

// 99.96 % must not be rounded to 100 %.
const share = (accuracy) => new Intl.NumberFormat(language(), { style: 'percent', maximumFractionDigits: 2 }).format(Math.floor(accuracy * 1e4 + 1e-9) / 1e4);
const points = (error) => new Intl.NumberFormat(language(), { maximumFractionDigits: 1 }).format(error * 100);

const PLAIN = /^[0-9a-z]$/i;

// "0–9, a–z": neighbours in the alphabet that everybody can count up are told by the first and the last of them.
function inWords(labels) {
  const all = runs(labels);
  const parts = all.slice(0, LISTED).map((run) => (run.length > 3 ? `${run[0]}–${run.at(-1)}` : run.map(labelName).join(' ')));
  const told = parts.join(labels.some((label) => [...label].length > 1) ? ', ' : ' ');
  return all.length > LISTED ? say('moreLabels', { labels: told, count: count(all.length - LISTED) }) : told;
}

function runs(labels) {
  const found = [];
  for (const label of labels) {
    const last = found.at(-1)?.at(-1);
    const follows = last && PLAIN.test(last) && PLAIN.test(label) && label.charCodeAt() === last.charCodeAt() + 1;
    follows ? found.at(-1).push(label) : found.push([label]);
  }
  return found;
}
