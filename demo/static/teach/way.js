// The way of `Work` to the server: one loop sends what the server does not have yet, in order, so that a slow line never
// holds up a drawing. A new start or another kind of picture begins a new round: what was asked in the one before may
// still be answered, and is not heard any more. `Work` has the classes, and says what is kept, wanted and begun.

import { ApiError, form } from './api.js';

const AT_ONCE = 16; // pictures a request
const ASK_AGAIN = 120; // milliseconds between two looks at a server that is learning
const LATER = 3000; // milliseconds until a server that does not answer is tried again
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
// Whether asking again would be in vain: the server was reached, and was not merely busy.
const isFinal = (error) => error instanceof ApiError && ![0, 429, 503].includes(error.status);

// Another round has begun since this was asked.
class Outdated extends Error {}

export class Way {
  // `told()`: the server's state is another one; `refused(errors)`: pictures were not taken; `notTaught(one)`: a class was
  // not; `wrong(error)`: something else went wrong, and is tried again.
  constructor(api, { told, refused, notTaught, wrong }) {
    Object.assign(this, { api, told, refused, notTaught, wrong });
    this.round = 0;
    this.newRound();
  }

  newRound() {
    this.round += 1;
    this.api.session = null;
    this.waiting = []; // renames and removals, for a server that has the class already
    this.orderDue = this.running = false;
    this.state = null; // what the server said last
    this.halted = ''; // why nothing is sent: forgotten, offline, kind
    this.trouble = null; // an error after which the same is tried again
  }

  // Pictures that are still to be sent. Those of a class that the server does not take never will be.
  get unsent() { return this.classes.reduce((sum, one) => sum + (one.refused && !one.id ? 0 : one.samples.filter((sample) => !sample.id).length), 0); }
  get fresh() { return this.classes.find((one) => !one.id && !one.refused); }
  get pending() { return this.wanted && (this.unsent > 0 || this.waiting.length > 0 || this.orderDue || this.fresh !== undefined); }
  get orderNow() { return this.classes.filter((one) => one.id).map((one) => one.id); }
  known(id) { return this.classes.find((one) => one.id === id); }

  // Waits until the server has everything: '', or why it has not: what it is halted by, 'trouble', 'refused', and 'gone'
  // when all was given up meanwhile. `tell(count)` hears what is still on the way.
  async sent(tell) {
    const { beginnings } = this;
    while (!this.halted && !this.trouble && this.pending) {
      if (this.unsent) tell(this.unsent);
      await pause(ASK_AGAIN);
      if (beginnings !== this.beginnings) return 'gone';
    }
    return this.halted || (this.trouble && 'trouble') || (this.classes.some((one) => one.refused) && 'refused') || '';
  }

  // Goes on with the session of an earlier visit, if the server still has it.
  async resume(session) {
    this.api.session = session;
    try {
      this.hear(await this.ask('GET', 'session'));
    } catch (error) {
      if (error instanceof Outdated) return;
      if (!(error instanceof ApiError)) throw error;
      if (this.count) this.halt(error.status === 404 ? 'forgotten' : 'offline');
      else this.sendAgain();
    }
  }

  async run() {
    if (this.running || this.halted) return;
    const { round } = this;
    this.running = true;
    try {
      while (round === this.round && await this.step());
    } catch (error) {
      if (error instanceof Outdated) return;
      if (!(error instanceof ApiError)) throw error;
      this.fail(error);
    } finally {
      if (round === this.round) this.running = false;
    }
  }

  ask(method, path, body) { return this.inRound(this.api.send(method, path, body)); }

  // What comes of it in this round; whatever it is, it counts no more in another one.
  async inRound(promise) {
    const { round } = this;
    try {
      return await promise;
    } finally {
      if (round !== this.round) throw new Outdated();
    }
  }

  // One request; whether there may be more to do.
  async step() {
    if (!this.api.session) return this.wanted && this.openSession();
    if (this.waiting.length) return this.sendWaiting();
    if (this.fresh) return this.sendClass(this.fresh);
    if (this.orderDue) return this.sendOrder();
    const next = this.classes.find((one) => one.id && one.samples.some((sample) => !sample.id));
    if (next) return this.sendSamples(next);
    if (!this.state?.busy) return false;
    await this.inRound(pause(ASK_AGAIN));
    this.hear(await this.ask('GET', 'session'));
    return true;
  }

  async openSession() {
    const { round } = this;
    const opening = this.api.post('sessions', { kind: this.kind });
    opening.then(({ session }) => { if (round !== this.round) this.api.end(session); }, () => {});
    const opened = await this.inRound(opening);
    this.api.session = opened.session;
    this.hear(opened);
    this.keep();
    return true;
  }

  // What did not reach the server stays the first in the row.
  async sendWaiting() {
    const act = this.waiting[0], done = () => { if (this.waiting[0] === act) this.waiting.shift(); };
    try {
      const state = await act();
      done();
      this.hear(state);
    } catch (error) {
      if (isFinal(error)) done();
      throw error;
    }
    return true;
  }

  async sendClass(one) {
    const { name } = one;
    const made = await this.ask('POST', 'classes', { name }).catch((error) => this.nameRefused(one, name, error));
    if (made.id) this.classMade(one, name, made.id);
    this.hear(made);
    return true;
  }

  classMade(one, name, id) {
    one.id = id;
    if (one.removed) this.forgetClass(one);
    else if (one.name !== name) this.sendName(one);
    if (this.orderNow.at(-1) !== id) this.orderDue = true; // it was refused before; the server adds it at the end
  }

  sendName(one) {
    const { id, name } = one;
    this.waiting.push(() => this.ask('PATCH', `classes/${id}`, { name })
      .catch((error) => (error.status === 404 ? this.goneAlready(error) : this.nameRefused(one, name, error))));
  }

  // The class waits for another name, or for room, and the others go on. One that the server has already, because its
  // answer was lost on the way, is ours.
  async nameRefused(one, name, error) {
    if (![409, 422].includes(error.status)) throw error;
    const state = await this.ask('GET', 'session');
    if (one.name !== name || one.removed) return state;
    const twin = state.classes.find((other) => other.name === name);
    if (twin && !one.id && !this.known(twin.id)) return { ...state, id: twin.id };
    const why = error.status === 422 ? 'refusedName' : twin ? 'refusedTwin' : 'refusedFull';
    one.refused = { why, count: state.classes.length };
    if (one.warned !== why) this.notTaught(one);
    one.warned = why;
    this.changed();
    return state;
  }

  // What was refused for these reasons may be taken now: a class went, or has another name.
  retryRefused(...reasons) {
    for (const one of this.classes) if (!one.id && reasons.includes(one.refused?.why)) one.refused = null;
  }

  async sendOrder() {
    const order = this.orderNow;
    try {
      this.hear(await this.ask('PUT', 'classes', { order }));
      this.orderDue = order.join() !== this.orderNow.join();
    } catch (error) {
      if (isFinal(error)) this.orderDue = false;
      throw error;
    }
    return true;
  }

  async sendSamples(one) {
    const first = one.samples.find((sample) => !sample.id);
    const some = one.samples.filter((sample) => !sample.id && sample.burst === first.burst).slice(0, AT_ONCE);
    const answer = await this.ask('POST', `classes/${one.id}/samples`, form(some.map((sample) => sample.file), { burst: first.burst }))
      .catch((error) => this.refusedAll(error, some));
    const errors = [];
    answer.added.forEach((added, number) => this.sampleTold(one, some[number], added, errors));
    if (errors.length) this.refused(errors);
    this.hear(answer);
    this.changed();
    this.keep();
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
    one.samples = one.samples.filter((other) => other !== sample);
    errors.push(added.error ? [added.error, added.hint] : []);
    return null;
  }

  forgetSample(sample) {
    sample.removed = true;
    if (sample.id) this.waiting.push(() => this.ask('DELETE', `samples/${sample.id}`).catch((error) => this.goneAlready(error)));
  }

  forgetClass({ id }) {
    this.waiting.push(() => this.ask('DELETE', `classes/${id}`).catch((error) => this.goneAlready(error)));
  }

  // The server has no such picture or class: that is what was asked for.
  goneAlready(error) {
    if (error.status !== 404 || /session/.test(error.message)) throw error;
    return this.state;
  }

  hear(state) {
    this.state = state;
    this.trouble = null;
    this.told();
  }

  fail(error) {
    if (error.status === 404 && /session/.test(error.message)) return this.count ? this.halt('forgotten') : this.sendAgain();
    if (error.status === 0) return this.halt('offline');
    if (!this.api.session && this.kind !== 'handwriting') return this.halt('kind', error);
    this.trouble = error;
    this.wrong(error);
    return setTimeout(() => this.run(), LATER);
  }

  halt(why, error = null) {
    this.halted = why;
    this.reason = error;
    this.told();
    if (why === 'offline') setTimeout(() => { if (this.halted === why) this.goOn(); }, LATER);
  }
}
