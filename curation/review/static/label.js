// The box in which a class is typed.

import { number, say } from './language.js';
import { dialog, make } from './make.js';
import { remember } from './memory.js';

export function askForLabel(count, filters, given, closed) {
  const list = make('datalist', { id: 'box-labels' }); // a list outside the dialog would lie behind it
  const input = make('input', { list: 'box-labels', autocomplete: 'off', maxlength: 400, dir: 'auto', 'aria-label': say('newLabel') });
  const form = make('form', { method: 'dialog' }, make('label', {}, say('newLabel'), ' · ', say('selected', { count: number(count) })), input, list,
    make('button', { class: 'main' }, say('apply')));
  dialog('relabel', say('newLabel'), closed, form);
  const suggest = () => filters.suggest(input, list);
  input.addEventListener('input', suggest);
  form.addEventListener('submit', () => {
    const label = input.value.normalize('NFC').trim();
    if (!label) return;
    remember('handwriter-last-label', label);
    given(label);
  });
  suggest();
  input.focus();
}
