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

// Ink is a curve through the middles between points. While a stroke grows, the piece that its point `index` completes is
// enough: it depends only on points before it.
export function drawPiece(context, stroke, index) {
  const points = stroke.points;
  begin(context, stroke, index < 2 ? points[0] : middle(points[index - 2], points[index - 1]));
  bend(context, points, index);
  context.stroke();
}

// Whole strokes, each as one path: pieces that overlap have rough edges.
export function drawStrokes(context, strokes) {
  for (const stroke of strokes) {
    const points = stroke.points;
    begin(context, stroke, points[0]);
    if (points.length === 1) bend(context, points, 0);
    for (let index = 1; index < points.length; index += 1) bend(context, points, index);
    if (points.length > 1) context.lineTo(...points.at(-1));
    context.stroke();
  }
}

const middle = (a, b) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];

function begin(context, stroke, [x, y]) {
  context.lineCap = context.lineJoin = 'round';
  context.lineWidth = stroke.width;
  context.beginPath();
  context.moveTo(x, y);
}

function bend(context, points, index) {
  const [x, y] = points[index];
  if (index === 0) context.lineTo(x, y + 0.01); // a dot: a line of no length draws nothing
  else context.quadraticCurveTo(...points[index - 1], ...middle(points[index - 1], [x, y]));
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
