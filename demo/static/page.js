// Puts the page together: three ways in, one answer. Gradio calls `start` once its component is in the document.

import { Asker } from './ask.js';
import { Examples } from './examples.js';
import { onLanguage, startLanguage } from './language.js';
import { Models } from './models.js';
import { Paper } from './canvas.js';
import { Result } from './result.js';
import { Tabs } from './tabs.js';
import { Upload } from './upload.js';
import { Webcam } from './webcam.js';

const KNOWN_FAULTS = [400, 413, 415, 422, 503];

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
    this.result = new Result(root);
    this.asker = new Asker({
      model: () => this.models.current?.name,
      answered: (answer) => this.result.answer(answer, this.tabs.current),
      failed: (error) => this.fail(error),
    });
    this.tabs = new Tabs(root, (way) => this.opened(way));
    this.models = new Models(root, { chosen: (model) => { this.result.setLabels(model.labels); this.asker.repeat(); } });
    this.examples = new Examples(root, {
      write: (example) => this.paper.write(example.strokes, example.width),
      open: (file, name) => { this.tabs.open('upload'); this.upload.take(file, name); },
    });
    this.makeWays(root, limit);
    document.addEventListener('keydown', (event) => this.key(event));
    onLanguage(() => { document.title = 'HandWriter'; });
  }

  makeWays(root, limit) {
    const wrong = (key) => { this.asker.forget(); this.result.error(key); };
    const waiting = () => { this.asker.forget(); this.result.blank(this.tabs.current); };
    const given = (picture) => this.asker.offer(() => picture, true);
    this.paper = new Paper(root, {
      changed: (sheet, done) => this.asker.offer(() => sheet.png(), done),
      emptied: waiting,
    });
    this.upload = new Upload(root, { given, wrong, limit, opened: () => this.tabs.open('upload') });
    this.webcam = new Webcam(root, { given, wrong, waiting });
  }

  async load() {
    await Promise.all([this.models.load(), this.examples.load()]);
    this.result.setLabels(this.models.current.labels);
  }

  // Each way starts from what it already holds: a drawing stays on its paper, a camera is started again by hand.
  opened(way) {
    this.asker.forget();
    this.examples.show(way);
    this.webcam.stop();
    this.result.blank(way);
    if (way === 'draw') this.paper.shown();
    if (way === 'upload') this.upload.shown();
  }

  fail(error) {
    if (error.status === undefined) throw error;
    const key = KNOWN_FAULTS.includes(error.status) ? `error${error.status}` : error.status ? 'errorOther' : 'errorOffline';
    this.result.error(key);
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
