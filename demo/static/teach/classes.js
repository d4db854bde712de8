// The cards of the classes: name, pictures, files, removal. Cards are kept while their class is there, so that typing a
// name is not disturbed by pictures that come in.

import { onLanguage, say } from '../language.js';
import { element, write } from '../nodes.js';

const SHOWN = 24; // pictures of a card that is not opened

export class Classes {
  constructor(root, work, { renamed, removeClass, removeSample, files }) {
    Object.assign(this, { work, renamed, removeClass, removeSample, files, cards: new Map() });
    this.list = root.querySelector('#classes');
    onLanguage(() => this.draw());
  }

  draw() {
    const { classes } = this.work;
    for (const one of classes) if (!this.cards.has(one.key)) this.cards.set(one.key, this.card(one));
    for (const [key, card] of this.cards) if (!classes.some((one) => one.key === key)) { card.item.remove(); this.cards.delete(key); }
    const items = classes.map((one) => this.cards.get(one.key).item);
    if (items.some((item, index) => this.list.children[index] !== item)) this.list.replaceChildren(...items);
    for (const [number, one] of classes.entries()) this.fill(one, number);
  }

  card(one) {
    const card = { item: element('li', 'hw-card ht-class'), name: element('input', 'ht-name'), count: element('span', 'ht-count'), up: button('↑'), files: element('label', 'hw-tool hw-wide'), remove: button('×'), wrong: element('p', 'ht-wrong'), pictures: element('ol', 'ht-pictures'), all: button(''), thumbs: new Map(), open: false };
    card.head = element('div', 'ht-head');
    card.fileText = element('span');
    card.input = Object.assign(element('input', 'hw-hidden'), { type: 'file', multiple: true, accept: 'image/*' });
    card.wrong.id = `wrong-${one.key}`;
    card.name.setAttribute('aria-describedby', card.wrong.id);
    Object.assign(card.name, { type: 'text', maxLength: 400, value: one.name, autocomplete: 'off' });
    card.all.className = 'ht-all';
    card.files.append(card.fileText, card.input);
    card.head.append(card.name, card.count, card.files, card.up, card.remove);
    card.item.append(card.head, card.wrong, card.pictures, card.all);
    this.listen(card, one);
    return card;
  }

  listen(card, one) {
    card.name.addEventListener('focus', () => card.name.select());
    card.name.addEventListener('change', () => { if (!this.renamed(one, card.name.value)) card.name.value = one.name; });
    card.name.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && !event.isComposing) card.name.blur();
      if (event.key === 'Escape') { card.name.value = one.name; card.name.blur(); }
    });
    card.input.addEventListener('change', () => { this.files(one, [...card.input.files]); card.input.value = ''; });
    card.remove.addEventListener('click', () => this.removeClass(one));
    card.up.addEventListener('click', () => { this.work.moveUp(one); card.up.focus(); });
    card.all.addEventListener('click', () => { card.open = true; this.draw(); });
    card.item.addEventListener('dragover', (event) => { event.preventDefault(); card.item.classList.add('hw-over'); });
    card.item.addEventListener('dragleave', (event) => { if (!card.item.contains(event.relatedTarget)) card.item.classList.remove('hw-over'); });
    card.item.addEventListener('drop', (event) => {
      event.preventDefault();
      event.stopPropagation();
      card.item.classList.remove('hw-over');
      this.files(one, [...event.dataTransfer.files]);
    });
  }

  fill(one, number) {
    const card = this.cards.get(one.key), count = one.samples.length;
    card.item.dataset.name = one.name;
    card.item.dataset.pictures = count;
    if (document.activeElement !== card.name) card.name.value = one.name;
    const labels = [[card.name, 'className', { number: number + 1 }], [card.up, 'up', one], [card.remove, 'removeClass', one], [card.input, 'addFiles', one]];
    for (const [node, key, values] of labels) node.setAttribute('aria-label', say(key, values));
    card.up.hidden = number === 0;
    write(card.fileText, say('files'));
    card.wrong.hidden = !one.refused;
    card.name.setAttribute('aria-invalid', String(!!one.refused));
    write(card.wrong, one.refused ? say(one.refused.why, one.refused) : '');
    write(card.count, count === 0 ? say('noPictures') : count === 1 ? say('onePicture') : say('pictures', { count }));
    this.fillPictures(card, one);
  }

  // The newest first; many are shown only when asked for.
  fillPictures(card, one) {
    const shown = [...one.samples].reverse().slice(0, card.open ? undefined : SHOWN);
    const keys = new Set(shown.map((sample) => sample.key));
    for (const [key, item] of card.thumbs) if (!keys.has(key)) { item.remove(); card.thumbs.delete(key); }
    for (const sample of shown) if (!card.thumbs.has(sample.key)) card.thumbs.set(sample.key, this.thumb(one, sample));
    const items = shown.map((sample) => card.thumbs.get(sample.key));
    if (items.some((item, index) => card.pictures.children[index] !== item)) card.pictures.replaceChildren(...items);
    for (const [index, sample] of shown.entries()) this.fillThumb(items[index], one, sample, one.samples.length - index);
    card.all.hidden = shown.length === one.samples.length;
    write(card.all, say('showAll', { count: one.samples.length }));
  }

  thumb(one, sample) {
    const item = element('li'), remove = button('');
    const picture = Object.assign(element('img'), { src: sample.address, alt: '', loading: 'lazy', decoding: 'async' });
    picture.addEventListener('error', () => item.classList.add('ht-unseen')); // a format that this browser cannot show
    remove.className = 'ht-thumb';
    remove.append(picture, element('span', '', '×'));
    remove.addEventListener('click', () => this.removeSample(one, sample));
    item.append(remove);
    return item;
  }

  fillThumb(item, one, sample, number) {
    item.classList.toggle('ht-waiting', !sample.id);
    item.firstChild.setAttribute('aria-label', say('removePicture', { number, name: one.name }));
  }
}

function button(text) {
  return Object.assign(element('button', 'hw-tool', text), { type: 'button' });
}
