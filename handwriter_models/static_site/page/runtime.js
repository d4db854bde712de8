// onnxruntime-web on one thread: its program is packed with zstd, because gzip's window is too short to find what repeats
// in it (1.9 MB in place of 2.9). Nothing is fetched but the files beside this page.

import { decompress } from './runtime/fzstd.js';

let started = null;

export function runtime() {
  started ??= start();
  return started;
}

async function start() {
  const ort = await import('./runtime/onnxruntime.js');
  const wasmPaths = { mjs: new URL('runtime/onnxruntime-wasm.js', document.baseURI).href };
  const wasmBinary = await program(ort.env.versions.web);
  Object.assign(ort.env.wasm, { numThreads: 1, proxy: false, wasmBinary, wasmPaths });
  ort.env.logLevel = 'error';
  return ort;
}

// Unpacking costs a quarter of a second: it is done once and kept, where the browser lets a page keep things.
async function program(version) {
  const name = new URL(`runtime/onnxruntime-${version}.wasm`, document.baseURI).href;
  const kept = await globalThis.caches?.open('handwriter').catch(() => null);
  const known = await kept?.match(name).catch(() => null);
  if (known) return new Uint8Array(await known.arrayBuffer());
  const unpacked = decompress(await bytesOf('runtime/onnxruntime.wasm.zst'));
  kept?.put(name, new Response(unpacked)).catch(() => {}); // no room: the next visit unpacks again
  return unpacked;
}

// A network, ready to run; its file is packed with gzip.
export async function session(path) {
  const [ort, file] = await Promise.all([runtime(), response(path)]);
  const unpacked = new Response(file.body.pipeThrough(new DecompressionStream('gzip')));
  return ort.InferenceSession.create(await unpacked.arrayBuffer(), { executionProviders: ['wasm'] });
}

export async function response(path) {
  const answer = await fetch(new URL(path, document.baseURI));
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer;
}

const bytesOf = async (path) => new Uint8Array(await (await response(path)).arrayBuffer());
