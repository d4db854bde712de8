// The visitor's classes and pictures, and their way to the server. The page changes its own copy at once; one loop sends
// what the server does not have yet, in order, so that a slow line never holds up a drawing. The copy here is the one
// that counts: when the server forgets, it is sent again.

import { ApiError, form } from './api.js';

const AT_ONCE = 16; // pictures a request
const ASK_AGAIN = 120; // milliseconds between two looks at a server that is learning
const LATER = 3000; // milliseconds until a server that does not answer is tried again
let numbers = 0;
const key = () => `${Date.now().toString(36)}-${(numbers += 1)}-${Math.random().toString(36).slice(2, 8)}`;

export class Work {
  // `changed()`: the classes are other ones; `told()`: the server's state is; `refused(texts)`: pictures were not taken.
  constructor(api, store, { changed, told, refused, wrong }) {
    Object.assign(this, { api, store, changed, told, refused, wrong });
    this.kind = 'handwriting';
    this.classes = [];
    this.waiting = []; // renames, removals and orders, for a server that has the class already
    this.state = null; // what the server said last
    this.halted = ''; // why nothing is sent: forgotten, offline, kind
    this.running = false;
  }

  get count() { return this.classes.reduce((sum, one) => sum + one.samples.length, 0); }
  get unsent() { return this.classes.reduce((sum, one) => sum + one.samples.filter((sample) => !sample.id).length, 0); }
  // A session costs the server memory; for photographs it is asked at once whether it can look at them at all.
  get wanted() { return this.count > 0 || this.kind !== 'handwriting'; }
  named(name) { return this.classes.find((one) => one.name === name); }
  known(id) { return this.classes.find((one) => one.id === id); }

  async restore() {
    const kept = await this.store.read();
    if (!kept) return;
    Object.assign(this, { kind: kept.kind, classes: kept.classes });
    this.api.session = kept.session;
    for (const sample of this.classes.flatMap((one) => one.samples)) show(sample);
    if (!kept.session) return;
    try {
      this.hear(await this.api.get('session'));
    } catch (error) {
      this.api.session = this.count ? kept.session : null;
      if (this.count) this.halt(error.status === 404 ? 'forgotten' : 'offline');
      else for (const one of this.classes) one.id = null;
    }
  }

  // Changes

  addClass(name) {
    this.classes.push({ key: key(), id: null, name, samples: [] });
    this.settle();
  }

  rename(one, name) {
    one.name = name;
    const { id } = one;
    if (id) this.waiting.push(() => this.api.send('PATCH', `classes/${id}`, { name }).catch((error) => this.goneAlready(error)));
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
    const place = this.classes.indexOf(one), { id } = one;
    this.classes.splice(place, 1);
    if (id) this.waiting.push(() => this.api.send('DELETE', `classes/${id}`).catch((error) => this.goneAlready(error)));
    else one.removed = true;
    this.settle();
    return () => {
      const samples = one.samples.map((sample) => ({ ...sample, key: key(), id: null }));
      Object.assign(one, { id: null, removed: false, name: this.named(one.name) ? `${one.name} 2` : one.name, samples });
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

  async startOver(kind = this.kind) {
    if (this.api.session) this.api.send('DELETE', 'session').catch(() => {});
    for (const sample of this.classes.flatMap((one) => one.samples)) URL.revokeObjectURL(sample.address);
    Object.assign(this, { kind, classes: [], waiting: [], state: null, halted: '', orderDue: false });
    this.api.session = null;
    this.settle();
  }

  // The server is given everything once more.
  sendAgain() {
    for (const one of this.classes) {
      one.id = null;
      for (const sample of one.samples) sample.id = null;
    }
    Object.assign(this, { waiting: [], state: null, halted: '', orderDue: false });
    this.api.session = null;
    this.settle();
  }

  goOn() {
    this.halted = '';
    this.settle();
  }

  // The way to the server

  settle() {
    this.store.write({ kind: this.kind, session: this.api.session, classes: this.classes });
    this.changed();
    this.run();
  }

  async run() {
    if (this.running || this.halted) return;
    this.running = true;
    try {
      while (await this.step());
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.fail(error);
    } finally {
      this.running = false;
    }
  }

  // One request; whether there may be more to do.
  async step() {
    const api = this.api;
    if (!api.session) return this.wanted && this.openSession();
    if (this.waiting.length) {
      const act = this.waiting[0];
      try {
        this.hear(await act());
      } finally {
        if (this.waiting[0] === act) this.waiting.shift();
      }
      return true;
    }
    const fresh = this.classes.find((one) => !one.id);
    if (fresh) return this.sendClass(fresh);
    if (this.orderDue) {
      this.orderDue = false;
      this.hear(await api.send('PUT', 'classes', { order: this.classes.map((one) => one.id) }));
      return true;
    }
    const next = this.classes.find((one) => one.samples.some((sample) => !sample.id));
    if (next) return this.sendSamples(next);
    if (!this.state?.busy) return false;
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN));
    this.hear(await api.get('session'));
    return true;
  }

  async openSession() {
    const opened = await this.api.post('sessions', { kind: this.kind });
    this.api.session = opened.session;
    this.hear(opened);
    this.store.write({ kind: this.kind, session: this.api.session, classes: this.classes });
    return true;
  }

  async sendClass(one) {
    const name = one.name;
    const made = await this.api.post('classes', { name });
    one.id = made.id;
    if (one.removed) this.waiting.push(() => this.api.send('DELETE', `classes/${one.id}`));
    else if (one.name !== name) this.waiting.push(() => this.api.send('PATCH', `classes/${one.id}`, { name: one.name }));
    this.hear(made);
    return true;
  }

  async sendSamples(one) {
    const first = one.samples.find((sample) => !sample.id);
    const some = one.samples.filter((sample) => !sample.id && sample.burst === first.burst).slice(0, AT_ONCE);
    const answer = await this.api.post(`classes/${one.id}/samples`, form(some.map((sample) => sample.file), { burst: first.burst }))
      .catch((error) => this.refusedAll(error, some));
    const errors = [];
    answer.added.forEach((added, number) => this.sampleTold(one, some[number], added, errors));
    if (errors.length) this.refused(errors);
    this.hear(answer);
    this.changed();
    this.store.write({ kind: this.kind, session: this.api.session, classes: this.classes });
    return true;
  }

  // What no other try would mend is the same as each picture being refused.
  refusedAll(error, some) {
    if (![400, 413, 415, 422].includes(error.status)) throw error;
    return { ...this.state, added: some.map(() => ({ error: error.message, hint: error.hint })) };
  }

  sampleTold(one, sample, added, errors) {
    const twin = added.id && one.samples.some((other) => other.id === added.id);
    if (added.id) sample.id = added.id;
    if (sample.removed) return added.id && this.forgetSample(sample);
    if (!twin && added.id) return null;
    one.samples.splice(one.samples.indexOf(sample), 1);
    errors.push(added.error ? [added.error, added.hint] : []);
    return null;
  }

  forgetSample(sample) {
    sample.removed = true;
    if (sample.id) this.waiting.push(() => this.api.send('DELETE', `samples/${sample.id}`).catch((error) => this.goneAlready(error)));
  }

  // The server has no such picture or class: that is what was asked for.
  goneAlready(error) {
    if (error.status !== 404 || /session/.test(error.message)) throw error;
    return this.state;
  }

  hear(state) {
    this.state = state;
    this.told();
  }

  fail(error) {
    if (error.status === 404 && /session/.test(error.message)) return this.halt(this.count ? 'forgotten' : '', !this.count);
    if (error.status === 0) {
      this.halt('offline');
      return setTimeout(() => { if (this.halted === 'offline') this.goOn(); }, LATER);
    }
    if (!this.api.session) return this.halt('kind', false, error);
    this.wrong(error);
    return setTimeout(() => this.run(), LATER);
  }

  halt(why, again = false, error = null) {
    this.halted = why;
    this.reason = error;
    this.told();
    if (again) this.sendAgain();
  }
}

function show(sample) {
  sample.address = URL.createObjectURL(sample.file);
  return sample;
}
