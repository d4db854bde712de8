// Reads a zip of pictures: one that this page has saved, or any with a folder for each class. It is read where it lies,
// entry by entry; an entry that says it is small and is not is given up. Which entries are pictures the server says, by
// the list that all commands have: it is sent the names, and of those that tell nothing the first bytes.

import { Api } from './api.js';

const END = 0x06054b50, ENTRY = 0x02014b50; // marks of the directory's end and of its entries
const END_BYTES = 22, MOST_COMMENT = 65535;
const MOST = { entries: 10_000, bytes: 64 * 2 ** 20, all: 512 * 2 ** 20, text: 2 ** 20 }; // of one picture, of all, of taught.json
const UTF8 = 0x800; // the flag of a name that is UTF-8; without it nothing tells what a name is
const ENCODINGS = ['utf-8', 'euc-kr', 'windows-1252']; // tried in this order: Korean Windows writes CP949; the last one fits everything
const HEAD = 256, INFLATED_FROM = 4096; // bytes that show a format, and packed bytes that surely hold them
const LISTS = ['taught.json', 'labels.json']; // the names of classes as this page, and an export, write them down
const TYPES = { png: 'image/png', webp: 'image/webp', gif: 'image/gif', bmp: 'image/bmp', tif: 'image/tiff', tiff: 'image/tiff' };

export class ArchiveError extends Error {}

// What it holds: {kind, classes: [{name, files}], others}; `kind` is '' where the archive does not say it, `others` counts
// files that are no pictures.
export async function readArchive(file, api = new Api()) {
  const entries = await directory(file);
  const about = await told(file, entries.find((entry) => entry.folders.length < 2 && LISTS.includes(entry.base)));
  const { pictures, others } = await picturesOf(file, entries.filter(isCandidate), datasets(entries), api);
  const classes = new Map();
  for (const entry of pictures) {
    const folder = entry.folders.at(-1), name = about.names.get(folder) ?? folder.normalize('NFC');
    if (!classes.has(name)) classes.set(name, []);
    classes.get(name).push(entry);
  }
  if (!classes.size) throw new ArchiveError('archiveEmpty');
  if (pictures.reduce((sum, entry) => sum + entry.size, 0) > MOST.all) throw new ArchiveError('archiveLarge');
  const found = [];
  for (const [name, members] of classes) {
    const files = [];
    for (const entry of members) files.push(await content(file, entry));
    found.push({ name, files });
  }
  return { kind: about.kind, classes: found, others };
}

const isHidden = (name) => name.startsWith('.') || name === '__MACOSX';
const isCandidate = ({ base, folders }) => base && folders.length > 0 && ![base, ...folders].some(isHidden) && !LISTS.includes(base) && !base.startsWith('dataset.db');

// The folders of datasets: what curation keeps beside such a database is no class.
function datasets(entries) {
  return entries.filter((entry) => entry.base === 'dataset.db').map((entry) => entry.folders);
}

async function picturesOf(file, candidates, roots, api) {
  const path = ({ folders, base }) => {
    const root = roots.find((root) => root.every((name, place) => folders[place] === name));
    return { path: [...folders, base].join('/'), ...(root && { inside: root.length }) };
  };
  const byName = await api.arePictures(candidates.map(path));
  const doubtful = candidates.filter((_, number) => !byName[number]), asked = [];
  for (const entry of doubtful) asked.push({ ...path(entry), head: btoa(String.fromCharCode(...await head(file, entry))) });
  const byHead = await api.arePictures(asked);
  const others = doubtful.filter((_, number) => !byHead[number]);
  return { pictures: candidates.filter((entry) => !others.includes(entry)), others: others.length };
}

async function told(file, entry) {
  if (!entry || entry.size > MOST.text) return { kind: '', names: new Map() };
  const document = await content(file, entry).then((blob) => blob.text()).then(JSON.parse).catch(() => ({}));
  const listed = [document, document?.classes].find(Array.isArray) ?? [];
  const names = listed.map((one) => [one?.folder, one?.name ?? one?.label]).filter((pair) => pair.every((text) => typeof text === 'string'));
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

// Where the bytes of an entry begin.
async function beginning(file, entry) {
  const fields = await view(file, entry.start, entry.start + 30);
  if (fields.byteLength < 30) throw new ArchiveError('archiveBroken');
  return entry.start + 30 + fields.getUint16(26, true) + fields.getUint16(28, true);
}

// The first bytes of an entry; none of one that cannot be unpacked.
async function head(file, entry) {
  const start = await beginning(file, entry);
  const part = file.slice(start, start + Math.min(entry.packed, INFLATED_FROM));
  if (entry.method === 0) return new Uint8Array(await part.slice(0, HEAD).arrayBuffer());
  const reader = part.stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  const { value } = await reader.read().catch(() => ({})); // what follows the first piece is cut off, and may be
  reader.cancel().catch(() => {});
  return value?.slice(0, HEAD) ?? new Uint8Array();
}

// The picture as a File. What is stored as it is stays where it is until it is read.
async function content(file, entry) {
  if (entry.size > MOST.bytes || entry.packed > MOST.bytes || ![0, 8].includes(entry.method)) throw new ArchiveError('archiveBroken');
  const start = await beginning(file, entry);
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
