// A picture in words, in the reader's language.

import { has, number, say } from './language.js';

export const thumb = (item) => item.small || `thumb/${item.id}?v=${item.sha}`;
export const large = (item) => `picture/${item.id}?v=${item.sha}`;
export const state = (item) => (item.dropped ? 'dropped' : item.judged ? 'kept' : 'open');
export const size = (item) => `${item.width} × ${item.height}`;

const OF_FLAG = { label: 'labelFlag', conflict: 'conflictFlag' };

export function reason([kind, , detail]) {
  const key = OF_FLAG[kind] ?? kind;
  return has(key) ? say(key, { detail }) : detail ? `${kind} (${detail})` : kind;
}

// "flipped+inverted" in words.
export function relation(item) {
  if (item.cluster === null) return '';
  if (item.keep) return say('best');
  const words = item.relation.split('+').map((word) => (has(word) ? say(word) : word)).join(' + ');
  return item.distance === 0 ? words : `${words}, ${say('bits', { count: item.distance })}`;
}

export function caption(item, view) {
  if (view === 'group') return `${item.label} · ${relation(item)}`;
  if (view === 'suspicion') {
    const [first, ...others] = item.flags;
    return first ? `${item.label} · ${reason(first)}${others.length ? ` +${others.length}` : ''}` : item.label;
  }
  return `${item.label} · ${size(item)}`;
}

export function facts(item) {
  const kilobytes = number(Math.max(1, Math.round(item.bytes / 1024)));
  const page = item.page || '', licence = item.licence || item.licenceAddress;
  return [
    ['label', item.label],
    ['decision', say({ dropped: 'isDropped', kept: 'isKept', open: 'isOpen' }[state(item)])],
    ['reasons', item.flags.map((flag) => `${reason(flag)} (${Math.round(flag[1] * 100)} %)`).join(', ')],
    ['copies', item.cluster === null ? '' : `${say('group', { name: number(item.cluster) })}: ${relation(item)}`],
    ['size', say('pixels', { width: item.width, height: item.height, kilobytes, format: item.format })],
    ['part', has(item.part) ? say(item.part) : item.part],
    ['name', item.title],
    ['source', page, page],
    ['address', item.address, item.address],
    ['author', item.author],
    ['licence', licence, item.licenceAddress],
    ['found', item.engine && say('foundBy', { engine: item.engine, keyword: item.keyword })],
    ['file', item.path],
  ].filter(([, text]) => text);
}
