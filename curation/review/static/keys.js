// Keys to acts. In the large view they are the same; in a text field they are text.

const MOVES = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'PageUp', 'PageDown', 'Home', 'End'];
const ACTS = { ' ': 'drop', x: 'drop', k: 'keep', a: 'keepAll', z: 'undo', l: 'relabel', g: 'compare', o: 'onlyThis' };

export function listenToKeys(page) {
  document.addEventListener('keydown', (event) => {
    const typing = event.target.closest?.('input, select, textarea');
    if (typing && event.key === 'Escape') typing.blur();
    if (typing || event.altKey || isOtherDialog(page)) return;
    const letter = letterOf(event);
    const isChord = event.ctrlKey || event.metaKey;
    const isUndo = isChord && letter === 'z' && !event.shiftKey;
    const isButton = (event.key === 'Enter' || letter === ' ') && event.target.closest?.('button, a'); // it is pressed
    if (isUndo) page.act('undo');
    else if (isChord || isButton || !handle(page, event, letter)) return;
    event.preventDefault();
  });
}

function isOtherDialog(page) {
  return [...document.querySelectorAll('dialog')].some((dialog) => dialog !== page.large.element);
}

function handle(page, event, letter) {
  if (MOVES.includes(event.key)) {
    if (page.large.isOpen) page.large.step(event.key); else page.grid.step(event.key, event.shiftKey);
    return true;
  }
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1] ?? (/^\d$/.test(event.key) ? event.key : null);
  if (digit !== null && !event.shiftKey) return page.number(Number(digit));
  if (letter === 'v' && !page.large.isOpen) { page.filters.nextView(); return true; }
  if (event.key === '?') { page.help(); return true; }
  const name = event.key === 'Enter' ? (page.large.isOpen ? 'close' : 'open') : ACTS[letter];
  if (name) page.act(name);
  return Boolean(name);
}

// The letter of a key; while a Korean keyboard is switched on, keys have other letters but the same place.
function letterOf(event) {
  if (event.key === ' ' || event.code === 'Space') return ' ';
  if (/^[a-z]$/i.test(event.key)) return event.key.toLowerCase();
  return /^Key([A-Z])$/.exec(event.code)?.[1].toLowerCase() ?? '';
}
