// Short messages, taking removals back, the question before everything is forgotten, and the line that says when the
// server cannot be used.

import { onLanguage, say } from '../language.js';
import { write } from '../nodes.js';

const SHOWN = 6000, SHOWN_WITH_UNDO = 20_000; // milliseconds; Ctrl+Z works after that, too
const NAMED = { letters: 24, classes: 3 }; // of a message
const ACTS = { forgotten: ['forgotten', 'sendAgain'], offline: ['offline', 'retry'], kind: ['kindMissing', 'backToInk'] };

export class Notices {
  constructor(root, work, { kind }) {
    const find = (id) => root.querySelector('#' + id);
    Object.assign(this, { work, kind, toast: find('toast'), text: find('toast-text'), button: find('toast-undo'), banner: find('banner'), bannerText: find('banner-text'), act: find('banner-act'), dialog: find('sure'), dialogText: find('sure-text'), yes: find('sure-yes') });
    this.removals = []; // the newest last: functions that take one back
    this.button.addEventListener('click', () => this.undo());
    this.act.addEventListener('click', () => this.actOn(this.work.halted));
    this.answer = () => {};
    this.yes.addEventListener('click', () => { this.answer(true); this.dialog.close(); });
    find('sure-no').addEventListener('click', () => this.dialog.close());
    this.dialog.addEventListener('close', () => this.answer(false));
    onLanguage(() => this.draw());
  }

  say(key, values = {}, undoable = false) { this.tell(say(key, values), undoable); }

  // Says a text; '' says that there is nothing to say any more.
  tell(text, undoable = false) {
    clearTimeout(this.timer);
    write(this.text, text);
    this.button.hidden = !undoable;
    this.toast.hidden = !text;
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

  notTaught(one) { this.say('notTaught', { name: short(one.name), text: say(one.refused.why, one.refused) }); }

  // In words why the server has not got everything (see `Way.sent`).
  because(why) {
    const { classes, trouble } = this.work;
    if (why === 'trouble') return inWords(trouble);
    if (why === 'refused') return say('classesFirst', { names: listed(classes.filter((one) => one.refused)) });
    return say(ACTS[why][0], { text: inWords(this.work.reason) });
  }

  // Whether the visitor wants what the question `key` asks; `act` is what its button says.
  sure(key, act = 'startOver') {
    this.dialogText.textContent = say(key);
    write(this.yes, say(act));
    this.dialog.showModal();
    return new Promise((resolve) => { this.answer = resolve; });
  }

  draw() {
    const [text, act] = ACTS[this.work.halted] ?? [];
    this.banner.hidden = !text;
    if (!text) return;
    write(this.bannerText, say(text, { text: inWords(this.work.reason) }));
    write(this.act, say(act));
  }

  actOn(why) {
    if (why === 'forgotten') this.work.sendAgain();
    else if (why === 'offline') this.work.goOn();
    else if (why === 'kind') this.kind('handwriting');
    this.draw();
  }
}

// What the server said is wrong, and what to do about it.
export function inWords(error) {
  return error?.status === 0 ? say('errorOffline') : [error?.message, error?.hint].filter(Boolean).join('; ');
}

// Names that were refused may be long, and many.
const short = (name) => ([...name].length > NAMED.letters ? `${[...name].slice(0, NAMED.letters).join('')}…` : name);
const listed = (classes) => [...classes.slice(0, NAMED.classes).map((one) => short(one.name)), ...(classes.length > NAMED.classes ? ['…'] : [])].join(', ');
