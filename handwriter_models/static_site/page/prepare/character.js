// Any picture of one character → 28x28 bytes, white ink on black, as MNIST has it: what handwriter_models/ink.py does,
// step by step and with its numbers, because a network must not meet a picture that was made ready in another way than
// those it learned from. A test compares the two on real pictures.

import { keepOneCharacter, withoutRuledLines } from './cleaning.js';
import { nearDistance, wideDistance } from './distance.js';
import { greyOf } from './grey.js';
import { largestAround } from './morphology.js';
import { liftPhotograph, liftScan } from './paper.js';
import { clip, cropped, mapped, mask, placed, quantile, range, round, sum, where } from './plane.js';
import { area, cubic } from './resize.js';

export const SIDE = 28;
const BOX = 20;
// Width of strokes in pixels of the 28x28 picture: in between it is left; what lies outside is brought well inside.
const NARROWEST = 1.35, WIDEST = 4.3, THINNER = 2.1, THICKER = 3.3;
const LARGEST = 512; // longer sides are reduced first
const SMALL = 64; // up to here a picture is a finished scan of one character

// `pixels`: { width, height, data } as a canvas gives them, opaque. Returns { pixels: Uint8Array, blank }.
export function prepareCharacter(pixels) {
  const grey = reduced(greyOf(pixels));
  const small = Math.max(grey.width, grey.height) <= SMALL;
  const lifted = small ? liftScan(grey) : liftPhotograph(grey);
  if (!lifted) return blank();
  const character = toInk(small ? lifted : alone(lifted));
  return character ? { pixels: scaled(character), blank: false } : blank();
}

const blank = () => ({ pixels: new Uint8Array(SIDE * SIDE), blank: true });

function reduced(grey) {
  const factor = LARGEST / Math.max(grey.width, grey.height);
  if (factor >= 1) return grey;
  return area(grey, Math.max(1, round(grey.width * factor)), Math.max(1, round(grey.height * factor)));
}

function alone(strength) {
  const kept = keepOneCharacter(withoutRuledLines(where(strength, (value) => value > 0.5)));
  return mapped(strength, (value, at) => value * kept.data[at]);
}

// Cut out where there is ink; null where there is none.
function toInk(strength) {
  const { width, height, data } = strength;
  let left = width, right = -1, top = height, bottom = -1;
  for (let row = 0, at = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1, at += 1) {
      if (data[at] <= LEAST) continue;
      left = Math.min(left, column);
      right = Math.max(right, column);
      top = Math.min(top, row);
      bottom = row;
    }
  }
  return right < 0 ? null : cropped(strength, left, top, right - left + 1, bottom - top + 1);
}

const LEAST = Math.fround(0.2); // 51 of 255 is exactly this, and not above it

// From the mean distance to the paper: across a stroke of width w it runs 1 … w/2 … 1, so its mean is (w + 2) / 4.
function strokeWidth(inside) {
  const inked = sum(inside.data);
  if (!inked) return 0;
  const around = placed(inside, inside.width + 2, inside.height + 2, 1, 1);
  return Math.max(1, (4 * sum(nearDistance(around).data)) / inked - 2);
}

// In the 20-box of a 28x28 picture, its stroke width restored when out of range.
function scaled(character) {
  const longest = Math.max(character.width, character.height);
  const finish = longest <= 5 * BOX ? 4 : 8; // pixels of working resolution for one of the result
  const box = BOX * finish;
  const working = resized(character, box / longest);
  const width = strokeWidth(where(working, (value) => value > 0.5)) / finish;
  // A scan coarser than the box does not show how wide its strokes are: thinning would close loops, not open them.
  if ((NARROWEST <= width && width <= WIDEST) || (width > WIDEST && longest < BOX)) {
    return Math.abs(longest - BOX) <= 1 ? centred(character, 1) : centred(working, finish);
  }
  const wanted = width < NARROWEST ? THINNER : THICKER;
  const backbone = Math.max(BOX - width, 2); // the longest side of the strokes' middle line
  const factor = Math.min((BOX - wanted) / backbone, 3);
  const grown = withWidth(resized(character, (factor * box) / longest), ((wanted - width * factor) / 2) * finish);
  return centred(grown, finish);
}

function resized(character, factor) {
  const width = Math.max(1, round(character.width * factor)), height = Math.max(1, round(character.height * factor));
  const other = factor < 1 ? area(character, width, height) : cubic(character, width, height);
  return mapped(other, (value) => clip(value, 0, 1));
}

// Strokes grown (or thinned, when negative) by `growth` pixels on each side, with a soft edge.
function withWidth(character, growth) {
  const margin = Math.max(2, Math.ceil(growth) + 2);
  const padded = placed(character, character.width + 2 * margin, character.height + 2 * margin, margin, margin);
  // A stroke thinner than a pixel is never half covered: take what is there.
  const edge = Math.min(0.5, 0.5 * range(padded.data)[1]);
  const inked = where(padded, (value) => value > edge);
  const inside = wideDistance(inked);
  const outside = wideDistance(mask(inked.width, inked.height, inked.data.map((value) => 1 - value)));
  const most = growth < 0 ? Math.max(growth, 1 - quantile(ridge(inside), 0.2)) : growth; // no fine part is thinned away
  const soft = mapped(inside, (value, at) => clip(0.5 + most - (inked.data[at] ? 0.5 - value : outside.data[at] - 0.5), 0, 1));
  return toInk(soft) ?? character;
}

// The distances along the middle of the strokes, where they are greatest among the neighbours.
function ridge(inside) {
  const around = largestAround(inside, 3);
  return inside.data.filter((value, at) => value > 0 && value >= around.data[at]);
}

// 28x28, the centre of mass in the middle of pixel 14 as MNIST has it, as far as the character stays inside.
function centred(character, finish) {
  const side = SIDE * finish, centre = 14.5 * finish;
  const longest = Math.max(character.width, character.height);
  const fitting = longest > side ? resized(character, side / longest) : character;
  const { width, height } = fitting;
  const [x, y] = massMiddle(fitting);
  const top = Math.min(Math.max(round(centre - y), 0), side - height);
  const left = Math.min(Math.max(round(centre - x), 0), side - width);
  const canvas = placed(fitting, side, side, left, top);
  return Uint8Array.from(finish > 1 ? brightened(area(canvas, SIDE, SIDE)) : canvas.data, (value) => round(value * 255));
}

function brightened(small) {
  const most = Math.max(range(small.data)[1], 1e-6);
  return mapped(small, (value) => value / most).data;
}

function massMiddle({ width, height, data }) {
  let mass = 0, across = 0, down = 0;
  for (let row = 0, at = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1, at += 1) {
      mass += data[at];
      across += data[at] * column;
      down += data[at] * row;
    }
  }
  return [across / mass + 0.5, down / mass + 0.5];
}
