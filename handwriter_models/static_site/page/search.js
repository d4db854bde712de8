// Labels looked up by a part of their name: of thousands nobody reads a list, and a page that makes a row or an option
// for each of them stands still. Up to MANY labels are listed; of more, those that a search finds, the likeliest first.

import { labelName } from './groups.js';
import { onLanguage, say } from './language.js';

export const MANY = 100, FOUND = 10;

// At most `most` of the labels whose name holds `text`: those that are it or begin with it, then the likeliest.
export function find(labels, share, text = '', most = FOUND) {
  const wanted = plain(text);
  const rows = []; // the best so far, in order: to sort all for the first ten takes milliseconds
  for (const label of labels) {
    const place = wanted ? placeIn(label, wanted) : 0, likely = share?.[label] ?? 0;
    if (place === 3 || (rows.length === most && !isBefore(place, likely, rows.at(-1)))) continue;
    let at = rows.length;
    while (at > 0 && isBefore(place, likely, rows[at - 1])) at -= 1;
    rows.splice(at, 0, { label, place, share: likely });
    rows.length = Math.min(rows.length, most);
  }
  return rows.map((row) => row.label);
}

const isBefore = (place, share, row) => place < row.place || (place === row.place && share > row.share);

// The field to search in; hidden where all labels are listed.
export function searchField(input, changed) {
  const name = () => {
    input.placeholder = say('findLabel');
    input.setAttribute('aria-label', say('findLabel'));
  };
  input.addEventListener('input', changed);
  input.addEventListener('keydown', (event) => event.key === 'Enter' && event.preventDefault()); // no form is sent by it
  onLanguage(name);
  name();
}

function placeIn(label, wanted) {
  return Math.min(...[label, labelName(label)].map((name) => {
    const at = plain(name).indexOf(wanted);
    return at < 0 ? 3 : at > 0 ? 2 : plain(name) === wanted ? 0 : 1;
  }));
}

const plain = (text) => text.normalize('NFKC').toLowerCase().trim();
