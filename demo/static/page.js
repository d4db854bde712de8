// Puts the page together: three ways in, one answer. Gradio calls `start` once its component is in the document.

import { Asker, faultKey } from './ask.js';
import { Paper } from './canvas.js';
import { Compare } from './compare.js';
import { Examples } from './examples.js';
import { Feedback } from './feedback.js';
import { History } from './history.js';
import { onLanguage, say, speakOf, startLanguage } from './language.js';
import { Models } from './models.js';
import { isField } from './nodes.js';
import { Publish } from './publish.js';
import { Result } from './result.js';
import { Tabs } from './tabs.js';
import { Upload } from './upload.js';
import { Webcam } from './webcam.js';
import { Why } from './why.js';

export async function start(element, { limit }) {
  const root = element.querySelector('.hw');
  useAskedTheme();
  const page = new Page(root, limit);
  startLanguage(root, { limit: Math.floor(limit / 2 ** 20) });
  root.querySelector('#curl').textContent = `curl -F file=@seven.png ${new URL('predict/', document.baseURI)}`;
  await page.load();
  root.dataset.ready = 'true';
}

// A Space is shown in a frame whose address says light or dark.
function useAskedTheme() {
  const theme = new URLSearchParams(location.search).get('__theme');
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
}

class Page {
  constructor(root, limit) {
    this.root = root;
    this.drawing = {}; // who it is that is drawn: another one after the paper was blank
    const model = () => this.models.current;
    this.result = new Result(root);
    this.compare = new Compare(root, { result: this.result, way: () => this.tabs.current });
    this.why = new Why(root, { model });
    this.feedback = new Feedback(root, { model });
    this.asker = new Asker({
      model: () => model()?.name,
      answered: (answer, asked) => this.answered(answer, asked),
      failed: (error) => this.wrong(faultKey(error), false),
    });
    this.tabs = new Tabs(root, (way) => this.opened(way));
    this.models = new Models(root, { chosen: (chosen) => { this.use(chosen); this.asker.repeat(); } });
    this.history = new History(root, { restore: (entry) => this.restore(entry) });
    this.publish = new Publish(root.querySelector('#publish'), { order: () => ({ model: model()?.name }) });
    this.makeWays(root, limit);
    document.addEventListener('keydown', (event) => this.key(event));
    onLanguage(() => { document.title = 'HandWriter'; });
  }

  makeWays(root, limit) {
    const wrong = (key) => this.wrong(key);
    const waiting = () => { this.drawing = {}; this.asker.forget(); this.blank(this.tabs.current); };
    this.paper = new Paper(root, {
      changed: (sheet, done) => this.asker.offer(() => sheet.png(), done, this.drawing),
      emptied: waiting,
    });
    const given = (picture) => {
      if (this.asker.key !== picture) this.asker.forget(); // an answer on its way is about the picture before
      this.asker.offer(() => picture, true, picture);
    };
    this.upload = new Upload(root, { given, wrong, limit, opened: () => this.tabs.open('upload') });
    this.webcam = new Webcam(root, {
      given: (picture, snapshot) => this.asker.offer(() => picture, true, snapshot ? picture : null), wrong, waiting,
    });
    this.examples = new Examples(root, {
      write: (example) => this.paper.write(example.strokes, example.width),
      open: (file, name) => { this.tabs.open('upload'); this.upload.take(file, name); },
    });
  }

  async load() {
    const [settings] = await Promise.all([settled(), this.models.load(), this.examples.load(), this.publish.load()]);
    this.use(this.models.current);
    this.models.draw();
    this.feedback.allow(settings.feedback === true);
    this.root.querySelector('#teach-link').hidden = settings.teach !== true;
  }

  // Another model reads. Photographs are not drawn with a pen.
  use(model) {
    const photos = model.kind === 'photographs';
    const digits = model.labels.length === 10 && model.labels.every((label, index) => label === String(index));
    speakOf(photos ? 'Photos' : digits ? 'Digits' : '');
    this.tabs.offer('draw', !photos);
    this.examples.setModel(model);
    this.result.setModel(model);
    this.compare.setModels(this.models.all, model);
    this.why.setModel();
    this.publish.clear();
    this.feedback.clear();
    if (photos && this.tabs.current === 'draw') this.tabs.open('upload');
  }

  // Each way starts from what it already holds: a drawing stays on its paper, a camera is started again by hand.
  opened(way) {
    this.asker.forget();
    this.examples.show(way);
    this.webcam.stop();
    this.blank(way);
    if (way === 'draw') this.paper.shown();
    if (way === 'upload') this.upload.shown();
  }

  blank(way) {
    this.result.blank(way);
    this.compare.forget(way);
    this.why.clear();
    this.feedback.clear();
  }

  answered(answer, asked) {
    const way = this.tabs.current;
    this.result.answer(answer, way, asked.settled);
    this.compare.offer(asked);
    this.why.offer(answer, asked);
    this.feedback.offer(answer, asked);
    if (!asked.settled || !asked.key || answer.reason === 'blank') return;
    const held = { draw: () => this.paper.held(), upload: () => this.upload.shownName, webcam: () => () => say('webcam') }[way]();
    this.history.add({ key: asked.key, answer, picture: asked.picture, model: answer.model, way, held });
  }

  // `final`: nothing is asked about any more; a server that is busy may be asked about the same picture again.
  wrong(key, final = true) {
    if (final) this.asker.forget();
    this.blank(this.tabs.current);
    this.result.error(key);
  }

  restore({ key, way, picture, held, model }) {
    this.asker.forget();
    if (this.models.current.name !== model) this.models.choose(model);
    if (way === 'draw') {
      this.tabs.open('draw');
      this.asker.forget(); // the tab asked about what it held
      this.drawing = key;
      this.paper.put(held);
    } else {
      this.tabs.open('upload');
      this.upload.take(picture, held);
    }
  }

  key(event) {
    if (isField(event.target)) return;
    const letter = event.key.toLowerCase();
    if (!(event.ctrlKey || event.metaKey) || event.altKey || this.tabs.current !== 'draw') return;
    if (letter === 'z') event.shiftKey ? this.paper.redo() : this.paper.undo();
    else if (letter === 'y') this.paper.redo();
    else return;
    event.preventDefault();
  }
}

// What the owner of the server allows; nothing beyond reading when it does not say.
async function settled() {
  const response = await fetch(new URL('settings', document.baseURI)).catch(() => null);
  return response?.ok ? response.json() : {};
}
