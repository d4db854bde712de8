// Decisions on their way to the server: one after the other, in order, again and again until it answers. They are also
// kept in the browser, so that a closed page or a dead server loses none. Each has a random name by which the server
// knows one that it has stored already.

import { post } from './api.js';
import { keys, randomName, recalled, remember } from './memory.js';

const ALIVE = 4000; // milliseconds after which another page's waiting decisions count as left behind
const wait = (time) => new Promise((done) => setTimeout(done, time));

export class Outbox {
  constructor(dataset, { answered, refused, changed }) {
    Object.assign(this, { dataset, answered, refused, changed });
    this.prefix = `handwriter-outbox:${dataset}:`;
    this.key = this.prefix + randomName();
    this.entries = [];
    this.isSending = this.isOffline = false;
    this.adopt();
    setInterval(() => { this.adopt(); if (this.entries.length) this.save(); }, ALIVE / 2);
  }

  add(path, body) {
    this.entries.push({ path, body: { ...body, dataset: this.dataset, batch: randomName() } });
    this.send(); // first, as it is what takes time
    this.save();
  }

  // What waits for each picture, the newest last; an undo is known only when the server has answered.
  pending() {
    const held = new Map();
    for (const { path, body } of this.entries) {
      if (path !== 'api/verdict') continue;
      const standing = { dropped: body.action === 'drop', judged: true };
      if (body.action === 'relabel') standing.label = body.label;
      for (const id of body.ids) held.set(id, { ...held.get(id), ...standing });
    }
    return held;
  }

  adopt() {
    for (const key of keys(this.prefix)) {
      if (key === this.key) continue;
      let held = null;
      try { held = JSON.parse(recalled(key)); } catch { /* damaged: nothing to adopt */ }
      if (held && Date.now() - held.at < ALIVE) continue;
      remember(key, null);
      this.entries.push(...(held?.entries ?? []));
      this.save();
      this.send();
    }
  }

  save() {
    remember(this.key, this.entries.length ? JSON.stringify({ at: Date.now(), entries: this.entries }) : null);
    this.changed();
  }

  async send() {
    if (this.isSending) return;
    this.isSending = true;
    for (let tries = 0; this.entries.length;) {
      const [entry] = this.entries;
      try {
        const answer = await post(entry.path, entry.body);
        tries = 0;
        this.isOffline = false;
        this.entries.shift();
        this.save();
        this.answered(entry, answer);
      } catch (error) {
        if (error.status && error.status !== 503) {
          this.entries.shift();
          this.save();
          this.refused(entry, error);
        } else {
          this.isOffline = true;
          this.changed();
          await wait(Math.min(200 * 2 ** tries++, 2000));
        }
      }
    }
    this.isSending = false;
    this.changed();
  }
}
