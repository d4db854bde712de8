"""The JavaScript that is run in an engine's page: reading it, scrolling it, finding tiles and buttons.

A script does as much as it can in one call, for a call costs 5 ms here and much more over a Grid. Nothing in it changes
the page or pretends anything to it, apart from scrolling. Clicks and hovers are not done here: engines ignore those of
scripts, so `page_hands` makes real ones.
"""

from __future__ import annotations

LEAST_CELLS = 8  # of a grid that is one

# Put in front of every document: counts those that follow one another within a few seconds, keeps the text of the last
# and stops a page that reloads itself for ever. Nothing else can: the driver waits until such a page is quiet.
GUARD = """
(() => {
  if (window !== top) return;
  const key = 'handwriter', now = Date.now();
  try {
    const last = JSON.parse(sessionStorage.getItem(key) ?? '{}');
    const known = last.token === 'TOKEN' && now - last.time < 5000;
    const mine = {token: 'TOKEN', time: now, reloads: known ? last.reloads + 1 : 0, text: known ? last.text : ''};
    sessionStorage.setItem(key, JSON.stringify(mine));
    if (mine.reloads >= MOST) return window.stop();
    addEventListener('pagehide', () => {
      mine.text = document.documentElement?.outerHTML.slice(0, 1000000) ?? '';
      try { sessionStorage.setItem(key, JSON.stringify(mine)); } catch { }
    });
  } catch { }
})();
"""

# → JSON text {address, text, value, status, loaded, reloads, stood}: the engine's own script stands inside. Text,
# because the driver passes on one long string much sooner than many small values.
READ = """
let guard = {};
try { guard = JSON.parse(sessionStorage.getItem('handwriter') ?? '{}'); } catch { }
const stopped = guard.reloads && !document.body?.childElementCount;
let value = null, fault = '';
try { value = (() => { %s })(); } catch (error) { fault = String(error); }
const entry = performance.getEntriesByType('navigation')[0];
return JSON.stringify({
  address: location.href, value, fault,
  text: !arguments[0] ? '' : stopped ? guard.text : document.documentElement?.outerHTML.slice(0, arguments[1]) ?? '',
  status: entry?.responseStatus ?? 0, loaded: entry?.responseEnd ?? 0,
  reloads: guard.reloads ?? 0, stood: performance.now(),
});
"""

# (milliseconds at most, milliseconds of quiet, done) → {bottom, still}: scrolls down a window at a time and stops when
# the end is reached and nothing has changed for a while; tells for how many milliseconds. Every step waits for a frame:
# only then has a page that watches what is in sight noticed it.
SCROLL = """
const [most, quiet, done] = arguments;
const page = document.scrollingElement ?? document.documentElement;
const room = element => element.scrollHeight - element.clientHeight;
const inner = () => [...document.querySelectorAll('div, main, section')]
  .filter(element => room(element) > 100 && /auto|scroll/.test(getComputedStyle(element).overflowY))
  .sort((one, other) => room(other) - room(one))[0];
const frame = () => new Promise(ready => { requestAnimationFrame(ready); setTimeout(ready, 200); });
const pause = time => new Promise(ready => setTimeout(ready, time));
(async () => {
  const box = room(page) > 0 ? page : inner() ?? page, start = performance.now();
  let last = start;
  const watch = new MutationObserver(() => { last = performance.now(); });
  watch.observe(document, {subtree: true, childList: true, attributes: true});
  for (;;) {
    const now = performance.now(), bottom = box.scrollTop + box.clientHeight >= box.scrollHeight - 2;
    if (now - start > most || (bottom && now - last > quiet)) {
      watch.disconnect();
      return done({bottom, still: now - last});
    }
    box.scrollBy({top: Math.max(box.clientHeight, 200) * 0.9, behavior: 'instant'});
    await frame();
    await pause(50);
  }
})();
"""

# (selectors) → the first element that is there and can be seen, or null
FIRST_VISIBLE = """
for (const selector of arguments[0]) {
  let found = [];
  try { found = document.querySelectorAll(selector); } catch { continue; }
  for (const element of found) {
    const box = element.getBoundingClientRect();
    if (box.width && box.height && getComputedStyle(element).visibility !== 'hidden') {
      element.scrollIntoView({block: 'center', behavior: 'instant'});
      return element;
    }
  }
}
return null;
"""

# (tile selector, link selector, tiles already tried) → {tried, places: [[x, y], …]}: brings the next tiles whose
# link is not filled into sight and tells where they are, as many as fit.
NEXT_TILES = """
const [tile, link, tried] = arguments;
const tiles = [...document.querySelectorAll(tile)];
const lacking = tiles.map((element, index) => [element, index])
  .filter(([element, index]) => index >= tried && !(link && element.querySelector(link)?.href));
if (!lacking.length) return {tried: tiles.length, places: []};
lacking[0][0].scrollIntoView({block: 'start', behavior: 'instant'});
const places = [];
let next = lacking[0][1] + 1;
for (const [element, index] of lacking) {
  const box = element.getBoundingClientRect(), x = box.left + box.width / 2, y = box.top + box.height / 2;
  if (places.length && (y < 0 || y >= innerHeight || x < 0 || x >= innerWidth)) break;
  next = index + 1;
  if (x >= 0 && x < innerWidth && y >= 0 && y < innerHeight) places.push([Math.round(x), Math.round(y)]);
}
return {tried: next, places};
"""

# (selector) → how many of them there are
COUNT = "return document.querySelectorAll(arguments[0]).length;"

# The two that follow wait in the page: a question from outside every few milliseconds keeps browser and driver busy.

# (milliseconds at most, tile selector, link selector, wanted, done) → how many tiles have their link, as soon as they
# are so many
LINKS = """
const [most, tile, link, wanted, done] = arguments, start = performance.now();
(function count() {
  const linked = [...document.querySelectorAll(tile)].filter(element => element.querySelector(link)?.href).length;
  if (linked >= wanted || performance.now() - start > most) done(linked);
  else setTimeout(count, 20);
})();
"""

# (selector) → the address in the viewer's newest picture
SHOWN = "return [...document.querySelectorAll(arguments[0])].pop()?.src ?? '';"

# (milliseconds at most, selector, seen, done) → the same as soon as it is another than that seen
SHOWN_ANEW = """
const [most, selector, seen, done] = arguments, start = performance.now();
(function look() {
  const shown = [...document.querySelectorAll(selector)].pop()?.src ?? '';
  if (shown !== seen || performance.now() - start > most) done(shown);
  else setTimeout(look, 20);
})();
"""

# → the code on Chromium's own page for an address that cannot be had
NET_ERROR = "return document.querySelector('.error-code')?.textContent.trim() || 'no page';"

# → [[thumbnail, title, [text of an attribute, …]], …]: the grid of similar pictures, whatever its parts are called. Its
# pictures are kept in `window.handwriterCells` for the pointer. What stands in bars, dialogs and other viewers is none.
CELLS = r"""
const OUTSIDE = 'nav,header,footer,aside,dialog,[role=navigation],[role=banner],[role=contentinfo],[role=dialog],' +
  '[role=complementary],[aria-modal=true]';
const OFFER = new RegExp('^(ads?|sponsored|advertisement|anzeige|gesponsert|annonce|sponsorisé|anuncio|patrocinado|' +
  '광고|広告|スポンサー|广告|廣告|реклама)[.·:]?$', 'i');
const viewers = window.handwriterViewers ?? [];
const source = element => element.tagName === 'IMG' ? element.currentSrc || element.src :
  (/^url\("(.*)"\)$/.exec(getComputedStyle(element).backgroundImage) ?? [])[1] ?? '';
const alone = element => element.querySelectorAll('img').length <= 1;
const box = element => {
  let size = element.getBoundingClientRect();
  for (let up = 0; up < 4 && (size.width < 50 || size.height < 50); up++) {
    element = element.parentElement;
    if (!element || element === document.body || !alone(element)) return null;
    size = element.getBoundingClientRect();
  }
  const fits = size.width >= 50 && size.height >= 50 && size.width < 6 * size.height && size.height < 6 * size.width;
  return fits && size.width < innerWidth * 0.7 ? size : null;
};
const path = element => {
  const tags = [];
  for (let up = element; up && tags.length < 5 && up !== document.body; up = up.parentElement) tags.push(up.tagName);
  return tags.join();
};
const floors = new Map();  // what floats over the page is a viewer where the results do not
const floor = element => {
  if (!element || element === document.body) return null;
  const floats = () => /fixed|sticky/.test(getComputedStyle(element).position);
  if (!floors.has(element)) floors.set(element, floats() ? element : floor(element.parentElement));
  return floors.get(element);
};
const numbers = new Map();
const number = one => numbers.set(one, numbers.get(one) ?? numbers.size).get(one);
const groups = new Map();
for (const element of document.querySelectorAll('img, div, span, a, i, figure, li, button')) {
  if (element.tagName !== 'IMG' && element.querySelector('img')) continue;
  const from = source(element);
  if (!from || element.closest(OUTSIDE) || viewers.some(viewer => viewer.contains(element))) continue;
  const size = box(element);
  if (!size) continue;
  const name = path(element) + number(floor(element));
  groups.set(name, [...groups.get(name) ?? [], {element, from, area: size.width * size.height}]);
}
const middle = group => group.map(one => one.area).sort((one, other) => one - other)[group.length >> 1];
const similar = group => {
  const area = middle(group);
  return group.filter(one => one.area > area / 6 && one.area < area * 6);
};
const weight = group => group.length * middle(group);
const grids = [...groups.values()].map(similar).filter(group => group.length >= LEAST).sort((one, other) =>
  Boolean(floor(one[0].element)) - Boolean(floor(other[0].element)) || weight(other) - weight(one));
const cellOf = (element, members) => {
  let cell = element;
  for (let up = cell.parentElement; up && up !== document.body; cell = up, up = up.parentElement) {
    let count = 0;
    for (const other of up.querySelectorAll(element.tagName)) if (members.has(other) && ++count > 1) return cell;
  }
  return cell;
};
const words = address => [...new URL(address).searchParams.values()].join(' ');
const otherSearch = link => { try {
  const there = new URL(link.href);
  const same = there.pathname === location.pathname && there.host === location.host;
  return same && words(link.href) !== words(location.href) && !/https?(:|%3a)/i.test(there.search);
} catch { return false; } };
const offered = cell =>
  [...cell.querySelectorAll('*')].some(one => !one.children.length && OFFER.test(one.textContent.trim()));
const first = window.handwriterFirst ??= new WeakMap();  // what stood at a picture before the pointer was there
const textsOf = (element, from, all, links) => {
  const values = [...element.attributes].map(one => one.value);
  if (!first.has(element)) first.set(element, new Set(values));
  const texts = links.map(link => link.href).filter(href => href);
  const foreign = value => /^http/.test(from) && !value.includes(new URL(from).host);
  for (const one of all) {
    for (const {name, value} of one.attributes) {
      if (value.length > 9000 || !/https?(:|%3a)|=\/\//i.test(value)) continue;
      if (/^(src|srcset|style|href|action)$/.test(name) || (one.tagName === 'A' && name === 'ping')) continue;
      const own = one === element && (foreign(value) || !first.get(element).has(value));
      if (one.tagName !== 'IMG' || own) texts.push(value);
    }
  }
  return [...new Set(texts)];
};
let kept = [], cells = [];
for (const grid of grids) {
  [kept, cells] = [[], []];
  const members = new Set(grid.map(one => one.element));
  for (const {element, from} of grid) {
    const cell = cellOf(element, members), all = [cell, ...cell.querySelectorAll('*')];
    const inner = all.filter(one => one.tagName === 'A'), around = element.closest('a');
    const links = around && !inner.includes(around) ? [around, ...inner] : inner;
    if (offered(cell) || (links.length && links.every(link => link.href && otherSearch(link)))) continue;
    const title = element.alt || element.getAttribute('aria-label') || links[0]?.title || '';
    kept.push(element);
    cells.push([from, title, textsOf(element, from, all, links)]);
  }
  if (kept.length >= LEAST) break;
  [kept, cells] = [[], []];
}
window.handwriterCells = kept;
return cells;
""".replace("LEAST", str(LEAST_CELLS))
