// The paper to draw on: mouse, finger and pen through pointer events, a pen moved by arrow keys for keyboards, undo.
// It calls `changed(sheet, done)` at every move with ink, `done` when the pen is lifted, and `emptied()` when blank.

import { drawPiece, drawStrokes, PAPER, Sheet, Strokes } from './ink.js';

const STEP = 6, LONG_STEP = 24;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Paper {
  constructor(root, { changed, emptied }) {
    const find = (id) => root.querySelector('#' + id);
    Object.assign(this, { changed, emptied, canvas: find('canvas'), paper: find('paper'), pen: find('pen'), brush: find('brush') });
    this.buttons = { undo: find('undo'), redo: find('redo'), clear: find('clear') };
    this.nib = find('nib');
    this.context = this.canvas.getContext('2d');
    this.sheet = new Sheet();
    this.contexts = [this.context, this.sheet.context]; // what is seen and what is sent
    this.strokes = new Strokes();
    this.stroke = null; // the one being drawn
    this.pointer = null;
    this.cursor = [PAPER / 2, PAPER / 2]; // of the keyboard's pen
    this.writing = 0; // number of the example being written; any act of the reader ends it
    this.listen();
    new ResizeObserver(() => this.redraw()).observe(this.paper);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.redraw());
    this.showNib();
  }

  listen() {
    const on = (name, handler) => this.canvas.addEventListener(name, handler);
    on('pointerdown', (event) => this.down(event));
    on('pointermove', (event) => this.move(event));
    for (const name of ['pointerup', 'pointercancel', 'lostpointercapture']) on(name, (event) => this.up(event));
    on('keydown', (event) => this.key(event));
    on('focus', () => this.showPen());
    on('blur', () => { this.end(); this.pen.hidden = true; });
    on('contextmenu', (event) => event.preventDefault()); // a long press draws a dot
    this.brush.addEventListener('input', () => this.showNib());
    for (const [name, button] of Object.entries(this.buttons)) button.addEventListener('click', () => this[name]());
  }

  // One pointer draws at a time; a pen takes over from a finger, because that finger is the resting hand.
  down(event) {
    if (event.button > 0 || (this.pointer !== null && event.pointerType !== 'pen')) return;
    event.preventDefault();
    this.writing += 1;
    if (this.stroke) this.cancel();
    this.canvas.focus({ preventScroll: true });
    this.pen.hidden = true;
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.begin(this.place(event));
  }

  move(event) {
    if (event.pointerId !== this.pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) this.extend(this.place(each));
    this.changed(this.sheet, false);
  }

  up(event) {
    if (event.pointerId !== this.pointer) return;
    this.pointer = null;
    this.end();
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * PAPER, ((event.clientY - box.top) / box.height) * PAPER];
  }

  begin(point, width = Number(this.brush.value)) {
    this.stroke = { width, points: [] };
    this.paper.classList.add('hw-inked');
    this.showButtons();
    this.extend(point, true);
  }

  extend(point, first = false) {
    const points = this.stroke.points;
    const last = points[points.length - 1];
    if (!first && Math.hypot(point[0] - last[0], point[1] - last[1]) < 0.7) return;
    points.push(point);
    for (const context of this.contexts) drawPiece(context, this.stroke, points.length - 1);
  }

  end() {
    if (!this.stroke) return;
    this.strokes.add(this.stroke);
    this.stroke = null;
    this.redraw();
    this.changed(this.sheet, true);
  }

  cancel() {
    this.stroke = this.pointer = null;
    this.redraw();
  }

  // A stroke that is still being drawn is the first to go.
  undo() { if (!this.stroke) this.strokes.undo(); this.settled(); }
  redo() { this.strokes.redo(); this.settled(); }
  clear() { this.strokes.clear(); this.settled(); }

  settled() {
    this.writing += 1;
    this.stroke = null;
    this.redraw();
    if (this.strokes.now.length) this.changed(this.sheet, true);
    else this.emptied();
  }

  // The strokes on the paper, and putting such strokes back: one step that can be undone.
  held() { return this.strokes.now; }

  put(strokes) {
    this.strokes.change(strokes);
    this.settled();
  }

  // The tab was opened again: what is on the paper is asked about again.
  shown() {
    this.redraw();
    if (this.strokes.now.length) this.changed(this.sheet, true);
  }

  // Everything from the strokes: after undo, another size of the window, another theme.
  redraw() {
    const side = Math.round(this.paper.clientWidth * devicePixelRatio);
    if (!side) return; // the tab is hidden
    if (this.canvas.width !== side) this.canvas.width = this.canvas.height = side;
    this.context.setTransform(side / PAPER, 0, 0, side / PAPER, 0, 0);
    this.context.clearRect(0, 0, PAPER, PAPER);
    this.context.strokeStyle = getComputedStyle(this.canvas).color;
    const all = this.stroke ? [...this.strokes.now, this.stroke] : this.strokes.now;
    drawStrokes(this.context, all);
    this.sheet.redraw(all);
    this.paper.classList.toggle('hw-inked', all.length > 0);
    this.showButtons();
    this.showNib();
  }

  showButtons() {
    this.buttons.undo.disabled = !this.stroke && !this.strokes.past.length;
    this.buttons.redo.disabled = !this.strokes.future.length;
    this.buttons.clear.disabled = !this.stroke && !this.strokes.now.length;
  }

  showNib() {
    const size = (Number(this.brush.value) / PAPER) * (this.paper.clientWidth || PAPER);
    this.nib.style.width = this.nib.style.height = `${size}px`;
  }

  key(event) {
    this.writing += 1;
    const arrow = ARROWS[event.key];
    if (arrow) this.step(arrow, event.shiftKey ? LONG_STEP : STEP);
    else if (event.key === ' ' || event.key === 'Enter') this.stroke ? this.end() : this.touchDown();
    else if (event.key === 'Delete' || event.key === 'Backspace') this.clear();
    else if (event.key === 'Escape') this.end();
    else return;
    event.preventDefault();
    this.showPen();
  }

  touchDown() {
    this.begin(this.cursor);
    this.changed(this.sheet, false);
  }

  step([dx, dy], length) {
    const inside = (value) => Math.min(PAPER, Math.max(0, value));
    this.cursor = [inside(this.cursor[0] + dx * length), inside(this.cursor[1] + dy * length)];
    if (!this.stroke) return;
    this.extend(this.cursor);
    this.changed(this.sheet, false);
  }

  showPen() {
    this.pen.hidden = !this.canvas.matches(':focus-visible');
    this.pen.classList.toggle('hw-down', this.stroke !== null);
    this.pen.style.left = `${(this.cursor[0] / PAPER) * 100}%`;
    this.pen.style.top = `${(this.cursor[1] / PAPER) * 100}%`;
  }

  // Writes given strokes at the speed of a hand, so that an example shows how the answer grows.
  async write(strokes, width) {
    this.clear();
    const run = this.writing;
    for (const points of strokes) {
      for (const [index, point] of points.entries()) {
        if (run !== this.writing) return;
        index === 0 ? this.begin(point, width) : this.extend(point);
        this.changed(this.sheet, false);
        await new Promise((resolve) => setTimeout(resolve, 12));
      }
      if (run !== this.writing) return;
      this.end();
    }
  }
}
