// Puts the page together: two ways in, one answer, and the models that lie beside it. Nothing is sent anywhere.

import { Asker } from './ask.js';
import { Paper } from './canvas.js';
import { speakOf, startLanguage } from './language.js';
import { Models } from './models.js';
import { PictureFault, pixelsOf } from './picture.js';
import { Reader } from './reader.js';
import { Result } from './result.js';
import { response } from './runtime.js';
import { Tabs } from './tabs.js';
import { Upload } from './upload.js';

const LIMIT = 20 * 2 ** 20; // bytes of a picture

class SiteModels extends Models {
  async load() {
    const names = await (await response('models.json')).json();
    const configs = names.map(async (name) => (await response(`models/${encodeURIComponent(name)}/config.json`)).json());
    this.all = await Promise.all(configs);
    this.readers = new Map(this.all.map((config) => [config.name, new Reader(config)]));
    this.current = this.all[0];
  }

  draw() {
    super.draw();
    this.about.querySelector('a')?.remove(); // the cards are in the models' own repositories
  }

  get reader() { return this.readers?.get(this.current.name) ?? null; }
}

class Page {
  constructor(root) {
    this.root = root;
    this.result = new Result(root);
    this.asker = new Asker({
      reader: () => this.models.reader,
      answered: (answer, settled) => this.result.answer(answer, this.tabs.current, settled),
      failed: (error) => this.failed(error),
    });
    this.tabs = new Tabs(root, (way) => this.opened(way));
    this.models = new SiteModels(root, { chosen: (chosen) => this.use(chosen) });
    this.paper = new Paper(root, {
      changed: (sheet, done) => this.asker.offer(() => pixelsOfSheet(sheet), done),
      emptied: () => this.waiting(),
    });
    this.upload = new Upload(root, {
      given: (file) => this.asker.offer(() => pixelsOf(file), true),
      wrong: (key) => this.wrong(key), limit: LIMIT, opened: () => this.tabs.open('upload'),
    });
    document.addEventListener('keydown', (event) => this.key(event));
  }

  // Drawing may begin at once; the first answer comes when the network is there.
  async load() {
    await this.models.load();
    this.use(this.models.current);
    this.models.draw();
    await this.models.reader.warmUp();
    this.root.querySelector('#loading').hidden = true;
  }

  // Another model reads. Photographs are not drawn with a pen.
  use(model) {
    const photos = model.preprocessing.name === 'photograph';
    const digits = model.labels.length === 10 && model.labels.every((label, index) => label === String(index));
    speakOf(photos ? 'Photos' : digits ? 'Digits' : '');
    this.tabs.offer('draw', !photos);
    this.result.setModel(model);
    if (photos && this.tabs.current === 'draw') this.tabs.open('upload');
    else this.asker.repeat();
  }

  // Each way starts from what it already holds.
  opened(way) {
    this.waiting();
    if (way === 'draw') this.paper.shown();
    if (way === 'upload') this.upload.shown();
  }

  waiting() {
    this.asker.forget();
    this.result.blank(this.tabs.current);
  }

  wrong(key) {
    this.waiting();
    this.result.error(key);
  }

  failed(error) {
    this.wrong(error instanceof PictureFault ? error.key : 'errorModel');
    if (!(error instanceof PictureFault)) console.error(error);
  }

  key(event) {
    const letter = event.key.toLowerCase();
    if (!(event.ctrlKey || event.metaKey) || event.altKey || this.tabs.current !== 'draw') return;
    if (letter === 'z') event.shiftKey ? this.paper.redo() : this.paper.undo();
    else if (letter === 'y') this.paper.redo();
    else return;
    event.preventDefault();
  }
}

const pixelsOfSheet = ({ canvas, context }) => context.getImageData(0, 0, canvas.width, canvas.height);

// A Space is shown in a frame whose address says light or dark.
function useAskedTheme() {
  const theme = new URLSearchParams(location.search).get('__theme');
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
}

async function start(root) {
  useAskedTheme();
  const page = new Page(root);
  startLanguage(root, { limit: LIMIT / 2 ** 20 });
  try {
    await page.load();
    root.dataset.ready = 'true';
  } catch (error) {
    page.failed(error);
  }
}

start(document.querySelector('.hw'));
