// The visitor's classes and pictures. The page changes its own copy at once; what the server does not have yet is sent by
// `Way`. The copy here is the one that counts: when the server forgets, it is sent again.

import { Way } from './way.js';

let numbers = 0;
const key = () => `${Date.now().toString(36)}-${(numbers += 1)}-${Math.random().toString(36).slice(2, 8)}`;

// A name as it is compared and kept: another kind of space looks the same, and would be another class.
export const cleanName = (name) => name.normalize('NFC').replace(/\s/g, ' ').trim();

export class Work extends Way {
  // `changed()`: the classes are other ones; for the rest see `Way`.
  constructor(api, store, { changed, ...heard }) {
    super(api, heard);
    Object.assign(this, { store, changed });
    this.kind = 'handwriting';
    this.classes = []; // {key, id, name, samples: [{key, id, burst, file}], refused}
    this.beginnings = 0; // how often all was given up: who adds many pictures one by one stops then
  }

  get count() { return this.classes.reduce((sum, one) => sum + one.samples.length, 0); }
  // A session costs the server memory; for photographs it is asked at once whether it can look at them at all.
  get wanted() { return this.count > 0 || this.kind !== 'handwriting'; }
  named(name) { return this.classes.find((one) => one.name === name); }

  async restore() {
    const { beginnings } = this;
    const kept = await this.store.read();
    if (!kept || beginnings !== this.beginnings) return;
    Object.assign(this, { kind: kept.kind, classes: kept.classes });
    for (const sample of this.classes.flatMap((one) => one.samples)) show(sample);
    if (kept.session) await this.resume(kept.session);
  }

  // Changes

  addClass(name) {
    this.classes.push({ key: key(), id: null, name, samples: [], refused: null });
    this.settle();
  }

  rename(one, name) {
    Object.assign(one, { name, refused: null, warned: '' });
    if (one.id) this.sendName(one);
    this.retryRefused('refusedTwin');
    this.settle();
  }

  add(one, files, burst = '') {
    for (const file of files) one.samples.push(show({ key: key(), id: null, burst, file }));
    this.settle();
  }

  // Both give a function that takes the removal back.
  removeSample(one, sample) {
    const place = one.samples.indexOf(sample);
    one.samples.splice(place, 1);
    this.forgetSample(sample);
    this.settle();
    return () => { one.samples.splice(place, 0, { ...sample, key: key(), id: null, removed: false }); this.settle(); };
  }

  removeClass(one) {
    const place = this.classes.indexOf(one);
    this.classes.splice(place, 1);
    one.removed = true;
    if (one.id) {
      this.forgetClass(one);
      this.retryRefused('refusedTwin', 'refusedFull');
    }
    this.settle();
    return () => {
      const samples = one.samples.map((sample) => ({ ...sample, key: key(), id: null }));
      Object.assign(one, { id: null, removed: false, refused: null, name: this.named(one.name) ? `${one.name} 2` : one.name, samples });
      this.classes.splice(place, 0, one);
      this.order();
    };
  }

  moveUp(one) {
    const place = this.classes.indexOf(one);
    if (place < 1) return;
    this.classes.splice(place, 1);
    this.classes.splice(place - 1, 0, one);
    this.order();
  }

  order() {
    this.orderDue = true;
    this.settle();
  }

  startOver(kind = this.kind) {
    if (this.api.session) this.api.end(this.api.session);
    for (const sample of this.classes.flatMap((one) => one.samples)) URL.revokeObjectURL(sample.address);
    this.beginnings += 1;
    Object.assign(this, { kind, classes: [] });
    this.newRound();
    this.told();
    this.settle();
  }

  // The server is given everything once more.
  sendAgain() {
    for (const one of this.classes) {
      Object.assign(one, { id: null, refused: null });
      for (const sample of one.samples) sample.id = null;
    }
    this.newRound();
    this.told();
    this.settle();
  }

  goOn() {
    this.halted = '';
    this.settle();
  }

  settle() {
    this.keep();
    this.changed();
    this.run();
  }

  keep() { this.store.write({ kind: this.kind, session: this.api.session, classes: this.classes }); }
}

function show(sample) {
  sample.address = URL.createObjectURL(sample.file);
  return sample;
}
