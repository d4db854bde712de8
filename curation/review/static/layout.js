// Where everything lies: pure arithmetic over thousands of sections, no elements. A place is an index into `ids`.

const GAP = 8, CAPTION = 22, MOST_TILES = 84;

// The largest i with list[i] <= value.
function last(list, value) {
  let low = 0, high = list.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (list[middle] <= value) low = middle; else high = middle - 1;
  }
  return low;
}

export class Layout {
  constructor(starts, count, width, height, head) {
    Object.assign(this, { starts, count, head });
    const usable = width - GAP;
    let side = width < 600 ? 108 : 132;
    do { // larger tiles on larger screens: the page stays small
      side += 4;
      this.columns = Math.max(1, Math.floor(usable / (side + GAP)));
      this.rowsOnScreen = Math.max(1, Math.floor(height / (side + CAPTION + GAP)));
    } while (this.columns * (this.rowsOnScreen + 2) > MOST_TILES && side < 400);
    this.side = Math.floor(usable / this.columns - GAP);
    this.pitch = this.side + CAPTION + GAP;
    this.tops = new Float64Array(starts.length + 1);
    for (let i = 0; i < starts.length; i += 1) {
      this.tops[i + 1] = this.tops[i] + head + Math.ceil(this.size(i) / this.columns) * this.pitch;
    }
    this.height = this.tops[starts.length] + GAP;
  }

  size(section) { return (this.starts[section + 1] ?? this.count) - this.starts[section]; }

  section(place) { return last(this.starts, place); }

  box(place) {
    const section = this.section(place), inside = place - this.starts[section];
    const row = Math.floor(inside / this.columns), column = inside % this.columns;
    return { x: GAP + column * (this.side + GAP), y: this.tops[section] + this.head + row * this.pitch, section };
  }

  // Sections and places between two heights.
  between(top, bottom) {
    const sections = [], places = [];
    if (!this.count) return { sections, places };
    for (let i = last(this.tops.subarray(0, this.starts.length), Math.max(top, 0)); i < this.starts.length && this.tops[i] < bottom; i += 1) {
      sections.push(i);
      const start = this.tops[i] + this.head, rows = Math.ceil(this.size(i) / this.columns);
      const first = Math.max(0, Math.floor((top - start) / this.pitch)), end = Math.min(rows, Math.ceil((bottom - start) / this.pitch));
      for (let inside = first * this.columns; inside < Math.min(end * this.columns, this.size(i)); inside += 1) places.push(this.starts[i] + inside);
    }
    return { sections, places };
  }

  // The place above or below: in the same column, or in the last one of a shorter row.
  vertical(place, down) {
    const section = this.section(place), inside = place - this.starts[section];
    const column = inside % this.columns, next = inside + (down ? this.columns : -this.columns);
    if (next >= 0 && next < this.size(section)) return this.starts[section] + next;
    const lastRow = Math.floor((this.size(section) - 1) / this.columns);
    if (down && Math.floor(inside / this.columns) < lastRow) return this.starts[section] + this.size(section) - 1;
    const other = section + (down ? 1 : -1);
    if (other < 0 || other >= this.starts.length) return place;
    const size = this.size(other), row = down ? 0 : Math.floor((size - 1) / this.columns) * this.columns;
    return this.starts[other] + Math.min(row + column, size - 1);
  }
}
