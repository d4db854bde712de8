// What is on the paper beside the character: ruled lines, specks, neighbours, and how they are dropped. As
// handwriter_models/cleaning.py, on masks of canvases and photographs.

import { components, piecesWhere } from './components.js';
import { nearDistance } from './distance.js';
import { closed, dilated, opened } from './morphology.js';
import { mask, sum, transposed } from './plane.js';

const SPAN = 0.9; // a ruled line runs over at least this share of the picture, from edge to edge
const NEAR = 0.6; // strokes of one character lie within this share of its longest side

export function withoutRuledLines(source) {
  return transposed(withoutLevelLines(transposed(withoutLevelLines(source))));
}

function withoutLevelLines(source) {
  const { width, height } = source;
  if (!touches(source, 0) || !touches(source, width - 1)) return source;
  const lines = linesOf(source);
  const inked = sum(lines.data);
  if (!inked) return source;
  const count = components(lines).pieces.length;
  const thickness = inked / width / Math.max(1, count);
  // What is much thicker than the line is a stroke that runs along it.
  const strokes = opened(source, 1, Math.ceil(1.6 * thickness) + 1);
  const gone = dilated(lines, 1, 3);
  const rest = mask(width, height, source.data.map((value, at) => (gone.data[at] && !strokes.data[at] ? 0 : value)));
  if (!isRuling(inked, count, rest, thickness)) return source;
  const mended = closed(rest, 1, Math.ceil(thickness) + 4);
  return mask(width, height, source.data.map((value, at) => value & mended.data[at]));
}

function touches({ width, data }, column) {
  for (let at = column; at < data.length; at += width) if (data[at]) return true;
  return false;
}

// Thin pieces that run from edge to edge.
function linesOf(source) {
  const { width, height } = source;
  const runs = closed(opened(source, Math.max(9, Math.floor(width / 10)), 1), 15, 3);
  const isLine = (piece) => piece.right - piece.left >= SPAN * width && piece.bottom - piece.top <= 0.12 * height;
  return piecesWhere(source, components(runs), isLine);
}

// Whether these are lines of the paper: something is left without them, and its strokes are thicker.
function isRuling(inked, count, rest, thickness) {
  const left = sum(rest.data);
  if (left < 0.15 * inked) return false;
  return count > 1 || thickness < 0.75 * Math.max(1, (4 * sum(nearDistance(rest).data)) / left - 2);
}

// Its largest stroke and all that lies near it, without specks.
export function keepOneCharacter(source) {
  const found = components(source), pieces = found.pieces;
  if (pieces.length <= 1) return source;
  const weights = pieces.map((piece) => innerWeight(piece, source));
  const main = pieces.reduce((best, piece, at) => (piece.area * weights[at] > pieces[best].area * weights[best] ? at : best), 0);
  const speck = Math.max(0.012 * pieces[main].area, 3);
  const candidates = [...pieces.keys()].filter((at) => at !== main && pieces[at].area >= speck && weights[at] >= weights[main]);
  const kept = new Set(near(pieces, candidates, main));
  return piecesWhere(source, found, (_, at) => kept.has(at));
}

// 1, less for what touches the edge: the rim of the paper, a shadow, a finger.
function innerWeight(piece, { width, height }) {
  const across = Number(piece.left <= 1) + Number(piece.right >= width - 1);
  const down = Number(piece.top <= 1) + Number(piece.bottom >= height - 1);
  if (across + down >= 3) return 0.005;
  if (across === 2 || down === 2) return 0.05;
  return across + down >= 2 ? 0.2 : 1;
}

// What is joined to `main`, each within NEAR of the side of what is joined already.
function near(pieces, candidates, main) {
  const kept = [main], box = { ...pieces[main] };
  let waiting = candidates;
  for (let grown = true; grown;) {
    const reach = NEAR * Math.max(box.right - box.left, box.bottom - box.top);
    const next = waiting.find((at) => gap(pieces[at], box) <= reach);
    grown = next !== undefined;
    if (!grown) break;
    kept.push(next);
    waiting = waiting.filter((at) => at !== next);
    const other = pieces[next];
    box.left = Math.min(box.left, other.left);
    box.top = Math.min(box.top, other.top);
    box.right = Math.max(box.right, other.right);
    box.bottom = Math.max(box.bottom, other.bottom);
  }
  return kept;
}

const gap = (a, b) => Math.max(a.left - b.right, b.left - a.right, a.top - b.bottom, b.top - a.bottom);
