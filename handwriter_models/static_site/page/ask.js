// Asks the model of this page what a picture shows. While somebody draws there is a new picture at every move of the
// pen: pictures are offered, and the newest one is read as soon as the one before is done and the pen had its turn.

const BREATH = 24; // milliseconds for the pen between two answers

export class Asker {
  // reader() is the model that is asked, null until it is known: then `repeat` asks; answered(answer, settled), settled: the picture is finished for now.
  constructor({ reader, answered, failed }) {
    Object.assign(this, { reader, answered, failed });
    this.made = null; // makes the pixels of the newest picture; kept so that another model can be asked about it
    this.turn = 0; // of what may still be shown
    this.waiting = this.settled = this.busy = false;
  }

  offer(make, settled = false) {
    Object.assign(this, { made: make, waiting: true, settled });
    this.work();
  }

  repeat() {
    if (this.made) this.offer(this.made, true);
  }

  // What is still on its way will not be shown.
  forget() {
    this.made = null;
    this.waiting = false;
    this.turn += 1;
  }

  async work() {
    if (this.busy || !this.reader()) return;
    this.busy = true;
    while (this.waiting) {
      this.waiting = false;
      await this.ask(this.made, this.settled, this.turn);
      await new Promise((resolve) => setTimeout(resolve, BREATH));
    }
    this.busy = false;
  }

  async ask(make, settled, turn) {
    const asked = this.reader();
    const started = performance.now();
    try {
      const answer = await asked.answer(await make());
      // The model was changed meanwhile: the new one is asked about the same picture.
      if (turn === this.turn && asked === this.reader()) this.answered({ ...answer, there_and_back: performance.now() - started }, settled);
    } catch (error) {
      if (turn === this.turn) this.failed(error);
    }
  }
}
