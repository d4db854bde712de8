// The keys, and the one place where somebody says who they are.

import { say } from './language.js';
import { dialog, make } from './make.js';
import { recalled, remember } from './memory.js';

const KEYS = [
  ['← → ↑ ↓', 'keyMove'], ['Home End PgUp PgDn', 'keyEnds'], ['Shift + ←→↑↓', 'keyExtend'], ['Space, X', 'keyDrop'], ['K', 'keyKeep'], ['A', 'keyAll'],
  ['1 … 9, 0', 'keyNumber'], ['L', 'keyBox'], ['Z', 'keyUndo'], ['Enter', 'keyOpen'], ['G', 'keyCompare'], ['O', 'keyOnly'],
  ['V', 'keyViews'], ['?', 'keyHelp'], ['Esc', 'keyEscape'],
];

export function openHelp(closed) {
  const list = make('dl', {});
  for (const [keys, text] of KEYS) list.append(make('dt', {}, make('kbd', {}, keys)), make('dd', {}, say(text)));
  const name = make('input', { id: 'who', maxlength: 60, autocomplete: 'off', dir: 'auto' });
  name.value = recalled('handwriter-reviewer-name') ?? '';
  name.addEventListener('input', () => remember('handwriter-reviewer-name', name.value.replace(/[\x00-\x1f\x7f]/g, '').trim() || null));
  const close = make('button', { class: 'quiet close', 'aria-label': say('close') }, '×');
  const element = dialog('keys', say('help'), closed, close, make('h1', {}, say('help')), list,
    make('label', { class: 'who' }, say('who'), name, make('span', { class: 'soft' }, say('whoHint'))), make('p', { class: 'soft' }, say('helpFoot')));
  close.addEventListener('click', () => element.close());
  close.focus();
  return element;
}
