// The last answers as a strip of small pictures. A picture that is answered again (one more stroke, another model)
// keeps one place. Everything is in the page's memory only and gone when it is closed.

import { labelName } from './groups.js';
import { onLanguage, say } from './language.js';
import { element, write } from './nodes.js';

const MOST = 10;
const SIDE = 112; // pixels of a small picture: twice its size on the page, for fine screens

export class History {
  constructor(root, { restore }) {
    this.part = root.querySelector('#history-part');
    this.list = root.querySelector('#history');
    this.restore = restore;
    this.entries = [];
    root.querySelector('#history-clear').addEventListener('click', () => this.clear());
    onLanguage(() => this.draw());
  }

  // An entry: {key, answer, picture, model, …}; the rest is for `restore`.
  async add(entry) {
    const place = this.entries.findIndex((known) => known.key === entry.key);
    if (place >= 0) this.entries.splice(place, 1);
    this.entries.unshift(entry);
    this.entries.length = Math.min(MOST, this.entries.length);
    entry.canvas = await thumbnail(entry.picture, entry.answer.seen);
    this.draw();
  }

  clear() {
    const inside = this.part.contains(document.activeElement);
    this.entries = [];
    this.draw();
    if (inside) document.querySelector('.hw [role=tab][aria-selected=true]').focus(); // its button is gone
  }

  draw() {
    const shown = this.entries.filter((entry) => entry.canvas);
    this.part.hidden = !shown.length;
    this.list.replaceChildren(...shown.map((entry) => this.item(entry)));
  }

  item(entry) {
    const { answer, model } = entry;
    const label = answer.rejected ? '?' : labelName(answer.label);
    const button = element('button', 'hw-thumb');
    button.type = 'button';
    button.setAttribute('aria-label', say('historyShow', { label: answer.rejected ? say('notLabel') : label, model }));
    const text = element('span', answer.rejected ? 'hw-refused' : '');
    write(text, label);
    button.append(entry.canvas, text);
    button.addEventListener('click', () => this.restore(entry));
    const item = element('li');
    item.append(button);
    return item;
  }
}

// The middle square of the picture; of what the browser cannot open (TIFF) what the network saw.
async function thumbnail(picture, seen) {
  const canvas = Object.assign(document.createElement('canvas'), { width: SIDE, height: SIDE });
  canvas.setAttribute('aria-hidden', 'true');
  const image = await createImageBitmap(picture).catch(() => decoded(seen));
  const side = Math.min(image.width, image.height);
  const context = canvas.getContext('2d');
  context.imageSmoothingQuality = 'high';
  context.drawImage(image, (image.width - side) / 2, (image.height - side) / 2, side, side, 0, 0, SIDE, SIDE);
  image.close?.();
  return canvas;
}

// Not by `fetch`: the policy of our pages lets a data URL be a picture and nothing else.
async function decoded(address) {
  const image = Object.assign(new Image(), { src: address });
  await image.decode();
  return image;
}
