// Puts the page together: keys to decisions, decisions to the outbox, answers back into the grid.

import { get } from './api.js';
import { Filters } from './filters.js';
import { Grid } from './grid.js';
import { openHelp } from './help.js';
import { number, onLanguage, say, startLanguage } from './language.js';
import { listenToKeys } from './keys.js';
import { askForLabel } from './label.js';
import { Large } from './large.js';
import { make } from './make.js';
import { recalled, whoAmI } from './memory.js';
import { Outbox } from './outbox.js';
import { Store } from './store.js';
import { caption } from './words.js';

const LOOK = 1200; // milliseconds between two looks at what others decide
const find = (selector) => document.querySelector(selector);

class Page {
  constructor() {
    this.store = new Store(() => this.redraw());
    this.grid = new Grid(find('#grid'), this.store, { chosen: () => this.describe(), opened: () => this.large.open() });
    this.large = new Large(this.grid, this.store, () => this.focus());
    this.filters = new Filters(() => this.load());
    this.counts = { all: 0, judged: 0, dropped: 0 };
    this.isBehind = this.isLost = false;
    startLanguage(document);
    onLanguage(() => { this.grid.forget(); this.grid.redraw(); this.drawCounts(); this.describe(); this.drawSaved(); this.large.draw(); this.drawNumbers(); this.drawEmpty(); });
    listenToKeys(this);
    document.addEventListener('click', (event) => this.clicked(event));
    find('#help-button').addEventListener('click', () => this.help());
    find('#notice-button').addEventListener('click', () => { this.tell(''); this.load(true); });
    this.start();
  }

  async start() {
    while (!await this.load()) await new Promise((done) => setTimeout(done, 1000));
    this.watch();
  }

  // The list of the chosen view. The cursor stays on its picture where that is still shown.
  async load(stay = false) {
    const asked = this.loading = {}, before = stay ? this.grid.current : null;
    try {
      const moment = this.store.moment, listing = (await early()) ?? await get('api/index', this.filters.values);
      if (this.loading !== asked) return true;
      this.use(listing, moment);
      this.grid.show(listing, this.filters.values.view);
      if (before) this.grid.move(Math.max(0, listing.ids.indexOf(before)));
    } catch (error) {
      this.tell(say('load', { why: error.status ? error.message : say('offlineIdle') }), true);
      return Boolean(error.status);
    }
    this.tell('');
    this.focus();
    this.drawEmpty();
    this.describe();
    document.body.dataset.ready = 'true';
    return true;
  }

  use(listing, moment) {
    if (this.outbox && this.outbox.dataset !== listing.dataset) { location.reload(); return; }
    Object.assign(this, { since: this.outbox ? Math.min(this.since, listing.verdict) : listing.verdict, generation: listing.generation });
    this.store.put(listing.first, moment);
    this.outbox ??= new Outbox(listing.dataset, {
      answered: (entry, answer) => this.answered(entry, answer),
      refused: (_, error) => { this.tell(say('refused', { why: error.message })); this.settled(); },
      changed: () => this.queued(),
    });
    this.queued();
    this.filters.use(listing.facets);
    this.counts = listing.counts;
    find('#dataset').textContent = listing.name;
    document.title = `${listing.name} · HandWriter ${say('title')}`;
    this.drawCounts();
    this.drawNumbers();
  }

  // Decisions

  judge(action, ids, label) {
    if (!ids.length) return;
    const known = ids.map((id) => this.store.get(id)).filter(Boolean);
    if (action === 'drop' && known.length === ids.length && known.every((item) => item.dropped)) action = 'keep';
    if (this.notice === 'passing') this.tell('');
    this.outbox.add('api/verdict', { by: whoAmI(), ids, action, ...(label === undefined ? {} : { label }) });
    this.redraw();
  }

  undo() { this.outbox.add('api/undo', { by: whoAmI() }); }

  act(name) {
    if (!this.outbox) return;
    const inLarge = this.large.isOpen, ids = inLarge ? [this.large.current] : this.grid.range;
    const acts = {
      drop: () => { this.judge('drop', ids); this.advance(); },
      keep: () => { this.judge('keep', ids); this.advance(); },
      relabel: () => this.askLabel(ids),
      undo: () => this.undo(),
      keepAll: () => this.keepAll(),
      open: () => this.large.open(),
      compare: () => (inLarge ? this.large.turn() : this.large.open(true)),
      onlyThis: () => this.onlyThis(),
      close: () => this.large.close(),
    };
    acts[name]?.();
  }

  advance() { if (this.large.isOpen) this.large.advance(); else this.grid.advance(); }

  relabel(ids, label) {
    this.judge('relabel', ids, label);
    this.advance();
  }

  // All that is on screen and undecided, or the whole group; then on to what comes next.
  keepAll() {
    const { grid } = this;
    if (!grid.ids.length) return;
    const section = grid.layout.section(grid.cursor), { starts } = grid.listing;
    const whole = grid.view === 'group';
    const places = whole ? [...Array(grid.layout.size(section)).keys()].map((inside) => starts[section] + inside) : grid.onScreen();
    const open = places.map((place) => grid.ids[place]).filter((id) => { const item = this.store.get(id); return item && !item.dropped && !item.judged; });
    this.judge('keep', open);
    if (this.large.members) this.large.otherGroup(true);
    else grid.move((places.at(-1) ?? grid.cursor) + 1);
    if (this.large.isOpen) this.large.show();
    else if (!whole) grid.element.scrollTop = grid.layout.box(grid.cursor).y - grid.layout.head;
  }

  // Drops the others of the group.
  async onlyThis() {
    const id = this.large.isOpen ? this.large.current : this.grid.current, item = this.store.get(id);
    if (!item || item.cluster === null) return;
    try {
      const members = await get(`api/group/${item.cluster}`);
      this.store.put(members);
      const others = members.map((member) => this.store.get(member.id)).filter((other) => other.id !== id && !other.dropped);
      this.judge('drop', others.map((other) => other.id));
    } catch { this.tell(say('offlineIdle'), true); }
  }

  askLabel(ids) {
    if (!ids.length) return;
    askForLabel(ids.length, this.filters, (label) => { this.relabel(ids, label); this.drawNumbers(); }, () => this.focus());
  }

  // The class of a number key; false when it has none.
  number(digit) {
    const label = this.numbered[digit === 0 ? 9 : digit - 1];
    if (!label) return false;
    this.relabel(this.large.isOpen ? [this.large.current] : this.grid.range, label);
    return true;
  }

  // Answers

  answered(entry, answer) {
    this.store.settle(answer.rows);
    this.counts = answer.counts;
    this.queued();
    this.drawCounts();
    if (entry.path === 'api/undo') this.wasUndone(answer.rows.map(([id]) => id));
  }

  wasUndone(ids) {
    if (!ids.length) { this.tell(say('nothingToUndo')); return; }
    const place = this.grid.ids.indexOf(ids[0]);
    if (place >= 0 && !this.large.isOpen) this.grid.move(place);
    else if (place < 0) this.tell(say('undone', { count: number(ids.length) }));
  }

  queued() {
    if (this.outbox) this.settled();
  }

  settled() {
    this.store.pending = this.outbox.pending();
    this.drawSaved();
    this.redraw();
  }

  redraw() {
    this.grid.redraw();
    this.large.draw();
    this.describe();
  }

  // What others decide, and whether the server is there.
  async watch() {
    for (;;) {
      await new Promise((done) => setTimeout(done, LOOK));
      if (document.hidden) continue;
      const { moment } = this.store;
      try {
        const told = await get('api/changes', { since: this.since });
        if (told.dataset !== this.outbox.dataset) { location.reload(); return; }
        if (this.isLost) { this.isLost = false; this.tell(say('back')); this.drawSaved(); }
        if (moment !== this.store.moment) continue; // decided meanwhile: what was told may be older than that
        this.since = told.verdict;
        this.store.settle(told.rows);
        this.counts = told.counts;
        this.drawCounts();
        if (told.rows.length) this.redraw();
        if (told.too_many || told.generation !== this.generation) this.offerNew(told);
      } catch (error) {
        if (!error.status) { this.isLost = true; this.drawSaved(); }
      }
    }
  }

  offerNew(told) {
    this.generation = told.generation;
    this.tell(say('changed'), true, say('refresh'));
  }

  // What the reader is told

  tell(text, stays = false, button = '') {
    clearTimeout(this.passing);
    find('#notice').hidden = !text;
    find('#notice-text').textContent = text;
    find('#notice-button').hidden = !button;
    find('#notice-button').textContent = button;
    this.notice = text && !stays ? 'passing' : '';
    if (this.notice) this.passing = setTimeout(() => this.tell(''), 5000);
  }

  describe() {
    const item = this.store.get(this.grid.current), count = this.grid.range.length;
    find('#about-name').textContent = item && this.grid.ids.length ? item.path : '';
    const more = !item || !this.grid.ids.length ? '' : count > 1 ? say('selected', { count: number(count) }) : caption(item, this.grid.view);
    find('#about-more').textContent = more;
  }

  drawCounts() {
    const { all, judged, dropped } = this.counts;
    find('#progress').textContent = say('progress', { judged: number(judged), all: number(all) });
    find('#bar').value = all ? judged / all : 0;
    find('#shown').textContent = `${say('shown', { count: number(this.grid.ids.length) })} · ${say('droppedCount', { count: number(dropped) })}`;
  }

  drawSaved() {
    const box = find('#saved'), count = this.outbox?.entries.length ?? 0;
    const offline = this.outbox?.isOffline || this.isLost;
    const name = offline ? 'offline' : count ? 'saving' : 'saved';
    box.dataset.state = name;
    box.textContent = offline && !count ? say('offlineIdle') : say(name, { count: number(count) });
  }

  drawEmpty() {
    const { view } = this.filters.values, empty = find('#empty');
    empty.hidden = this.grid.ids.length > 0;
    empty.textContent = say({ class: 'nothingClass', group: 'nothingGroup', suspicion: 'nothingSuspicion', restore: 'nothingRestore' }[view]);
    this.drawCounts();
  }

  // The first nine classes have numbers; 0 is the class that was typed last.
  get numbered() { return [...this.filters.labels.slice(0, 9), ...Array(9).fill(null)].slice(0, 9).concat(this.filters.labels[9] ?? recalled('handwriter-last-label')); }

  drawNumbers() {
    const rows = this.numbered.flatMap((label, place) => (label && (place < 9 || !this.filters.labels.slice(0, 9).includes(label))
      ? [make('li', {}, make('kbd', {}, String((place + 1) % 10)), make('bdi', {}, label))] : []));
    find('#numbers').replaceChildren(...rows);
  }

  focus() { if (!find('dialog')) find('#grid').focus({ preventScroll: true }); }

  help() { if (!find('dialog')) openHelp(() => this.focus()); }

  clicked(event) {
    const button = event.target.closest('[data-act]');
    if (!button) return;
    this.act(button.dataset.act);
    if (!this.large.isOpen) this.focus();
  }
}

// What `early.js` has asked for; good for the first list only.
function early() {
  const listing = window.earlyListing;
  window.earlyListing = null;
  return listing;
}

new Page();
