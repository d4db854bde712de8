// Labels and groups of labels in the reader's language. A model with groups ("is it a digit or a letter?") shows them
// before its labels: the share of a group is that of its labels together.

import { onLanguage, percent, say } from './language.js';
import { element, write } from './nodes.js';

const KNOWN = { digit: 'groupDigit', letter: 'groupLetter', pattern: 'groupPattern', 'free pattern': 'labelPattern' };

// The name of a label or a group; those of strangers' models are shown as they are.
export const labelName = (label) => (Object.hasOwn(KNOWN, label) ? say(KNOWN[label]) : label);

export class Groups {
  constructor(list) {
    this.list = list;
    this.byLabel = {};
    this.parts = new Map();
    onLanguage(() => this.parts.forEach((parts, group) => write(parts.name, labelName(group))));
  }

  setGroups(byLabel) {
    this.byLabel = byLabel;
    this.parts = new Map([...new Set(Object.values(byLabel))].map((group) => [group, chip(group)]));
    this.list.hidden = !this.parts.size;
    this.list.replaceChildren(...[...this.parts.values()].map((parts) => parts.item));
  }

  show(answer) {
    const shares = this.shares(answer);
    for (const [group, { item, value }] of this.parts) {
      item.style.setProperty('--share', shares[group] ?? 0);
      item.classList.toggle('hw-best', group === answer?.category && !answer.rejected);
      write(value, answer ? percent(shares[group] ?? 0) : '');
    }
  }

  shares(answer) {
    const shares = {};
    if (!this.parts.size) return shares; // of thousands of labels the sum alone takes milliseconds
    for (const [label, share] of Object.entries(answer?.probabilities ?? {})) {
      const group = this.byLabel[label];
      if (group !== undefined) shares[group] = (shares[group] ?? 0) + share;
    }
    return shares;
  }
}

function chip(group) {
  const parts = { item: element('li', 'hw-chip'), name: element('span', '', labelName(group)), value: element('span', 'hw-value') };
  parts.item.dataset.group = group;
  parts.item.append(parts.name, parts.value);
  return parts;
}
