// Connected pieces of a mask, neighbours on all eight sides: a number for each pixel (0: none) and a box for each piece.

import { mask } from './plane.js';

export function components({ width, height, data }) {
  const labels = new Int32Array(width * height);
  const parents = [0];
  for (let row = 0, at = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1, at += 1) {
      if (data[at]) labels[at] = joined(labels, parents, at, row, column, width);
    }
  }
  const numbers = renumbered(parents);
  const pieces = [];
  for (let row = 0, at = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1, at += 1) {
      if (!labels[at]) continue;
      labels[at] = numbers[root(parents, labels[at])];
      grow(pieces, labels[at] - 1, row, column);
    }
  }
  return { labels, pieces };
}

// The piece of the neighbours that were met already; a new one when there is none.
function joined(labels, parents, at, row, column, width) {
  let label = 0;
  const meet = (near) => {
    if (!labels[near]) return;
    const other = root(parents, labels[near]);
    if (label && other !== label) parents[Math.max(other, label)] = Math.min(other, label);
    label = label ? Math.min(other, label) : other;
  };
  if (column > 0) meet(at - 1);
  if (row > 0) {
    if (column > 0) meet(at - width - 1);
    meet(at - width);
    if (column < width - 1) meet(at - width + 1);
  }
  if (!label) label = parents.push(parents.length) - 1;
  return label;
}

function root(parents, label) {
  while (parents[label] !== label) {
    parents[label] = parents[parents[label]];
    label = parents[label];
  }
  return label;
}

function renumbered(parents) {
  const numbers = new Int32Array(parents.length);
  let count = 0;
  for (let label = 1; label < parents.length; label += 1) {
    if (parents[label] === label) numbers[label] = ++count;
  }
  return numbers;
}

function grow(pieces, index, row, column) {
  const piece = (pieces[index] ??= { area: 0, left: column, top: row, right: column + 1, bottom: row + 1 });
  piece.area += 1;
  piece.left = Math.min(piece.left, column);
  piece.right = Math.max(piece.right, column + 1);
  piece.bottom = row + 1;
}

// The mask of those pieces for which `test(piece, index)` holds.
export function piecesWhere({ width, height }, { labels, pieces }, test) {
  const chosen = Uint8Array.from([0, ...pieces.map((piece, at) => Number(test(piece, at)))]);
  const out = mask(width, height);
  for (let at = 0; at < labels.length; at += 1) out.data[at] = chosen[labels[at]];
  return out;
}
