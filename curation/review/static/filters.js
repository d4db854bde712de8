// Views and filters. They stand in the address, so that a page that is loaded again shows the same.

import { number, onLanguage, say } from './language.js';
import { make } from './make.js';

const NAMES = ['label', 'engine', 'flag', 'part', 'verdict'];
const ANY = { engine: 'anyEngine', flag: 'anyFlag', part: 'anyPart' };
const VERDICTS = { '': 'verdictUsual', open: 'verdictOpen', checked: 'verdictChecked', dropped: 'verdictDropped', all: 'verdictAll' };
const VIEWS = ['class', 'group', 'suspicion', 'restore'];
const FLAGS = { label: 'labelFlag', conflict: 'conflictFlag' };
const MOST_OPTIONS = 30, SUGGESTIONS = 15;

export class Filters {
  constructor(changed) {
    this.changed = changed;
    this.facets = { label: [], engine: [], flag: [], part: [] };
    const asked = new URLSearchParams(location.search);
    this.values = Object.fromEntries(['view', ...NAMES].map((name) => [name, asked.get(name) ?? '']));
    if (!VIEWS.includes(this.values.view)) this.values.view = 'class';
    if (!(this.values.verdict in VERDICTS)) this.values.verdict = '';
    this.inputs = Object.fromEntries(NAMES.map((name) => [name, document.querySelector(`#filter-${name}`)]));
    for (const name of NAMES) this.inputs[name].addEventListener('change', () => this.choose(name, this.inputs[name].value.trim()));
    this.inputs.label.addEventListener('input', () => this.suggest(this.inputs.label));
    this.inputs.label.addEventListener('focus', () => this.suggest(this.inputs.label));
    for (const button of document.querySelectorAll('[data-view]')) button.addEventListener('click', () => this.choose('view', button.dataset.view));
    onLanguage(() => this.draw());
  }

  get labels() { return this.facets.label.map(([name]) => name); }

  choose(name, value) {
    if (name === 'label' && value && !this.labels.includes(value)) value = this.labels.find((label) => label.includes(value)) ?? value;
    if (this.values[name] === value) return;
    this.values[name] = value;
    if (name === 'view') Object.assign(this.values, { verdict: '' });
    const asked = new URLSearchParams(Object.entries(this.values).filter(([, held]) => held));
    history.replaceState(null, '', `?${asked}`);
    this.draw();
    document.activeElement?.blur?.();
    this.changed();
  }

  nextView() { this.choose('view', VIEWS[(VIEWS.indexOf(this.values.view) + 1) % VIEWS.length]); }

  use(facets) { this.facets = facets; this.draw(); }

  suggest(input, list = document.querySelector('#labels')) {
    const typed = input.value.trim().toLocaleLowerCase();
    const found = this.labels.filter((label) => label.toLocaleLowerCase().includes(typed)).slice(0, SUGGESTIONS);
    list.replaceChildren(...found.map((label) => make('option', { value: label })));
  }

  draw() {
    for (const button of document.querySelectorAll('[data-view]')) button.setAttribute('aria-pressed', String(button.dataset.view === this.values.view));
    this.inputs.label.placeholder = say('anyLabel');
    this.inputs.label.value = this.values.label;
    for (const name of ['engine', 'flag', 'part']) {
      const choices = this.facets[name].slice(0, MOST_OPTIONS);
      const options = [make('option', { value: '' }, say(ANY[name])), ...choices.map(([value, count]) => make('option', { value }, `${this.word(name, value)} · ${number(count)}`))];
      this.inputs[name].replaceChildren(...options);
      this.inputs[name].value = this.values[name];
      this.inputs[name].hidden = !choices.length;
    }
    this.inputs.verdict.replaceChildren(...Object.entries(VERDICTS).map(([value, key]) => make('option', { value }, `${say('verdict')}: ${say(key)}`)));
    this.inputs.verdict.value = this.values.verdict;
  }

  word(name, value) {
    if (value === '-') return say('none');
    if (name === 'flag') return say(FLAGS[value] ?? value, { detail: '…' });
    return name === 'part' ? say(value) : value;
  }
}
