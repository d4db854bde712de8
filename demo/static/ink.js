// Strokes: how they are drawn, and how they can be undone. Coordinates are those of a paper of PAPER x PAPER, whatever
// its size on the screen, so that the same strokes make the picture that is seen and the picture that is sent.

export const PAPER = 280;

export class Strokes {
  constructor() {
    this.past = [];
    this.future = [];
    this.now = [];
  }

  change(strokes) {
    this.past.push(this.now);
    this.future = [];
    this.now = strokes;
  }

  add(stroke) { this.change([...this.now, stroke]); }
  clear() { if (this.now.length) this.change([]); }

  undo() {
    if (this.past.length) { this.future.push(this.now); this.now = this.past.pop(); }
  }

  redo() {
    if (this.future.length) { this.past.push(this.now); this.now = this.future.pop(); }
  }
}

// Draws the piece of a stroke that its point `index` completes: curves through the middles between points look like
// ink, and a piece depends only on points before it, so a stroke can be drawn while it grows.
export function drawPiece(context, stroke, index) {
  const [a, b, c] = [index - 2, index - 1, index].map((each) => stroke.points[Math.max(0, each)]);
  const from = index === 1 ? a : middle(a, b);
  begin(context, stroke, from);
  context.quadraticCurveTo(...b, ...(index === 0 ? [c[0], c[1] + 0.01] : middle(b, c))); // no length, no dot
  context.stroke();
}

// The last half: from the last middle to where the pen is.
export function drawTail(context, stroke) {
  const [b, c] = stroke.points.slice(-2);
  if (!c) return;
  begin(context, stroke, middle(b, c));
  context.lineTo(...c);
  context.stroke();
}

export function drawStrokes(context, strokes) {
  for (const stroke of strokes) {
    stroke.points.forEach((_, index) => drawPiece(context, stroke, index));
    drawTail(context, stroke);
  }
}

const middle = (a, b) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];

function begin(context, stroke, from) {
  context.lineCap = context.lineJoin = 'round';
  context.lineWidth = stroke.width;
  context.beginPath();
  context.moveTo(...from);
}

// A canvas of PAPER x PAPER, black on white in every theme: what the server is given.
export class Sheet {
  constructor() {
    this.canvas = document.createElement('canvas');
    this.canvas.width = this.canvas.height = PAPER;
    this.context = this.canvas.getContext('2d', { willReadFrequently: true });
    this.redraw([]);
  }

  redraw(strokes) {
    this.context.fillStyle = '#fff';
    this.context.fillRect(0, 0, PAPER, PAPER);
    this.context.strokeStyle = '#000';
    drawStrokes(this.context, strokes);
  }

  // toBlob waits for an idle moment, some 8 ms; a data URL comes at once.
  png() {
    const bytes = atob(this.canvas.toDataURL('image/png').split(',')[1]);
    return new File([Uint8Array.from(bytes, (letter) => letter.charCodeAt(0))], 'drawing.png', { type: 'image/png' });
  }
}
