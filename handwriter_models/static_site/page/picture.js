// From a file to pixels as the server reads them: turned as its EXIF says, transparency on white, the first frame of an
// animation, a large picture reduced by a whole number until its longer side is between ENOUGH and twice that.
// The browser decodes, so what it cannot read (TIFF) is refused. The file never leaves the page.

const ENOUGH = 1024;
const MOST = 40_000_000; // pixels
const BAND = 512; // rows at a time: a large picture is never held twice

export class PictureFault extends Error {
  constructor(key) {
    super(key);
    this.key = key; // of the text that tells it
  }
}

// { width, height, data } with four bytes a pixel.
export async function pixelsOf(file) {
  const bitmap = await decoded(file);
  try {
    if (bitmap.width * bitmap.height > MOST) throw new PictureFault('error413');
    const longest = Math.max(bitmap.width, bitmap.height);
    let step = 1;
    while (step < 8 && longest >= 2 * step * ENOUGH) step *= 2; // 8 is as far as a JPEG can be reduced on the server
    return reduced(bitmap, step);
  } finally {
    bitmap.close();
  }
}

async function decoded(file) {
  try {
    return await createImageBitmap(file, { colorSpaceConversion: 'none', imageOrientation: 'from-image' });
  } catch {
    throw new PictureFault(file.size ? 'error415' : 'error400');
  }
}

function reduced(bitmap, step) {
  const width = Math.ceil(bitmap.width / step), height = Math.ceil(bitmap.height / step);
  const out = { width, height, data: new Uint8ClampedArray(width * height * 4) };
  const canvas = new OffscreenCanvas(bitmap.width, Math.min(BAND, bitmap.height));
  const context = canvas.getContext('2d', { willReadFrequently: true });
  for (let top = 0; top < bitmap.height; top += BAND) {
    const rows = Math.min(BAND, bitmap.height - top);
    context.fillStyle = '#fff';
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(bitmap, 0, top, bitmap.width, rows, 0, 0, bitmap.width, rows);
    const band = context.getImageData(0, 0, bitmap.width, rows);
    if (step === 1) out.data.set(band.data, top * width * 4);
    else meanBlocks(band, step, out, top / step);
  }
  return out;
}

// Each pixel the mean of a block of step x step; at the right and lower edge of what is left of it.
function meanBlocks(band, step, out, firstRow) {
  for (let row = 0; row * step < band.height; row += 1) {
    const bottom = Math.min((row + 1) * step, band.height);
    for (let column = 0; column < out.width; column += 1) {
      const right = Math.min((column + 1) * step, band.width);
      const sums = [0, 0, 0, 0];
      for (let y = row * step; y < bottom; y += 1) {
        for (let at = (y * band.width + column * step) * 4; at < (y * band.width + right) * 4; at += 1) sums[at & 3] += band.data[at];
      }
      const count = (bottom - row * step) * (right - column * step);
      for (let channel = 0; channel < 4; channel += 1) out.data[((firstRow + row) * out.width + column) * 4 + channel] = sums[channel] / count;
    }
  }
}
