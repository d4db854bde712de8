// Reads a zip of pictures: one that this page has saved, or any with a folder for each class. It is read where it lies,
// entry by entry; an entry that says it is small and is not is given up.

const END = 0x06054b50, ENTRY = 0x02014b50; // marks of the directory's end and of its entries
const END_BYTES = 22, MOST_COMMENT = 65535;
const MOST = { entries: 10_000, bytes: 64 * 2 ** 20, all: 512 * 2 ** 20, text: 2 ** 20 }; // of one picture, of all, of taught.json
const UTF8 = 0x800; // the flag of a name that is UTF-8; without it nothing tells what a name is
const ENCODINGS = ['utf-8', 'euc-kr', 'windows-1252']; // tried in this order: Korean Windows writes CP949; the last one fits everything
const PICTURE = /\.(?:png|jpe?g|webp|gif|bmp|tiff?)$/i;
const TYPES = { png: 'image/png', webp: 'image/webp', gif: 'image/gif', bmp: 'image/bmp', tif: 'image/tiff', tiff: 'image/tiff' };

export class ArchiveError extends Error {}

// What it holds: {kind, classes: [{name, files}]}; `kind` is '' where the archive does not say it.
export async function readArchive(file) {
  const entries = await directory(file);
  const about = await told(file, entries.find((entry) => entry.folders.length < 2 && entry.base === 'taught.json'));
  const classes = new Map();
  for (const entry of entries) {
    if (!PICTURE.test(entry.base) || !entry.folders.length || entry.folders[0] === '__MACOSX' || entry.base.startsWith('.')) continue;
    const folder = entry.folders.at(-1), name = about.names.get(folder) ?? folder.normalize('NFC');
    if (!classes.has(name)) classes.set(name, []);
    classes.get(name).push(entry);
  }
  if (!classes.size) throw new ArchiveError('archiveEmpty');
  if ([...classes.values()].flat().reduce((sum, entry) => sum + entry.size, 0) > MOST.all) throw new ArchiveError('archiveLarge');
  const found = [];
  for (const [name, pictures] of classes) {
    const files = [];
    for (const entry of pictures) files.push(await content(file, entry));
    found.push({ name, files });
  }
  return { kind: about.kind, classes: found };
}

async function told(file, entry) {
  if (!entry || entry.size > MOST.text) return { kind: '', names: new Map() };
  const document = await content(file, entry).then((blob) => blob.text()).then(JSON.parse).catch(() => ({}));
  const listed = Array.isArray(document?.classes) ? document.classes : [];
  const names = listed.filter((one) => typeof one?.name === 'string' && typeof one?.folder === 'string').map((one) => [one.folder, one.name]);
  return { kind: ['handwriting', 'photographs'].includes(document?.kind) ? document.kind : '', names: new Map(names) };
}

async function directory(file) {
  const tail = await view(file, Math.max(0, file.size - END_BYTES - MOST_COMMENT), file.size);
  let at = tail.byteLength - END_BYTES;
  while (at >= 0 && tail.getUint32(at, true) !== END) at -= 1;
  if (at < 0) throw new ArchiveError('archiveBroken');
  const count = tail.getUint16(at + 10, true), size = tail.getUint32(at + 12, true), start = tail.getUint32(at + 16, true);
  if (count > MOST.entries || start + size > file.size) throw new ArchiveError('archiveBroken');
  return named(entriesOf(await view(file, start, start + size), count));
}

function entriesOf(list, count) {
  const size = list.byteLength, entries = [];
  for (let place = 0; entries.length < count && place + 46 <= size && list.getUint32(place, true) === ENTRY;) {
    const lengths = [28, 30, 32].map((field) => list.getUint16(place + field, true));
    entries.push({
      name: new Uint8Array(list.buffer, place + 46, Math.min(lengths[0], size - place - 46)), flags: list.getUint16(place + 8, true),
      method: list.getUint16(place + 10, true), packed: list.getUint32(place + 20, true),
      size: list.getUint32(place + 24, true), start: list.getUint32(place + 42, true),
    });
    place += 46 + lengths[0] + lengths[1] + lengths[2];
  }
  return entries;
}

// The entries with their `folders` and `base`. One packer has written all names, so those without the flag are read
// alike: a Korean name alone may look like UTF-8 by chance.
function named(entries) {
  const unmarked = entries.filter((entry) => !(entry.flags & UTF8));
  const encoding = ENCODINGS.find((tried) => unmarked.every((entry) => fits(tried, entry.name)));
  return entries.map((entry) => {
    const folders = new TextDecoder(entry.flags & UTF8 ? 'utf-8' : encoding).decode(entry.name).split('/');
    return { ...entry, base: folders.pop(), folders };
  });
}

function fits(encoding, bytes) {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes) !== undefined;
  } catch {
    return false;
  }
}

// The picture as a File. What is stored as it is stays where it is until it is read.
async function content(file, entry) {
  if (entry.size > MOST.bytes || entry.packed > MOST.bytes || ![0, 8].includes(entry.method)) throw new ArchiveError('archiveBroken');
  const head = await view(file, entry.start, entry.start + 30);
  if (head.byteLength < 30) throw new ArchiveError('archiveBroken');
  const start = entry.start + 30 + head.getUint16(26, true) + head.getUint16(28, true);
  const part = file.slice(start, start + entry.packed);
  const bytes = entry.method === 0 ? [part] : await inflated(part, entry.size);
  const ending = entry.base.split('.').pop().toLowerCase();
  return new File(bytes, entry.base, { type: TYPES[ending] ?? 'image/jpeg' });
}

async function inflated(part, size) {
  const pieces = [];
  let length = 0;
  for (const reader = part.stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader(); ;) {
    const { done, value } = await reader.read().catch(() => { throw new ArchiveError('archiveBroken'); });
    if (done) return pieces;
    length += value.length;
    if (length > size) { reader.cancel(); throw new ArchiveError('archiveBroken'); }
    pieces.push(value);
  }
}

async function view(file, start, end) {
  return new DataView(await file.slice(start, end).arrayBuffer());
}
