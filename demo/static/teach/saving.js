// Downloads: the pictures as a dataset, what was learned as a bundle.

import { onLanguage, say } from '../language.js';

export class Saving {
  constructor(root, work, notices) {
    const find = (id) => root.querySelector('#' + id);
    Object.assign(this, { work, notices, name: find('model-name'), bundle: find('save-bundle'), dataset: find('save-dataset') });
    this.bundle.addEventListener('click', () => this.save(this.bundle, 'bundle', this.wished));
    this.dataset.addEventListener('click', () => this.save(this.dataset, 'dataset', 'dataset'));
    this.name.value = 'taught';
    onLanguage(() => this.draw());
  }

  get wished() { return this.name.value.trim() || 'taught'; }

  draw() {
    this.dataset.disabled = this.work.count === 0;
    this.bundle.disabled = this.work.classes.filter((one) => one.samples.length > 1).length < 2;
  }

  async save(button, path, name) {
    button.disabled = true;
    try {
      const blob = await this.work.api.blob(path, path === 'bundle' ? { name } : undefined);
      const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(blob), download: `${name}.zip` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
      this.notices.say('saved', { name: link.download });
    } catch (error) {
      this.notices.say('notSaved', { text: [error.message, error.hint].filter(Boolean).join('; ') });
    } finally {
      this.draw();
    }
  }
}
