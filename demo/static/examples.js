// Examples beside each way in: on the drawing tab strokes that are written before the reader's eyes, elsewhere pictures,
// easy and hard ones. Of the strokes those are offered that the model knows, and some that no model does; a model of
// photographs is offered none of either.

import { language, onLanguage, say } from './language.js';
import { PAPER } from './ink.js';

export class Examples {
  constructor(root, { write, open }) {
    this.title = root.querySelector('#examples-title');
    this.box = root.querySelector('#examples');
    this.part = this.box.parentElement;
    Object.assign(this, { write, open, way: 'draw', known: { strokes: [], pictures: [] }, labels: [] });
    onLanguage(() => this.draw());
  }

  async load() {
    const response = await fetch(new URL('examples/examples.json', document.baseURI));
    this.known = await response.json();
  }

  setModel(model) {
    this.labels = model.labels;
    this.part.hidden = model.kind === 'photographs';
    this.draw();
  }

  show(way) {
    this.way = way;
    this.draw();
  }

  draw() {
    const drawing = this.way === 'draw';
    this.title.textContent = say(drawing ? 'examplesDraw' : 'examplesOther');
    const strokes = this.known.strokes.filter((each) => each.label === undefined || this.labels.includes(each.label));
    this.box.replaceChildren(...(drawing ? strokes.map((each) => this.strokes(each)) : this.known.pictures.map((each) => this.picture(each))));
  }

  strokes(example) {
    const button = thumb(say('thumbDraw', { name: example.name[language()] }), example.name[language()]);
    const svg = svgNode('svg', { viewBox: `0 0 ${PAPER} ${PAPER}`, 'aria-hidden': 'true' });
    for (const points of example.strokes) {
      svg.append(svgNode('polyline', { points: points.map((point) => point.join()).join(' '), 'stroke-width': example.width }));
    }
    button.prepend(svg);
    button.addEventListener('click', () => this.write(example));
    return button;
  }

  picture(example) {
    const name = example.name[language()];
    const button = thumb(say('thumbPicture', { name }), name);
    const address = new URL(`examples/${example.file}`, document.baseURI);
    button.prepend(Object.assign(document.createElement('img'), { src: address, alt: '' }));
    button.addEventListener('click', async () => this.open(await (await fetch(address)).blob(), () => example.name[language()]));
    return button;
  }
}

function thumb(label, text) {
  const button = Object.assign(document.createElement('button'), { type: 'button', className: 'hw-thumb' });
  button.setAttribute('aria-label', label);
  button.append(Object.assign(document.createElement('span'), { textContent: text }));
  return button;
}

function svgNode(name, attributes) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}
