// A second model beside the first, on the same picture. It is asked when the first has answered, so that the first is
// never slower for it: one more request a picture.

import { Asker, faultKey } from './ask.js';
import { onLanguage, say } from './language.js';
import { option } from './nodes.js';
import { Result } from './result.js';

export class Compare {
  constructor(root, { result, way }) {
    Object.assign(this, { first: result, models: [], other: null, current: null });
    this.box = root.querySelector('#answers');
    this.pick = root.querySelector('#compare');
    this.second = new Result(twin(result.box), 'other-');
    this.asker = new Asker({
      model: () => this.other.name,
      answered: (answer, asked) => this.second.answer(answer, way(), asked.settled),
      failed: (error) => this.second.error(faultKey(error)),
    });
    this.pick.addEventListener('change', () => this.choose(this.pick.value));
    onLanguage(() => this.draw());
  }

  // The models there are, and the one that answers already; who was compared with it takes its former place. A model
  // of photographs and one of handwriting are not compared: one of them would never see what it was made for.
  setModels(models, current) {
    const before = this.current;
    Object.assign(this, { models, current });
    if (this.other === current) this.choose(before?.name ?? '');
    if (this.other && this.other.kind !== current.kind) this.choose('');
    this.draw();
  }

  choose(name) {
    this.other = this.models.find((model) => model.name === name) ?? null;
    this.asker.forget();
    if (this.other) this.second.setModel(this.other);
    this.second.box.hidden = !this.other;
    this.box.classList.toggle('hw-two', !!this.other);
    for (const result of [this.first, this.second]) result.nameIt(!!this.other);
    this.draw();
    if (this.other && this.asked) this.offer(this.asked);
  }

  offer(asked) {
    this.asked = asked;
    if (this.other) this.asker.offer(() => asked.picture, asked.settled);
  }

  forget(way) {
    this.asked = null;
    this.asker.forget();
    if (this.other) this.second.blank(way);
  }

  draw() {
    if (!this.current) return;
    const others = this.models.filter((model) => model !== this.current && model.kind === this.current.kind);
    this.pick.parentElement.hidden = !others.length;
    this.pick.replaceChildren(
      option('', say('compareNone'), !this.other),
      ...others.map((model) => option(model.name, model.name, model === this.other)),
    );
  }
}

// The same elements once more, after the first, under ids of their own.
function twin(box) {
  const copy = box.cloneNode(true);
  for (const node of [copy, ...copy.querySelectorAll('[id]')]) node.id = `other-${node.id}`;
  copy.hidden = true;
  box.after(copy);
  return copy.parentElement;
}
