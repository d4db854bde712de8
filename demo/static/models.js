// The switch between models, with what is known about each. One model alone is shown without a switch.

import { count, language, onLanguage, percent, say } from './language.js';

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
    this.draw();
  }

  choose(name) {
    this.current = this.all.find((model) => model.name === name);
    this.drawAbout();
    this.chosen(this.current);
  }

  draw() {
    if (!this.current) return;
    this.box.replaceChildren(...this.all.map((model) => this.option(model)));
    this.drawAbout();
  }

  option(model) {
    const option = element('label', 'hw-option');
    const radio = Object.assign(element('input', ''), { type: 'radio', name: 'model', value: model.name });
    radio.checked = model === this.current;
    radio.addEventListener('change', () => this.choose(model.name));
    const facts = [model.accuracy && say('accuracyShort', { percent: share(model.accuracy) }), say('parameters', { count: count(model.parameters) })];
    option.append(radio, element('strong', '', model.name), element('span', '', facts.filter(Boolean).join(' · ')));
    return option;
  }

  drawAbout() {
    const model = this.current;
    const text = (model.description[language()] ?? model.description.en ?? '').replace(/([^.!?])$/, '$1.');
    const tested = model.accuracy && model.tested ? say('accuracy', { percent: share(model.accuracy), count: count(model.tested) }) + '. ' : '';
    const link = Object.assign(element('a', '', say('card')), { href: `models/${encodeURIComponent(model.name)}`, target: '_blank', rel: 'noopener' });
    this.about.replaceChildren(`${text} ${tested}${model.rejects ? '' : say('cannotRefuse') + ' '}`, link);
  }
}

// 99.96 % must not be rounded to 100 %.
const share = (accuracy) => new Intl.NumberFormat(language(), { style: 'percent', maximumFractionDigits: 2 }).format(Math.floor(accuracy * 1e4) / 1e4);

function element(name, kind, text = '') {
  const node = document.createElement(name);
  if (kind) node.className = kind;
  node.textContent = text;
  return node;
}
