// The paper taken away: from grey values to strength of ink, 0 to 1, or null where there is no ink.

import { threshold } from './grey.js';
import { closedValues } from './morphology.js';
import { clip, cropped, mapped, median, plane, range, ring, round, sum, where } from './plane.js';
import { area, linear } from './resize.js';

const LEAST_CONTRAST = 0.06; // of the full range; a pencil on grey paper has about 0.15
const LOW_SIDE = 64;
const CLOSING = 27; // pixels of a picture reduced to LOW_SIDE: wider than any stroke
const BLUR = 3, BLUR_REACH = 12;
const FIT_SIDE = 32;

// A small finished scan: even paper, so that an MNIST digit stays as it is.
export function liftScan(grey) {
  const [low, high] = range(grey.data);
  const residual = inkIsDark(grey) ? mapped(grey, (value) => high - value) : mapped(grey, (value) => value - low);
  const bare = median(ring(residual));
  const ink = mapped(residual, (value) => Math.max(value - bare, 0));
  const strongest = range(ink.data)[1];
  return strongest < LEAST_CONTRAST ? null : mapped(ink, (value) => value / strongest);
}

// A canvas or photograph: the paper's own light is estimated and taken away.
export function liftPhotograph(grey) {
  const flat = withoutSlope(grey);
  const lightest = range(flat.data)[1];
  const dark = inkIsDark(flat) ? flat : mapped(flat, (value) => lightest - value);
  const paper = paperOf(dark);
  const residual = mapped(dark, (value, at) => Math.max(paper.data[at] - value, 0));
  const edge = threshold(residual);
  const ink = residual.data.filter((value) => value > edge);
  const share = ink.length / residual.data.length;
  if (!(share > 0 && share < 0.7)) return null;
  const strongest = median(ink);
  if (strongest < Math.max(LEAST_CONTRAST, 5 * noise(residual, edge))) return null;
  const middle = clip(edge, 0.3 * strongest, 0.6 * strongest);
  return mapped(residual, (value) => clip(0.5 + (value - middle) / (0.6 * strongest), 0, 1));
}

// A ninth of the paper tells its noise as well.
function noise({ width, height, data }, edge) {
  const bare = [];
  for (let row = 0; row < height; row += 3) {
    for (let column = 0; column < width; column += 3) {
      const value = data[row * width + column];
      if (value <= edge) bare.push(value);
    }
  }
  if (!bare.length) return 0;
  const usual = median(bare);
  return 1.4826 * median(bare.map((value) => Math.abs(Math.fround(value - usual))));
}

// The paper is the lighter of the two classes when that holds the border, or else most of the picture.
function inkIsDark(grey) {
  const edge = threshold(grey);
  const light = where(grey, (value) => value > edge);
  const border = share(ring(light));
  return Math.abs(border - 0.5) > 0.15 ? border > 0.5 : share(light.data) > 0.5;
}

const share = (ones) => sum(ones) / ones.length;

// Less the tilted surface that fits most of the picture: light that falls from one side is not polarity.
function withoutSlope(grey) {
  const low = area(grey, FIT_SIDE, FIT_SIDE);
  const [down, across, both] = robustFit(low);
  const { width, height } = grey;
  const out = plane(width, height);
  for (let row = 0, at = 0; row < height; row += 1) {
    const y = place(row, height);
    for (let column = 0; column < width; column += 1, at += 1) {
      const x = place(column, width);
      out.data[at] = grey.data[at] - (down * y + across * x + both * y * x);
    }
  }
  return out;
}

const place = (index, size) => (index + 0.5) * (2 / size) - 1;

// Coefficients of least absolute deviation, by reweighting: ink and shadows have no say.
function robustFit({ width, height, data }) {
  let fitted = [0, 0, 0, 0];
  for (let turn = 0; turn < 8; turn += 1) {
    const rows = [0, 1, 2, 3].map(() => [0, 0, 0, 0, 0]); // of the normal equations, the right side last
    for (let row = 0, at = 0; row < height; row += 1) {
      for (let column = 0; column < width; column += 1, at += 1) {
        const y = place(row, height), x = place(column, width);
        const term = [y, x, y * x, 1, data[at]];
        const rest = Math.abs(data[at] - y * fitted[0] - x * fitted[1] - y * x * fitted[2] - fitted[3]);
        const weight = turn ? 1 / Math.max(rest, 1e-3) : 1;
        for (let a = 0; a < 4; a += 1) for (let b = 0; b < 5; b += 1) rows[a][b] += term[a] * weight * term[b];
      }
    }
    fitted = solved(rows);
  }
  return fitted;
}

// Gauss's elimination with the largest pivot.
function solved(rows) {
  const size = rows.length;
  for (let step = 0; step < size; step += 1) {
    const pivot = rows.slice(step).reduce((best, row, index) => (Math.abs(row[step]) > Math.abs(rows[best][step]) ? step + index : best), step);
    [rows[step], rows[pivot]] = [rows[pivot], rows[step]];
    for (let below = step + 1; below < size; below += 1) {
      const factor = rows[below][step] / rows[step][step];
      for (let column = step; column <= size; column += 1) rows[below][column] -= factor * rows[step][column];
    }
  }
  const found = new Array(size).fill(0);
  for (let step = size - 1; step >= 0; step -= 1) {
    let value = rows[step][size];
    for (let column = step + 1; column < size; column += 1) value -= rows[step][column] * found[column];
    found[step] = value / rows[step][step];
  }
  return found;
}

// The paper without its dark ink: a closing wider than any stroke, at low resolution, smoothed.
function paperOf(dark) {
  const { width, height } = dark;
  const factor = LOW_SIDE / Math.max(width, height);
  const low = area(dark, Math.max(8, round(width * factor)), Math.max(8, round(height * factor)));
  const around = continued(low, CLOSING);
  const smooth = blurred(closedValues(around, CLOSING));
  return linear(cropped(smooth, CLOSING, CLOSING, low.width, low.height), width, height);
}

// Goes on past the edges as the slope of the light does (odd reflection), so that a closing leaves a slope as it is.
function continued(source, margin) {
  const { width, height, data } = source;
  const out = plane(width + 2 * margin, height + 2 * margin);
  for (let row = 0; row < height; row += 1) {
    const line = data.subarray(row * width, (row + 1) * width);
    for (let column = 0; column < out.width; column += 1) out.data[(row + margin) * out.width + column] = beyond(line, column - margin);
  }
  const line = new Float32Array(height);
  for (let column = 0; column < out.width; column += 1) {
    for (let row = 0; row < height; row += 1) line[row] = out.data[(row + margin) * out.width + column];
    for (let row = 0; row < out.height; row += 1) out.data[row * out.width + column] = beyond(line, row - margin);
  }
  return out;
}

function beyond(line, index) {
  const period = line.length - 1;
  const turns = Math.floor(index / period);
  const first = line[0], last = line[period];
  if (turns % 2 === 0) return line[index - turns * period] + turns * (last - first);
  return first + last + turns * (last - first) - line[(turns + 1) * period - index];
}

// Gaussian; the margin that `continued` left is wider than its reach, so edges do not matter.
function blurred(source) {
  const weights = Array.from({ length: 2 * BLUR_REACH + 1 }, (_, at) => Math.exp(-((at - BLUR_REACH) ** 2) / (2 * BLUR * BLUR)));
  const whole = sum(weights);
  const across = smoothed(source, weights.map((weight) => weight / whole), 1);
  return smoothed(across, weights.map((weight) => weight / whole), source.width);
}

function smoothed({ width, height, data }, weights, step) {
  const out = plane(width, height);
  for (let at = BLUR_REACH * step; at < data.length - BLUR_REACH * step; at += 1) {
    let value = 0;
    for (let near = 0; near < weights.length; near += 1) value += weights[near] * data[at + (near - BLUR_REACH) * step];
    out.data[at] = value;
  }
  return out;
}
