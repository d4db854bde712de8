const {tiles, delay, kind, text, accept, reject, language} = OPTIONS, main = document.querySelector('main');
let next = 0, busy = false, banner = null;
const show = count => {
  main.insertAdjacentHTML('beforeend', tiles.slice(next, next + count).join(''));
  next += count;
};
const atEnd = () => scrollY + innerHeight > document.documentElement.scrollHeight - 60;
const more = () => {
  if (busy || banner || next >= tiles.length || !atEnd()) return;
  busy = true;
  setTimeout(() => { if (!banner) show(20); busy = false; }, 60);
};
const away = () => { banner.remove(); banner = null; more(); };
function pressed(event) {
  const said = event.composedPath()[0].textContent;
  if (!event.isTrusted || ![accept, reject, '✕'].includes(said)) return;
  fetch('/answer?with=' + encodeURIComponent(said));
  away();
}
function come() {
  const own = kind === 'own' ? 'id=bnp_btn_reject' : '';
  const inside = `<p>${text}</p><button>${accept}</button><button ${own}>${reject}</button>`;
  banner = document.createElement(kind === 'dialog' ? 'dialog' : 'div');
  if (kind !== 'dialog') banner.className = 'banner ' + {bottom: 'bottom', layer: 'layer', promo: 'layer'}[kind];
  if (kind === 'frame') banner.innerHTML = `<iframe src="/frame?language=${language}"></iframe>`;
  else if (kind === 'shadow') banner.attachShadow({mode: 'open'}).innerHTML = inside;
  else if (kind === 'promo') banner.innerHTML = '<h2>Our new app</h2><button>Get it</button><button>✕</button>';
  else banner.innerHTML = inside;
  for (const what of ['wheel', 'touchmove', 'keydown', 'mousedown']) banner.addEventListener(what, event => {
    if (event.target === banner) event.preventDefault();
  });
  banner.addEventListener('click', pressed);
  document.body.append(banner);
  if (kind === 'dialog') banner.showModal();
}
addEventListener('scroll', more);
addEventListener('message', away);
show(40);
if (kind !== 'none') setTimeout(come, delay);
