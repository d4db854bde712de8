// Short messages, taking removals back, the question before everything is forgotten, and the line that says when the
// server cannot be used.

import { onLanguage, say } from '../language.js';
import { write } from '../nodes.js';

const SHOWN = 6000, SHOWN_WITH_UNDO = 20_000; // milliseconds; Ctrl+Z works after that, too
const ACTS = { forgotten: ['forgotten', 'sendAgain'], offline: ['offline', 'retry'], kind: ['kindMissing', 'backToInk'] };

export class Notices {
  constructor(root, work, { kind }) {
    const find = (id) => root.querySelector('#' + id);
    Object.assign(this, { work, kind, toast: find('toast'), text: find('toast-text'), button: find('toast-undo'), banner: find('banner'), bannerText: find('banner-text'), act: find('banner-act'), dialog: find('sure'), dialogText: find('sure-text') });
    this.removals = []; // the newest last: functions that take one back
    this.button.addEventListener('click', () => this.undo());
    this.act.addEventListener('click', () => this.actOn(this.work.halted));
    this.answer = () => {};
    find('sure-yes').addEventListener('click', () => { this.answer(true); this.dialog.close(); });
    find('sure-no').addEventListener('click', () => this.dialog.close());
    this.dialog.addEventListener('close', () => this.answer(false));
    onLanguage(() => this.draw());
  }

  say(key, values = {}, undoable = false) {
    clearTimeout(this.timer);
    write(this.text, say(key, values));
    this.button.hidden = !undoable;
    this.toast.hidden = false;
    this.timer = setTimeout(() => { this.toast.hidden = true; }, undoable ? SHOWN_WITH_UNDO : SHOWN);
  }

  undoable(key, values, undo) {
    this.removals.push(undo);
    this.say(key, values, true);
  }

  // Whether there was anything to take back.
  undo() {
    const undo = this.removals.pop();
    if (!undo) return false;
    undo();
    this.say('cameBack', {}, this.removals.length > 0);
    return true;
  }

  clear() {
    this.removals = [];
    this.toast.hidden = true;
  }

  // `errors`: [error, hint] of each picture; an empty one was there already.
  refused(errors) {
    const told = errors.filter((error) => error.length);
    if (!told.length) return this.say('known');
    return this.say(told.length === 1 ? 'refused' : 'refusedMany', { count: told.length, text: told.at(-1).join('; ') });
  }

  sure(key) {
    this.dialogText.textContent = say(key);
    this.dialog.showModal();
    return new Promise((resolve) => { this.answer = resolve; });
  }

  draw() {
    const [text, act] = ACTS[this.work.halted] ?? [];
    this.banner.hidden = !text;
    if (!text) return;
    write(this.bannerText, say(text, { text: [this.work.reason?.message, this.work.reason?.hint].filter(Boolean).join('; ') }));
    write(this.act, say(act));
  }

  actOn(why) {
    if (why === 'forgotten') this.work.sendAgain();
    else if (why === 'offline') this.work.goOn();
    else if (why === 'kind') this.kind('handwriting');
    this.draw();
  }
}
