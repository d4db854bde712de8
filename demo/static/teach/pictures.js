// Files as they are sent: turned upright and made smaller by the browser where it can read them, or else as they are.

const LONGEST = { handwriting: 1024, photographs: 640 }; // pixels; more than the server keeps

export async function shrunk(file, kind) {
  let picture;
  try {
    picture = await createImageBitmap(file, { imageOrientation: 'from-image' });
  } catch {
    return file; // a TIFF, or no picture: the server knows
  }
  const factor = Math.min(1, LONGEST[kind] / Math.max(picture.width, picture.height));
  if (factor === 1 && file.size < 200_000) return file;
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(picture.width * factor));
  canvas.height = Math.max(1, Math.round(picture.height * factor));
  const context = canvas.getContext('2d');
  context.fillStyle = '#fff'; // what is transparent is paper
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.92));
  return blob ? new File([blob], file.name, { type: blob.type }) : file;
}
