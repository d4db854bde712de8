// Any picture → what a network of photographs takes: the shorter side resized, the middle cut out. As
// handwriter_models/photograph.py, with Pillow's way of resizing (a triangle or a cubic as wide as the step, in whole bytes).

// `pixels`: { width, height, data } as a canvas gives them. Returns Uint8Array (size, size, 3).
import { round } from './plane.js';

export function preparePhotograph(pixels, { size, resize, bicubic }) {
  const sides = [pixels.width, pixels.height];
  const shorter = Math.min(...sides), wanted = resize || round(size * 8 / 7);
  const [across, down] = sides.map((side) => {
    const whole = Math.max(size, Math.floor((side * wanted) / shorter));
    const scale = side / whole, start = round((whole - size) / 2) * scale;
    return table(side, start, start + size * scale, size, bicubic ? CUBIC : TRIANGLE);
  });
  return upright(level(pixels, across, size), down, size);
}

const TRIANGLE = { reach: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) };
const CUBIC = { reach: 2, weight: cubicWeight };

function cubicWeight(x) {
  const near = Math.abs(x);
  if (near < 1) return (1.5 * near - 2.5) * near * near + 1;
  return near < 2 ? ((near - 5) * near + 8) * near * -0.5 + 2 : 0;
}

// For each pixel of the result the first pixel of the source and the weights from there on.
function table(side, start, end, size, { reach, weight }) {
  const scale = (end - start) / size, wide = Math.max(scale, 1), support = reach * wide;
  return Array.from({ length: size }, (_, at) => {
    const middle = start + (at + 0.5) * scale;
    const from = Math.max(0, Math.trunc(middle - support + 0.5)), to = Math.min(side, Math.trunc(middle + support + 0.5));
    const weights = Array.from({ length: to - from }, (_, near) => weight((near + from - middle + 0.5) / wide));
    const whole = weights.reduce((total, each) => total + each, 0);
    return { from, weights: weights.map((each) => each / whole) };
  });
}

function level({ width, height, data }, columns, size) {
  const out = new Uint8ClampedArray(height * size * 3);
  for (let row = 0; row < height; row += 1) {
    for (const [column, { from, weights }] of columns.entries()) {
      for (let channel = 0; channel < 3; channel += 1) {
        let value = 0;
        for (let near = 0; near < weights.length; near += 1) value += weights[near] * data[(row * width + from + near) * 4 + channel];
        out[(row * size + column) * 3 + channel] = Math.floor(value + 0.5);
      }
    }
  }
  return out;
}

function upright(data, rows, size) {
  const out = new Uint8ClampedArray(size * size * 3), line = size * 3;
  for (const [row, { from, weights }] of rows.entries()) {
    for (let at = 0; at < line; at += 1) {
      let value = 0;
      for (let near = 0; near < weights.length; near += 1) value += weights[near] * data[(from + near) * line + at];
      out[row * line + at] = Math.floor(value + 0.5);
    }
  }
  return new Uint8Array(out.buffer);
}
