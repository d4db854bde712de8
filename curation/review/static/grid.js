// The grid: only tiles that are on screen, or a row away from it, are elements; those that leave are used again.

import { say, number } from './language.js';
import { Layout } from './layout.js';
import { caption, state, thumb } from './words.js';

const HASTE = 90; // milliseconds that a wild scroll must rest before anything is fetched

export class Grid {
  constructor(element, store, { chosen, opened }) {
    Object.assign(this, { element, store, chosen, opened });
    this.sheet = element.querySelector('#sheet');
    this.tiles = new Map();
    this.heads = new Map();
    this.spare = [];
    this.show({ ids: [], starts: [], titles: [], marks: [] }, 'class');
    element.addEventListener('scroll', () => this.scrolled(), { passive: true });
    element.addEventListener('click', (event) => this.clicked(event));
    element.addEventListener('dblclick', (event) => this.tileOf(event) && this.opened());
    new ResizeObserver(() => this.resized()).observe(element);
  }

  show(listing, view) {
    Object.assign(this, { listing, view, cursor: 0, anchor: 0, lastTop: 0, isHasty: false });
    this.arrange();
    this.element.scrollTop = 0;
    this.draw();
  }

  get ids() { return this.listing.ids; }
  get current() { return this.ids[this.cursor]; }

  // The chosen pictures, as numbers of files.
  get range() {
    return this.ids.slice(Math.min(this.cursor, this.anchor), Math.max(this.cursor, this.anchor) + 1);
  }

  arrange() {
    const { starts, ids } = this.listing;
    this.layout = new Layout(starts, ids.length, this.element.clientWidth, this.element.clientHeight, 34);
    this.sheet.style.height = `${this.layout.height}px`;
    for (const held of [this.tiles, this.heads]) {
      for (const element of held.values()) element.remove();
      held.clear();
    }
  }

  resized() {
    const seen = this.ids.length && this.isSeen(this.cursor);
    this.arrange();
    if (seen) this.reveal();
    this.draw();
  }

  move(place, extend = false) {
    if (!this.ids.length) return;
    this.cursor = Math.max(0, Math.min(place, this.ids.length - 1));
    if (!extend) this.anchor = this.cursor;
    this.reveal();
    this.draw();
    this.chosen();
  }

  step(key, extend) {
    const { layout, cursor } = this;
    const rows = (down) => { let place = cursor; for (let i = 0; i < layout.rowsOnScreen; i += 1) place = layout.vertical(place, down); return place; };
    const goals = {
      ArrowLeft: () => cursor - 1, ArrowRight: () => cursor + 1,
      ArrowUp: () => layout.vertical(cursor, false), ArrowDown: () => layout.vertical(cursor, true),
      PageUp: () => rows(false), PageDown: () => rows(true), Home: () => 0, End: () => this.ids.length - 1,
    };
    if (this.ids.length) this.move(goals[key](), extend);
  }

  // To the picture after all that is chosen.
  advance() { this.move(Math.max(this.cursor, this.anchor) + 1); }

  isSeen(place) {
    const { y } = this.layout.box(place), top = this.element.scrollTop;
    return y + this.layout.side > top && y < top + this.element.clientHeight;
  }

  reveal() {
    const { y, section } = this.layout.box(this.cursor), { pitch, head, starts } = this.layout;
    const top = y - (this.cursor - starts[section] < this.layout.columns ? head : 4);
    const view = this.element;
    if (top < view.scrollTop) view.scrollTop = top;
    else if (y + pitch > view.scrollTop + view.clientHeight) view.scrollTop = y + pitch - view.clientHeight;
  }

  // Pictures of which more than half is on screen.
  onScreen() {
    const top = this.element.scrollTop, bottom = top + this.element.clientHeight, half = this.layout.side / 2;
    return this.layout.between(top, bottom).places.filter((place) => {
      const { y } = this.layout.box(place);
      return y + half >= top && y + half <= bottom;
    });
  }

  scrolled() {
    const top = this.element.scrollTop;
    if (Math.abs(top - this.lastTop) > this.element.clientHeight) this.isHasty = true;
    this.lastTop = top;
    clearTimeout(this.rest);
    if (this.isHasty) this.rest = setTimeout(() => { this.isHasty = false; this.draw(); }, HASTE);
    this.redraw();
  }

  // Every tile is filled anew: its words are in another language.
  forget() { for (const tile of this.tiles.values()) tile.drawn = ''; }

  redraw() {
    this.frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    const top = this.element.scrollTop, margin = this.layout.pitch * 0.9;
    const { sections, places } = this.layout.between(top - margin, top + this.element.clientHeight + margin);
    const needed = new Set(places);
    for (const [place, tile] of this.tiles) {
      if (!needed.has(place)) { this.tiles.delete(place); this.spare.push(tile); }
    }
    this.store.unwant();
    if (!this.isHasty) this.store.want(places.map((place) => this.ids[place]));
    for (const place of places) this.place(place);
    for (const tile of this.spare.splice(0)) tile.remove();
    this.drawHeads(sections);
    this.element.setAttribute('aria-activedescendant', this.tiles.has(this.cursor) ? `tile-${this.cursor}` : '');
  }

  place(place) {
    let tile = this.tiles.get(place);
    if (!tile) {
      tile = this.spare.pop() ?? newTile();
      this.tiles.set(place, tile);
      const { x, y } = this.layout.box(place), { side } = this.layout;
      tile.style.cssText = `transform:translate(${x}px,${y}px);width:${side}px;height:${side + 20}px`;
      tile.id = `tile-${place}`;
      tile.place = place;
      if (!tile.isConnected) this.sheet.append(tile);
    }
    const id = this.ids[place], item = this.store.get(id);
    const isChosen = place >= Math.min(this.cursor, this.anchor) && place <= Math.max(this.cursor, this.anchor);
    const words = item ? caption(item, this.view) : '', stands = item ? state(item) : 'unknown', address = item ? thumb(item) : null;
    const drawn = `${id} ${stands} ${isChosen} ${place === this.cursor} ${words}`;
    if (tile.drawn === drawn && tile.address === address) return; // most tiles, at most key presses
    tile.drawn = drawn;
    fill(tile, { id, item, words, stands, address });
    tile.setAttribute('aria-selected', String(isChosen));
    tile.classList.toggle('is-cursor', place === this.cursor);
  }

  drawHeads(sections) {
    const needed = new Set(sections);
    for (const [section, head] of this.heads) if (!needed.has(section)) { head.remove(); this.heads.delete(section); }
    for (const section of sections) {
      let head = this.heads.get(section);
      if (!head) {
        head = document.createElement('h2');
        head.style.transform = `translateY(${this.layout.tops[section]}px)`;
        this.heads.set(section, head);
        this.sheet.append(head);
      }
      const text = this.headText(section);
      if (head.textContent !== text) head.textContent = text;
      head.classList.toggle('is-conflict', Boolean(this.listing.marks[section]));
    }
  }

  headText(section) {
    const title = this.listing.titles[section], size = this.layout.size(section);
    const count = size === 1 ? say('oneCount') : say('count', { count: number(size) });
    const name = this.view === 'group' ? say('group', { name: number(title) }) : this.view === 'suspicion' ? say('suspicionTitle') : title || say('none');
    return [name, count, ...(this.listing.marks[section] ? [say('conflict')] : [])].join(' · ');
  }

  tileOf(event) { return event.target.closest?.('.tile'); }

  clicked(event) {
    const tile = this.tileOf(event);
    if (tile) this.move(tile.place, event.shiftKey);
  }
}

function newTile() {
  const tile = document.createElement('div'), picture = document.createElement('img'), text = document.createElement('span');
  tile.className = 'tile';
  tile.setAttribute('role', 'option');
  picture.alt = '';
  picture.decoding = 'async';
  picture.draggable = false;
  picture.addEventListener('error', () => { if (picture.hasAttribute('src')) tile.dataset.broken = ''; });
  picture.addEventListener('load', () => { delete tile.dataset.broken; });
  tile.append(picture, text);
  return tile;
}

function fill(tile, { id, item, words, stands, address }) {
  const [picture, text] = tile.children;
  if (tile.address !== address) {
    tile.address = address;
    delete tile.dataset.broken;
    if (address) picture.src = address; else picture.removeAttribute('src');
  }
  if (text.textContent !== words) text.textContent = words;
  tile.dataset.id = id;
  tile.dataset.state = stands;
  tile.setAttribute('aria-label', item ? `${item.label}, ${say({ dropped: 'isDropped', kept: 'isKept', open: 'isOpen' }[stands])}, ${words}` : '');
}
