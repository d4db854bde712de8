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

// Draws the piece of a stroke that ends at point `index`: curves through the middles of the points look like ink,
// and a piece depends only on points before it, so a stroke can be drawn while it grows.
export function drawPiece(context, stroke, index) {
  const points = stroke.points;
  const [x, y] = points[index];
  context.lineCap = context.lineJoin = 'round';
  context.lineWidth = stroke.width;
  context.beginPath();
  if (index === 0) {
    context.moveTo(x, y);
    context.lineTo(x, y + 0.01); // a dot: a line of no length draws nothing
  } else {
    const [px, py] = points[index - 1];
    const [qx, qy] = points[Math.max(0, index - 2)];
    context.moveTo(index === 1 ? px : (qx + px) / 2, index === 1 ? py : (qy + py) / 2);
    context.quadraticCurveTo(px, py, (px + x) / 2, (py + y) / 2);
    context.lineTo(x, y);
  }
  context.stroke();
}

export function drawStrokes(context, strokes) {
  for (const stroke of strokes) stroke.points.forEach((_, index) => drawPiece(context, stroke, index));
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
