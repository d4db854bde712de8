// From colours to one channel, and where ink ends and paper begins.

import { plane, range, sum } from './plane.js';

// Values of 0 to 1; of a coloured picture the direction of colour with most contrast (first axis of its PCA).
// `pixels`: { width, height, data } with four bytes a pixel, as a canvas gives them.
export function greyOf(pixels) {
  const sample = sampled(pixels);
  const axis = spread(sample) < 2 ? null : mainAxis(covariance(sample));
  const out = plane(pixels.width, pixels.height);
  const weights = axis ? scaled(axis) : [0, 1 / 255, 0];
  for (let at = 0; at < out.data.length; at += 1) {
    const from = at * 4;
    out.data[at] = weights[0] * pixels.data[from] + weights[1] * pixels.data[from + 1] + weights[2] * pixels.data[from + 2];
  }
  return axis ? lifted(out) : out;
}

// A negative weight may have pushed values below 0.
function lifted(grey) {
  const low = Math.min(0, range(grey.data)[0]);
  if (low < 0) for (let at = 0; at < grey.data.length; at += 1) grey.data[at] -= low;
  return grey;
}

function scaled(axis) {
  const whole = 255 * axis.reduce((total, each) => total + Math.abs(each), 0);
  return axis.map((each) => each / whole);
}

// At most some 128 x 128 colours, evenly taken.
function sampled({ width, height, data }) {
  const down = Math.max(1, Math.floor(height / 64)), across = Math.max(1, Math.floor(width / 64));
  const colours = [];
  for (let row = 0; row < height; row += down) {
    for (let column = 0; column < width; column += across) {
      const at = (row * width + column) * 4;
      colours.push([data[at], data[at + 1], data[at + 2]]);
    }
  }
  return colours;
}

const spread = (colours) => colours.reduce((total, colour) => total + Math.max(...colour) - Math.min(...colour), 0) / colours.length;

function covariance(colours) {
  const means = [0, 1, 2].map((channel) => colours.reduce((total, colour) => total + colour[channel], 0) / colours.length);
  const both = (a, b) => colours.reduce((total, colour) => total + (colour[a] - means[a]) * (colour[b] - means[b]), 0);
  return [0, 1, 2].map((a) => [0, 1, 2].map((b) => both(a, b) / colours.length));
}

// The eigenvector of the largest eigenvalue (Jacobi's rotations), turned so that more light is more.
export function mainAxis(matrix) {
  const values = matrix.map((row) => [...row]);
  const vectors = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
  for (let turn = 0; turn < 30; turn += 1) for (const [a, b] of [[0, 1], [0, 2], [1, 2]]) rotate(values, vectors, a, b);
  const best = [0, 1, 2].reduce((most, each) => (values[each][each] > values[most][most] ? each : most), 0);
  const axis = vectors.map((row) => row[best]);
  const sign = Math.sign(sum(axis)) || 1;
  return axis.map((each) => each * sign);
}

function rotate(values, vectors, a, b) {
  if (Math.abs(values[a][b]) < 1e-300) return;
  const angle = (values[b][b] - values[a][a]) / (2 * values[a][b]);
  const tangent = (angle < 0 ? -1 : 1) / (Math.abs(angle) + Math.hypot(angle, 1));
  const cosine = 1 / Math.hypot(tangent, 1), sine = tangent * cosine;
  const turn = (first, second) => [cosine * first - sine * second, sine * first + cosine * second];
  for (const row of values) [row[a], row[b]] = turn(row[a], row[b]);
  for (let column = 0; column < 3; column += 1) [values[a][column], values[b][column]] = turn(values[a][column], values[b][column]);
  for (const row of vectors) [row[a], row[b]] = turn(row[a], row[b]);
}

// Otsu's threshold (1979) of values in their own range; rounded as they are, because it is compared with them.
export function threshold({ data }) {
  const [low, high] = range(data);
  if (high - low < 1e-6) return low;
  const factor = Math.fround(255 / (high - low));
  const counts = new Float64Array(256);
  for (let at = 0; at < data.length; at += 1) counts[Math.fround(Math.fround(data[at] - low) * factor) | 0] += 1;
  return Math.fround(low + ((high - low) * (otsu(counts, data.length) + 0.5)) / 255);
}

const LEAST = 2 ** -23;

function otsu(counts, total) {
  const mean = counts.reduce((all, count, level) => all + level * count, 0) / total;
  let best = 0, most = 0, share = 0, below = 0;
  for (let level = 0; level < 256; level += 1) {
    const here = counts[level] / total;
    below *= share;
    share += here;
    const rest = 1 - share;
    if (Math.min(share, rest) < LEAST || Math.max(share, rest) > 1 - LEAST) continue;
    below = (below + level * here) / share;
    const above = (mean - share * below) / rest;
    const between = share * rest * (below - above) ** 2;
    if (between > most) [most, best] = [between, level];
  }
  return best;
}
