// Downloads: the pictures as a dataset, what was learned as a bundle. Pictures that were saved can be opened again.

import { onLanguage, say } from '../language.js';
import { ApiError } from './api.js';
import { ArchiveError, readArchive } from './archive.js';
import { inWords } from './notices.js';

export class Saving {
  // `opened(archive)`: classes with pictures that take the place of what is there.
  constructor(root, work, notices, { opened }) {
    const find = (id) => root.querySelector('#' + id);
    const saved = find('saved-file');
    saved.addEventListener('change', () => { this.open(saved.files[0]); saved.value = ''; });
    Object.assign(this, { work, notices, opened, name: find('model-name'), bundle: find('save-bundle'), dataset: find('save-dataset') });
    this.under = new Set(); // the buttons whose download is being made
    this.opening = 0; // number of the newest file
    this.bundle.addEventListener('click', () => this.save(this.bundle, 'bundle', this.wished));
    this.dataset.addEventListener('click', () => this.save(this.dataset, 'dataset', 'dataset'));
    this.name.value = 'taught';
    onLanguage(() => this.draw());
  }

  get wished() { return this.name.value.trim() || 'taught'; }

  draw() {
    this.dataset.disabled = this.under.has(this.dataset) || this.work.count === 0;
    this.bundle.disabled = this.under.has(this.bundle) || this.work.classes.filter((one) => one.samples.length > 1).length < 2;
  }

  // Whether the server has all that is to be saved; else `tell` has heard why not, in the text `failed`.
  async ready(tell, failed) {
    const why = await this.work.sent((count) => tell(say('sending', { count })));
    if (why) tell(why === 'gone' ? '' : say(failed, { text: this.notices.because(why) }));
    return !why;
  }

  async save(button, path, name) {
    this.under.add(button);
    this.draw();
    try {
      if (await this.ready((text) => this.notices.tell(text), 'notSaved')) await this.download(path, name);
    } catch (error) {
      this.notices.say('notSaved', { text: inWords(error) });
    } finally {
      this.under.delete(button);
      this.draw();
    }
  }

  async download(path, name) {
    const blob = await this.work.api.blob(path, path === 'bundle' ? { name } : undefined);
    const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(blob), download: `${name}.zip` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    this.notices.say('saved', { name: link.download });
  }

  async open(file) {
    if (!file || (this.work.count && !(await this.notices.sure('sureOpen', 'openSaved')))) return;
    const number = (this.opening += 1), { beginnings } = this.work;
    try {
      const archive = await readArchive(file);
      if (number !== this.opening || beginnings !== this.work.beginnings) return;
      this.opened(archive);
      if (archive.others) this.notices.say('passedOver', { count: archive.others });
    } catch (error) {
      if (!(error instanceof ArchiveError || error instanceof ApiError)) throw error;
      this.notices.say('notOpened', { name: file.name, text: error instanceof ApiError ? inWords(error) : say(error.message) });
    }
  }
}
