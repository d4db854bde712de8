// One picture large, with all that is known of it, or a group of copies side by side. The keys are those of the grid.

import { get } from './api.js';
import { number, say } from './language.js';
import { dialog, link, make } from './make.js';
import { facts, large, relation, size, state } from './words.js';

const MOST = 24;

export class Large {
  constructor(grid, store, closed) {
    Object.assign(this, { grid, store, closed, element: null, members: null });
  }

  get isOpen() { return Boolean(this.element); }
  get current() { return this.members ? this.members[this.member] : this.grid.current; }

  open(sideBySide = this.grid.view === 'group') {
    if (!this.grid.ids.length) return;
    this.body = make('div', { class: 'large-body', tabindex: -1, autofocus: true });
    this.place = make('span', { class: 'soft' });
    const button = (act, key, text) => make('button', { 'data-act': act }, make('span', {}, say(text)), make('kbd', {}, key));
    this.only = button('onlyThis', 'O', 'onlyThis');
    this.toggle = button('compare', 'G', 'compare');
    const bar = make('div', { class: 'large-bar' }, this.place, button('drop', 'X', 'drop'), button('keep', 'K', 'keep'), button('relabel', 'L', 'relabel'),
      button('undo', 'Z', 'undo'), this.only, this.toggle, button('close', 'Esc', 'close'));
    this.element = dialog('large', say('open'), () => { this.element = this.members = null; this.closed(); }, bar, this.body);
    this.element.addEventListener('click', (event) => {
      const figure = event.target.closest('figure[data-member]');
      if (figure) { this.member = Number(figure.dataset.member); this.draw(); }
    });
    this.isAside = sideBySide;
    this.show();
  }

  close() { this.element?.close(); }

  async show() {
    const id = this.grid.current;
    await this.know([id]);
    const item = this.store.get(id);
    if (!this.element || id !== this.grid.current) return;
    this.members = null;
    if (this.isAside && item && item.cluster !== null) {
      const members = await get(`api/group/${item.cluster}`);
      if (!this.element || id !== this.grid.current) return;
      this.store.put(members);
      this.members = members.map((member) => member.id).slice(0, MOST);
      this.member = Math.max(0, this.members.indexOf(id));
    }
    this.drawn = null;
    this.draw();
  }

  async know(ids) {
    const unknown = ids.filter((id) => !this.store.get(id));
    if (unknown.length) { const moment = this.store.moment; this.store.put(await get('api/items', { ids: unknown.join(',') }), moment); }
  }

  turn() {
    const item = this.store.get(this.grid.current);
    if (!item || item.cluster === null) return;
    this.isAside = !this.isAside;
    this.show();
  }

  // Side by side, arrows go through the group and beyond its ends; otherwise they are those of the grid.
  step(key) {
    if (this.members && (key === 'ArrowLeft' || key === 'ArrowRight')) {
      const next = this.member + (key === 'ArrowRight' ? 1 : -1);
      if (next >= 0 && next < this.members.length) {
        this.member = next;
        if (this.grid.view === 'group') this.grid.move(this.grid.cursor + (key === 'ArrowRight' ? 1 : -1));
        this.draw();
        return;
      }
    }
    if (this.members && this.grid.view === 'group') this.otherGroup(key === 'ArrowDown' || key === 'ArrowRight' || key === 'PageDown' || key === 'End');
    else this.grid.step(key, false);
    this.show();
  }

  otherGroup(forward) {
    const { layout, cursor } = this.grid;
    const section = layout.section(cursor) + (forward ? 1 : -1);
    if (section >= 0 && section < layout.starts.length) this.grid.move(layout.starts[section]);
  }

  // After a decision on the picture that is shown.
  advance() { this.step('ArrowRight'); }

  draw() {
    if (!this.element) return;
    const item = this.store.get(this.current);
    if (!item) return;
    this.place.textContent = this.members
      ? `${say('group', { name: number(item.cluster) })} · ${say('count', { count: number(this.members.length) })}`
      : say('position', { place: number(this.grid.cursor + 1), count: number(this.grid.ids.length) });
    this.toggle.hidden = this.only.hidden = item.cluster === null;
    this.toggle.firstChild.textContent = say(this.members ? 'single' : 'compare');
    this.element.classList.toggle('is-aside', Boolean(this.members));
    if (this.members) this.drawGroup(); else this.drawOne(item);
  }

  drawOne(item) {
    const list = make('dl', {});
    for (const [name, text, address] of facts(item)) list.append(make('dt', {}, say(name)), make('dd', { dir: 'auto' }, address ? link(address, text) : text));
    if (this.drawn === item.id) this.body.lastChild.replaceChildren(list);
    else this.body.replaceChildren(figure(item, large(item)), make('div', { class: 'facts' }, list));
    this.body.firstChild.dataset.state = state(item);
    this.drawn = item.id;
  }

  drawGroup() {
    const items = this.members.map((id) => this.store.get(id)).filter(Boolean);
    if (this.drawn !== this.members) this.body.replaceChildren(...items.map((item, place) => figure(item, large(item), place)));
    this.drawn = this.members;
    const best = Math.max(...items.map((item) => item.width * item.height));
    items.forEach((item, place) => {
      const box = this.body.children[place];
      box.dataset.state = state(item);
      box.classList.toggle('is-cursor', place === this.member);
      const kilobytes = number(Math.max(1, Math.round(item.bytes / 1024)));
      box.lastChild.replaceChildren(
        make('b', { dir: 'auto' }, item.label), make('span', { class: item.keep ? 'best' : 'soft' }, relation(item)),
        make('span', { class: item.width * item.height === best ? '' : 'soft' }, `${size(item)} · ${kilobytes} kB`),
        make('span', { class: 'soft', dir: 'auto' }, item.path),
      );
    });
    this.body.children[this.member]?.scrollIntoView({ block: 'nearest' });
  }
}

function figure(item, address, place = null) {
  const picture = make('img', { src: address, alt: item.title || item.path, decoding: 'async' });
  const box = make('figure', { 'data-member': place }, picture, make('figcaption', {}));
  picture.addEventListener('error', () => { box.dataset.broken = ''; });
  return box;
}
