// A picture from a file, by drop or by paste. A pasted or dropped address is not fetched: not by the page, and not by
// the server, which would otherwise fetch from inside its own network for a stranger.

import { onLanguage, say } from './language.js';
import { isText } from './nodes.js';

export class Upload {
  constructor(root, { given, wrong, opened, limit }) {
    const find = (id) => root.querySelector('#' + id);
    Object.assign(this, { given, wrong, opened, limit });
    this.picture = find('picture');
    this.text = find('drop-text');
    this.name = find('file-name');
    this.input = find('file');
    this.shownName = null;
    this.listen(find('drop'));
    onLanguage(() => this.showName());
  }

  listen(drop) {
    this.input.addEventListener('change', () => {
      if (this.input.files.length) this.take(this.input.files[0]);
      this.input.value = ''; // the same file may be chosen again
    });
    // The whole page takes drops: a file that misses the frame would otherwise open in the browser and end the page.
    document.addEventListener('dragover', (event) => { event.preventDefault(); drop.classList.add('hw-over'); });
    document.addEventListener('dragleave', (event) => { if (!event.relatedTarget) drop.classList.remove('hw-over'); });
    document.addEventListener('drop', (event) => {
      event.preventDefault();
      drop.classList.remove('hw-over');
      this.takeFrom(event.dataTransfer);
    });
    document.addEventListener('paste', (event) => {
      if (isText(event.target)) return;
      this.takeFrom(event.clipboardData);
    });
  }

  takeFrom(transfer) {
    this.opened();
    const file = [...(transfer?.files ?? [])][0];
    if (file) this.take(file);
    else this.refuse(/^\s*(\w+:)?\/\//.test(textOf(transfer)) ? 'errorAddress' : 'errorNothing');
  }

  // The tab was opened again: the picture in the frame is asked about again.
  shown() {
    if (this.file) this.given(this.file);
  }

  // The name may be a function, of one that differs by language.
  take(file, name = file.name) {
    this.show(file, name || (() => say('pasted')));
    if (file.size > this.limit) return this.wrong('error413');
    this.file = file;
    this.given(file);
  }

  refuse(key) {
    this.clear();
    this.wrong(key);
  }

  show(file, name) {
    this.clear();
    this.address = URL.createObjectURL(file);
    this.picture.onload = () => { this.picture.hidden = false; this.text.hidden = true; };
    this.picture.src = this.address; // what the browser cannot show (TIFF) keeps the empty frame
    this.shownName = name;
    this.showName();
  }

  clear() {
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = this.shownName = this.file = null;
    this.picture.hidden = true;
    this.text.hidden = false;
    this.showName();
  }

  showName() {
    const name = typeof this.shownName === 'function' ? this.shownName() : this.shownName;
    this.name.textContent = name ?? say('formats');
    this.picture.alt = name ? say('uploaded', { name }) : '';
  }
}

const textOf = (transfer) => transfer?.getData('text/uri-list') || transfer?.getData('text/plain') || '';
