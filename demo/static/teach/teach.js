// Puts the Teach page together: one place to show things, which is tried and taught from, and the cards of the classes.

import { Paper } from '../canvas.js';
import { onLanguage, say, startLanguage } from '../language.js';
import { isField, isText } from '../nodes.js';
import { Publish } from '../publish.js';
import { Tabs } from '../tabs.js';
import { Api } from './api.js';
import { Camera } from './camera.js';
import { Classes } from './classes.js';
import { Figure } from './figure.js';
import { Live } from './live.js';
import { Notices } from './notices.js';
import { shrunk } from './pictures.js';
import { Saving } from './saving.js';
import { Store } from './store.js';
import './texts.js';
import { cleanName, Work } from './work.js';

class Page {
  constructor(root, store) {
    this.root = root;
    this.find = (id) => root.querySelector('#' + id);
    this.work = new Work(new Api(), store, {
      changed: () => this.draw(),
      told: () => this.told(),
      refused: (errors) => this.notices.refused(errors),
      notTaught: (one) => this.notices.notTaught(one),
      wrong: (error) => this.notices.say('notSaved', { text: error.message }),
    });
    this.file = null;
    this.notices = new Notices(root, this.work, { kind: (kind) => this.changeKind(kind) });
    this.makeWays();
    this.makeClasses();
    this.figure = new Figure(root, this.work);
    this.saving = new Saving(root, this.work, this.notices, { opened: (archive) => this.open(archive) });
    this.publish = new Publish(this.find('publish'), {
      order: () => ({ session: this.work.api.session }),
      ready: (tell) => this.saving.ready(tell, 'notPublished'),
      able: () => this.work.classes.filter((one) => one.samples.length > 1).length > 1,
    });
    this.makeKinds();
    document.addEventListener('keydown', (event) => this.key(event));
    onLanguage(() => {
      document.title = `${say('title')} · HandWriter`;
      this.find('new-name').placeholder = say('newName');
      this.nameFile();
    });
  }

  makeWays() {
    const live = { teach: (one) => this.teach(one), release: () => this.camera.finish(), teaches: () => this.teaches() };
    this.live = new Live(this.root, this.work, live);
    this.paper = new Paper(this.root, { changed: (sheet) => this.live.offer(() => sheet.png()), emptied: () => this.live.empty() });
    this.camera = new Camera(this.root, { given: (frame) => this.live.offer(() => frame), kind: () => this.work.kind });
    this.tabs = new Tabs(this.root, (way) => this.opened(way));
    this.find('file').addEventListener('change', () => { this.show(this.find('file').files[0]); this.find('file').value = ''; });
    document.addEventListener('dragover', (event) => event.preventDefault());
    document.addEventListener('drop', (event) => { event.preventDefault(); this.given(event.dataTransfer.files[0]); });
    document.addEventListener('paste', (event) => { if (!isText(event.target)) this.show([...(event.clipboardData?.files ?? [])][0]); });
  }

  makeClasses() {
    this.classes = new Classes(this.root, this.work, {
      renamed: (one, name) => this.renamed(one, name),
      removeClass: (one) => this.notices.undoable('removedClass', { name: one.name }, this.work.removeClass(one)),
      removeSample: (one, sample) => this.notices.undoable('removedPicture', {}, this.work.removeSample(one, sample)),
      files: (one, files) => this.addFiles(one, files),
    });
    this.find('new-class').addEventListener('submit', (event) => {
      event.preventDefault();
      const name = this.free(this.find('new-name').value);
      if (!name) return;
      this.work.addClass(name);
      this.find('new-name').value = '';
    });
  }

  makeKinds() {
    for (const button of this.root.querySelectorAll('[data-kind]')) {
      button.addEventListener('click', () => this.changeKind(button.dataset.kind));
    }
    this.find('start-over').addEventListener('click', async () => {
      if (!this.work.count || (await this.notices.sure('sureText'))) this.startOver(this.work.kind);
    });
  }

  async changeKind(kind) {
    if (kind === this.work.kind || (this.work.count && !(await this.notices.sure('sureKind')))) return;
    this.startOver(kind);
  }

  async start() {
    await this.work.restore();
    if (!this.work.classes.length) this.firstClasses();
    this.useKind();
    this.draw();
    this.told();
    this.work.run();
    await this.publish.load();
    this.root.dataset.ready = 'true';
  }

  startOver(kind) {
    const names = this.work.kind === kind ? [] : this.work.classes.map((one) => one.name);
    this.forget(kind);
    for (const name of names) this.work.addClass(name);
    if (!names.length) this.firstClasses();
  }

  forget(kind) {
    this.work.startOver(kind);
    this.notices.clear();
    this.publish.clear();
    this.useKind();
    this.live.empty();
  }

  // The classes of an archive take the place of what is there, until something else takes theirs.
  async open({ kind, classes }) {
    this.forget(kind || this.work.kind);
    const { beginnings } = this.work;
    for (const { name, files } of classes) {
      const clean = cleanName(name);
      if (!this.work.named(clean)) this.work.addClass(clean);
      await this.addFiles(this.work.named(clean), files);
      if (beginnings !== this.work.beginnings) return;
    }
  }

  firstClasses() {
    for (const number of [1, 2]) this.work.addClass(say('firstName', { number }));
  }

  // Photographs are not drawn.
  useKind() {
    const ink = this.work.kind === 'handwriting';
    for (const button of this.root.querySelectorAll('[data-kind]')) button.setAttribute('aria-pressed', String(button.dataset.kind === this.work.kind));
    this.find('tab-draw').hidden = !ink;
    if (ink) this.camera.draw();
    else if (this.tabs.current === 'draw') this.tabs.open('camera');
  }

  opened(way) {
    this.live.empty();
    if (way !== 'camera') this.camera.stop();
    if (way === 'draw') this.paper.shown();
    if (way === 'file' && this.file) this.live.offer(() => this.file);
    this.live.draw();
  }

  // What a class's + does now.
  teaches() {
    if (this.tabs.current === 'camera') return this.camera?.on ? 'record' : '';
    if (this.tabs.current === 'file') return this.file ? 'add' : '';
    return this.paper?.strokes.now.length ? 'add' : '';
  }

  teach(one) {
    if (this.tabs.current === 'camera') return this.camera.record((frame, burst) => this.work.add(one, [frame], burst));
    if (this.tabs.current === 'file') {
      this.work.add(one, [this.file]);
      return this.showNothing();
    }
    this.work.add(one, [this.paper.sheet.png()]);
    return this.paper.clear();
  }

  async addFiles(one, files) {
    const { beginnings, kind } = this.work;
    for (const file of files) {
      const smaller = await shrunk(file, kind);
      if (beginnings !== this.work.beginnings) return;
      this.work.add(one, [smaller]);
    }
  }

  // A file that was dropped on the page: saved pictures, or one to try.
  given(file) { return /\.zip$/i.test(file?.name ?? '') ? this.saving.open(file) : this.show(file); }

  async show(file) {
    if (!file) return;
    this.tabs.open('file');
    this.file = await shrunk(file, this.work.kind);
    const picture = this.find('picture');
    URL.revokeObjectURL(picture.src);
    picture.onload = () => { picture.hidden = false; this.find('drop-text').hidden = true; };
    picture.src = URL.createObjectURL(this.file);
    this.nameFile();
    this.live.offer(() => this.file);
  }

  nameFile() { this.find('picture').alt = this.file ? say('shownFile') : ''; }

  showNothing() {
    this.file = null;
    this.find('picture').hidden = true;
    this.nameFile();
    this.find('drop-text').hidden = false;
    this.live.empty();
  }

  renamed(one, wish) {
    const name = cleanName(wish);
    if (name === one.name) return true;
    if (!this.free(name)) return false;
    this.work.rename(one, name);
    return true;
  }

  // The name, or '' with a message when a class has it.
  free(wish) {
    const name = cleanName(wish);
    if (this.work.named(name)) this.notices.say('nameTaken');
    return name && !this.work.named(name) ? name : '';
  }

  draw() {
    this.classes.draw();
    this.live.draw();
    this.figure.draw();
    this.saving.draw();
    this.publish.draw();
  }

  told() {
    this.live.told();
    this.figure.draw();
    this.notices.draw();
  }

  key(event) {
    if (isField(event.target) || event.altKey) return;
    const letter = event.key.toLowerCase();
    const one = !event.ctrlKey && !event.metaKey && /^[1-9]$/.test(event.key) && this.work.classes[Number(event.key) - 1];
    if (one && this.teaches() && !event.repeat) {
      this.teach(one);
      if (this.tabs.current === 'camera') addEventListener('keyup', () => this.camera.finish(), { once: true });
    } else if ((event.ctrlKey || event.metaKey) && letter === 'z' && !event.shiftKey) this.undo();
    else if ((event.ctrlKey || event.metaKey) && (letter === 'y' || letter === 'z')) this.paper.redo();
    else return;
    event.preventDefault();
  }

  // What was removed last comes back first; then strokes.
  undo() {
    if (!this.notices.undo() && this.tabs.current === 'draw') this.paper.undo();
  }
}

function useAskedTheme() {
  const theme = new URLSearchParams(location.search).get('__theme');
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
}

useAskedTheme();
const root = document.querySelector('#teach');
const page = new Page(root, await Store.open());
startLanguage(root, {});
await page.start();
