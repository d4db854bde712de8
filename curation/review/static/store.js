// What the page knows of pictures. Only those that were on screen are known; the oldest are forgotten: each has its thumbnail.

import { get } from './api.js';

const MOST = 3000, A_REQUEST = 200;

export class Store {
  constructor(changed) {
    this.changed = changed;
    this.items = new Map();
    this.standings = new Map(); // id → what an answer said, and when: details that were asked for earlier are older
    this.pending = new Map(); // id → what waits in the outbox
    this.asked = new Set();
    this.wanted = new Set();
    this.moment = 0;
  }

  // The picture as it will be when all that waits is saved; undefined while it is not known.
  get(id) {
    const item = this.items.get(id);
    const waiting = item && this.pending.get(id);
    return waiting ? { ...item, ...waiting } : item;
  }

  put(items, asked = this.moment) {
    for (const item of items) {
      const standing = this.standings.get(item.id);
      if (standing && standing.moment > asked) Object.assign(item, standing.told);
      else this.standings.delete(item.id);
      this.items.delete(item.id);
      this.items.set(item.id, item);
    }
    for (const id of this.items.keys()) {
      if (this.items.size <= MOST) break;
      this.items.delete(id);
    }
  }

  // [id, dropped, judged, label, path] as the server gives them.
  settle(rows) {
    this.moment += 1;
    for (const [id, dropped, judged, label, path] of rows) {
      const told = { dropped, judged, label, path };
      this.standings.set(id, { moment: this.moment, told });
      const item = this.items.get(id);
      if (item) Object.assign(item, told);
    }
  }

  want(ids) {
    for (const id of ids) if (!this.items.has(id) && !this.asked.has(id)) this.wanted.add(id);
    if (this.wanted.size && !this.timer) this.timer = setTimeout(() => this.fetch(), 0);
  }

  // What has left the screen before it was asked for is not asked for.
  unwant() { this.wanted.clear(); }

  async fetch() {
    this.timer = null;
    const ids = [...this.wanted].slice(0, A_REQUEST);
    if (!ids.length) return;
    for (const id of ids) { this.wanted.delete(id); this.asked.add(id); }
    try {
      const moment = this.moment;
      this.put(await get('api/items', { ids: ids.join(',') }), moment);
    } catch {
      await new Promise((done) => setTimeout(done, 1000)); // who still sees them wants them again
    } finally {
      for (const id of ids) this.asked.delete(id);
    }
    this.changed();
  }
}
