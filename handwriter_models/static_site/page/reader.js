// One model that answers as the server's classifier does, with the fields of its HTTP answer. Normalisation, temperature
// and softmax are inside the ONNX file; what is left is to prepare the picture, and to say when it is none of the labels.

import { prepareCharacter } from './prepare/character.js';
import { preparePhotograph } from './prepare/photograph.js';
import { runtime, session } from './runtime.js';

export class Reader {
  constructor(config) {
    this.config = config;
    this.loading = null;
  }

  load() {
    this.loading ??= session(`models/${encodeURIComponent(this.config.name)}/model.onnx.gz`);
    this.loading.catch(() => { this.loading = null; }); // the next picture tries again
    return this.loading;
  }

  // What runs for the first time runs slowly; this way not for the first stroke. It keeps a core busy while the other one
  // compiles the runtime.
  async warmUp() {
    const loading = this.load();
    const paper = { width: 280, height: 280, data: new Uint8ClampedArray(280 * 280 * 4).fill(255) };
    paper.data.fill(0, 280 * 4 * 100, 280 * 4 * 120);
    for (let turn = 0; turn < 3; turn += 1) this.prepared(paper);
    await this.scores(await loading, new Uint8Array(this.config.input.shape.slice(1).reduce((all, side) => all * side)));
  }

  // `pixels`: { width, height, data } of four bytes a pixel, opaque.
  async answer(pixels) {
    const loaded = await this.load();
    const started = performance.now();
    const prepared = this.prepared(pixels);
    const scores = prepared.blank ? null : await this.scores(loaded, prepared.pixels);
    const seen = pictureOf(prepared.pixels, this.config.preprocessing.size);
    return { ...this.judged(scores), model: this.config.name, seen, milliseconds: performance.now() - started };
  }

  prepared(pixels) {
    const way = this.config.preprocessing;
    return way.name === 'ink' ? prepareCharacter(pixels) : { pixels: preparePhotograph(pixels, way), blank: false };
  }

  async scores(loaded, pixels) {
    const { Tensor } = await runtime();
    const shape = [1, ...this.config.input.shape.slice(1)];
    const { probabilities, background } = await loaded.run({ [this.config.input.name]: new Tensor('uint8', pixels, shape) });
    return { probabilities: [...probabilities.data], background: background ? background.data[0] : 0 };
  }

  judged(scores) {
    const { labels } = this.config;
    const values = scores?.probabilities ?? labels.map(() => 1 / labels.length);
    const best = values.indexOf(Math.max(...values));
    const reason = !scores ? 'blank' : this.isForeign(values[best], scores.background) ? 'not in its world' : '';
    return {
      label: scores ? labels[best] : '',
      confidence: scores ? values[best] * (1 - scores.background) : 0,
      probabilities: Object.fromEntries(labels.map((label, at) => [label, values[at]])),
      rejected: reason !== '',
      reason,
      ...(scores && this.category(values)),
    };
  }

  isForeign(best, background) {
    const rule = this.config.rejection;
    if (!rule) return false;
    return rule.score === 'background' ? background >= rule.threshold : best < rule.threshold;
  }

  // The group that is most probable, which need not be that of the best label.
  category(values) {
    const sums = new Map();
    for (const [at, label] of this.config.labels.entries()) {
      const group = this.config.groups?.[label];
      if (group !== undefined) sums.set(group, (sums.get(group) ?? 0) + values[at]);
    }
    const found = [...sums.keys()].reduce((best, group) => (sums.get(group) > (sums.get(best) ?? -1) ? group : best), null);
    return found === null ? {} : { category: found };
  }
}

// What the network saw, as a picture: one or three bytes a pixel.
function pictureOf(pixels, size) {
  const canvas = Object.assign(document.createElement('canvas'), { width: size, height: size });
  const context = canvas.getContext('2d');
  const image = context.createImageData(size, size);
  const channels = pixels.length / (size * size);
  for (let at = 0; at < size * size; at += 1) {
    for (let channel = 0; channel < 3; channel += 1) image.data[at * 4 + channel] = pixels[at * channels + Math.min(channel, channels - 1)];
    image.data[at * 4 + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}
