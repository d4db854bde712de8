// Other sizes of a plane as OpenCV makes them: the mean of an area, bilinear, bicubic. Each is done first along the rows
// and then along the columns, by a table of [place in the source, place in the result, weight].

import { clip, plane } from './plane.js';

// INTER_AREA. Where a side grows OpenCV takes a kind of bilinear instead, for both sides.
export function area(source, width, height) {
  if (width === source.width && height === source.height) return source;
  const table = width <= source.width && height <= source.height ? areaTable : growingAreaTable;
  return through(source, table(source.width, width), table(source.height, height), width, height);
}

export function linear(source, width, height) {
  if (width === source.width && height === source.height) return source;
  return through(source, linearTable(source.width, width), linearTable(source.height, height), width, height);
}

export function cubic(source, width, height) {
  if (width === source.width && height === source.height) return source;
  return through(source, cubicTable(source.width, width), cubicTable(source.height, height), width, height);
}

// Tables are sorted by their place in the result, so one source row is reduced once, when it is first asked for.
function through(source, across, down, width, height) {
  const out = plane(width, height);
  const rows = new Map();
  for (let entry = 0; entry < down.from.length; entry += 1) {
    const row = reducedRow(source, down.from[entry], across, width, rows);
    const weight = down.weight[entry];
    const start = down.to[entry] * width;
    for (let column = 0; column < width; column += 1) out.data[start + column] += row[column] * weight;
  }
  return out;
}

function reducedRow(source, number, { from, to, weight }, width, kept) {
  const known = kept.get(number);
  if (known) return known;
  const row = new Float32Array(width);
  const start = number * source.width;
  for (let entry = 0; entry < from.length; entry += 1) row[to[entry]] += source.data[start + from[entry]] * weight[entry];
  kept.set(number, row);
  if (kept.size > 8) kept.delete(kept.keys().next().value); // four neighbours are all that bicubic wants
  return row;
}

function tableOf(entries) {
  const table = { from: new Int32Array(entries.length), to: new Int32Array(entries.length), weight: new Float32Array(entries.length) };
  for (let at = 0; at < entries.length; at += 1) [table.from[at], table.to[at], table.weight[at]] = entries[at];
  return table;
}

function areaTable(before, after) {
  const scale = before / after;
  const entries = [];
  for (let to = 0; to < after; to += 1) {
    const begin = to * scale, end = begin + scale;
    const cell = Math.min(scale, before - begin);
    const last = Math.min(Math.floor(end), before - 1), first = Math.min(Math.ceil(begin), last);
    if (first - begin > 1e-3) entries.push([first - 1, to, (first - begin) / cell]);
    for (let from = first; from < last; from += 1) entries.push([from, to, 1 / cell]);
    if (end - last > 1e-3) entries.push([last, to, Math.min(end - last, 1, cell) / cell]);
  }
  return tableOf(entries);
}

function growingAreaTable(before, after) {
  const scale = before / after;
  return pairs(before, after, (to) => {
    const from = Math.floor(to * scale);
    const share = to + 1 - (from + 1) / scale;
    return [from, share <= 0 ? 0 : share - Math.floor(share)];
  });
}

function linearTable(before, after) {
  const scale = before / after;
  return pairs(before, after, (to) => {
    const place = (to + 0.5) * scale - 0.5;
    return [Math.floor(place), place - Math.floor(place)];
  });
}

function pairs(before, after, at) {
  const entries = [];
  for (let to = 0; to < after; to += 1) {
    let [from, share] = at(to);
    if (from < 0) [from, share] = [0, 0];
    if (from >= before - 1) [from, share] = [before - 1, 0];
    entries.push([from, to, 1 - share], [Math.min(from + 1, before - 1), to, share]);
  }
  return tableOf(entries);
}

const SHARPNESS = -0.75;

function cubicTable(before, after) {
  const scale = before / after;
  const entries = [];
  for (let to = 0; to < after; to += 1) {
    const place = (to + 0.5) * scale - 0.5;
    const from = Math.floor(place);
    for (const [step, weight] of cubicWeights(place - from).entries()) {
      entries.push([clip(from - 1 + step, 0, before - 1), to, weight]);
    }
  }
  return tableOf(entries);
}

function cubicWeights(share) {
  const outer = (x) => ((SHARPNESS * (x + 1) - 5 * SHARPNESS) * (x + 1) + 8 * SHARPNESS) * (x + 1) - 4 * SHARPNESS;
  const inner = (x) => ((SHARPNESS + 2) * x - (SHARPNESS + 3)) * x * x + 1;
  const weights = [outer(share), inner(share), inner(1 - share)];
  return [...weights, 1 - weights[0] - weights[1] - weights[2]];
}
