// One channel of a picture, `{ width, height, data }` with the rows one after another, and the questions asked of it.
// Values of light are Float32Array as in Python, so that both round alike; masks are Uint8Array of 0 and 1.

export const plane = (width, height, data = new Float32Array(width * height)) => ({ width, height, data });
export const mask = (width, height, data = new Uint8Array(width * height)) => ({ width, height, data });

export function mapped(source, change) {
  const out = plane(source.width, source.height);
  for (let at = 0; at < out.data.length; at += 1) out.data[at] = change(source.data[at], at);
  return out;
}

export function where(source, test) {
  const out = mask(source.width, source.height);
  for (let at = 0; at < out.data.length; at += 1) out.data[at] = test(source.data[at]) ? 1 : 0;
  return out;
}

export function range(values) {
  let low = Infinity, high = -Infinity;
  for (let at = 0; at < values.length; at += 1) {
    if (values[at] < low) low = values[at];
    if (values[at] > high) high = values[at];
  }
  return [low, high];
}

export function sum(values) {
  let total = 0;
  for (let at = 0; at < values.length; at += 1) total += values[at];
  return total;
}

export function transposed({ width, height, data }) {
  const out = new data.constructor(data.length);
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) out[column * height + row] = data[row * width + column];
  }
  return { width: height, height: width, data: out };
}

export function cropped({ width, data }, left, top, columns, rows) {
  const out = new data.constructor(columns * rows);
  for (let row = 0; row < rows; row += 1) {
    const start = (top + row) * width + left;
    out.set(data.subarray(start, start + columns), row * columns);
  }
  return { width: columns, height: rows, data: out };
}

// `source` in the middle of nothing, `left` and `top` away from the corner.
export function placed(source, width, height, left, top) {
  const data = new source.data.constructor(width * height);
  for (let row = 0; row < source.height; row += 1) {
    data.set(source.data.subarray(row * source.width, (row + 1) * source.width), (top + row) * width + left);
  }
  return { width, height, data };
}

// The values along the border, each once.
export function ring({ width, height, data }) {
  const values = [...data.subarray(0, width), ...data.subarray((height - 1) * width)];
  for (let row = 1; row < height - 1; row += 1) values.push(data[row * width], data[(row + 1) * width - 1]);
  return Float32Array.from(values);
}

// Halves go to the even neighbour, as in Python: 0.5 → 0, 1.5 → 2.
export function round(value) {
  const low = Math.floor(value);
  const over = value - low;
  return over > 0.5 || (over === 0.5 && low % 2 !== 0) ? low + 1 : low;
}

export const clip = (value, low, high) => Math.min(Math.max(value, low), high);

export function median(values) {
  const half = values.length >> 1;
  const copy = Float32Array.from(values);
  const upper = select(copy, half);
  return values.length % 2 ? upper : (range(copy.subarray(0, half))[1] + upper) / 2;
}

// Linear between the two nearest, as numpy's; `share` from 0 to 1.
export function quantile(values, share) {
  const sorted = Float32Array.from(values).sort();
  const place = share * (sorted.length - 1);
  const low = Math.floor(place);
  return sorted[low] + (place - low) * (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]);
}

// Hoare's selection: the value that would stand at `index` if sorted; what is smaller is before it afterwards.
function select(values, index) {
  let low = 0, high = values.length - 1;
  while (low < high) {
    const pivot = values[(low + high) >> 1];
    let left = low, right = high;
    while (left <= right) {
      while (values[left] < pivot) left += 1;
      while (values[right] > pivot) right -= 1;
      if (left <= right) {
        [values[left], values[right]] = [values[right], values[left]];
        left += 1;
        right -= 1;
      }
    }
    if (index <= right) high = right;
    else if (index >= left) low = left;
    else break;
  }
  return values[index];
}
