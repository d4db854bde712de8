// How far each pixel of a mask is from the nearest 0, by chamfer steps (Borgefors 1986) in OpenCV's two sizes: to the
// eight neighbours, or with the knight's moves as well. The border of the picture is not a 0.

import { plane } from './plane.js';

const FAR = 1e9;
const [SIDE_3, CORNER_3] = [0.955, 1.3693];
const [SIDE_5, CORNER_5, KNIGHT_5] = [1, 1.4, 2.1969];
const NEAR = [[-1, -1, CORNER_3], [0, -1, SIDE_3], [1, -1, CORNER_3], [-1, 0, SIDE_3]];
const WIDE = [
  [-1, -2, KNIGHT_5], [1, -2, KNIGHT_5], [-2, -1, KNIGHT_5], [-1, -1, CORNER_5], [0, -1, SIDE_5], [1, -1, CORNER_5],
  [2, -1, KNIGHT_5], [-1, 0, SIDE_5],
];

export const nearDistance = (source) => distance(source, NEAR);
export const wideDistance = (source) => distance(source, WIDE);

function distance({ width, height, data }, moves) {
  const line = width + 4; // two pixels of nothing around
  // Sums are rounded at every step, as in OpenCV on Intel's and AMD's processors: what is equal there is equal here.
  const far = new Float32Array(line * (height + 4)).fill(FAR);
  const offsets = moves.map(([across, down]) => down * line + across);
  const costs = Float32Array.from(moves, (move) => move[2]);
  const place = (row, column) => (row + 2) * line + column + 2;
  const reach = (at, sign) => {
    let least = far[at];
    for (let move = 0; move < offsets.length; move += 1) {
      const length = Math.fround(far[at + sign * offsets[move]] + costs[move]);
      if (length < least) least = length;
    }
    far[at] = least;
  };
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const at = place(row, column);
      if (data[row * width + column]) reach(at, 1);
      else far[at] = 0;
    }
  }
  const out = plane(width, height);
  for (let row = height - 1; row >= 0; row -= 1) {
    for (let column = width - 1; column >= 0; column -= 1) {
      const at = place(row, column);
      if (far[at]) reach(at, -1);
      out.data[row * width + column] = far[at];
    }
  }
  return out;
}
