// Growing and shrinking with rectangles, as OpenCV does it: what lies outside the picture has no say, and the middle of
// an even length is the later of its two middle pixels.

import { mapped, mask, plane } from './plane.js';

export const dilated = (source, width, height) => swept(swept(source, width, false, true), height, true, true);
export const eroded = (source, width, height) => swept(swept(source, width, false, false), height, true, false);
export const opened = (source, width, height) => dilated(eroded(source, width, height), width, height);
export const closed = (source, width, height) => eroded(dilated(source, width, height), width, height);

// Of a mask: along rows (or columns) a pixel becomes 1 when any, or all, of `length` pixels around it are 1.
function swept(source, length, upright, any) {
  if (length === 1) return source;
  const { width, height, data } = source;
  const out = mask(width, height);
  const [lines, size, line, step] = upright ? [width, height, 1, width] : [height, width, width, 1];
  const before = length >> 1, after = length - 1 - before;
  const counted = new Int32Array(size + 1);
  for (let number = 0; number < lines; number += 1) {
    for (let at = 0; at < size; at += 1) counted[at + 1] = counted[at] + data[number * line + at * step];
    for (let at = 0; at < size; at += 1) {
      const from = Math.max(at - before, 0), to = Math.min(at + after + 1, size);
      const inside = counted[to] - counted[from];
      out.data[number * line + at * step] = any ? Number(inside > 0) : Number(inside === to - from);
    }
  }
  return out;
}

// The closing of values by a square of odd length: the largest around, then the smallest around that.
export function closedValues(source, length) {
  const negated = (values) => mapped(values, (value) => -value);
  return negated(largestAround(negated(largestAround(source, length)), length));
}

export const largestAround = (source, length) => largestAlong(largestAlong(source, length, false), length, true);

function largestAlong({ width, height, data }, length, upright) {
  const out = plane(width, height);
  const [lines, size, line, step] = upright ? [width, height, 1, width] : [height, width, width, 1];
  const half = length >> 1;
  for (let number = 0; number < lines; number += 1) {
    for (let at = 0; at < size; at += 1) {
      const last = Math.min(at + half, size - 1);
      let best = -Infinity;
      for (let near = Math.max(at - half, 0); near <= last; near += 1) {
        const value = data[number * line + near * step];
        if (value > best) best = value;
      }
      out.data[number * line + at * step] = best;
    }
  }
  return out;
}
