// The imitated Google page's own program: small pictures when seen, more on scrolling, links on hover, the viewer.
// It listens only to trusted events, as the real one does.
(() => {
const options = OPTIONS, decode = b => JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(b), c => c.charCodeAt(0))));
const known = decode('KNOWN'), grid = document.getElementById('islrg');
let busy = false, next = options.next, more = options.more, pressed = !options.button, open = null;

const sight = new IntersectionObserver(seen => seen.forEach(s => { if (s.isIntersecting) {
  const image = s.target; sight.unobserve(image); image.src = image.dataset.src; } }), {rootMargin: '200px'});
const watch = () => grid.querySelectorAll('img[data-src]:not([data-w])').forEach(i => { i.dataset.w = 1; sight.observe(i); });
watch();

function load() {
  if (busy || !more || !pressed) return;
  busy = true;
  const request = new XMLHttpRequest();
  const q = encodeURIComponent(new URLSearchParams(location.search).get('q'));
  request.open('GET', '/search?q=' + q + '&udm=2&start=' + next + '&async=_fmt:pc,_id:islrg&asearch=arc');
  request.onload = () => {
    busy = false;
    if (request.status != 200) return;
    const answer = Object.fromEntries(JSON.parse(request.responseText.slice(5)));
    grid.insertAdjacentHTML('beforeend', answer.html);
    Object.assign(known, decode(answer.b));
    if (options.scripts && answer.W_jd) {
      const script = document.createElement('script');
      script.textContent = '(function(){var a=' + answer.W_jd + ';window.W_jd=Object.assign(window.W_jd||{},a)})();';
      document.body.appendChild(script);
    }
    next = answer.n; more = !answer.last;
    if (options.button) { pressed = false; button(); }
    watch();
    if (!more) document.getElementById('after').textContent = "Looks like you've reached the end";
    near();
  };
  request.onerror = () => { busy = false; };
  request.send();
}
const near = () => { if (innerHeight + scrollY > document.documentElement.scrollHeight - 700) load(); };
addEventListener('scroll', near);
function button() {
  document.getElementById('after').innerHTML = more ? '<input type="button" value="Show more results">' : '';
  const b = document.querySelector('#after input');
  if (b) b.onclick = e => { if (e.isTrusted) { pressed = true; b.remove(); load(); } };
}
if (options.button && more) button();

function link(tile) {
  const p = known[tile.dataset.docid];
  if (!p || !options.hover) return;
  const ask = new URLSearchParams({q: new URLSearchParams(location.search).get('q'), imgurl: p[0], imgrefurl: p[1],
    docid: tile.dataset.docid, tbnid: tile.dataset.docid, vet: '12ahUKE..i', w: p[2], h: p[3], hcb: '2'});
  tile.querySelector('h3 a').href = '/imgres?' + ask;
}
const tileOf = e => e.target.closest && e.target.closest('[jsname=dTDiAc]');
addEventListener('mouseover', e => { const t = e.isTrusted && tileOf(e); if (t) setTimeout(link, 25, t); });
addEventListener('click', e => {
  const t = e.isTrusted && tileOf(e);
  if (!t || e.target.closest('a[target]')) return;
  e.preventDefault();
  link(t);
  view(t);
});
addEventListener('keydown', e => {
  if (!e.isTrusted || !open) return;
  const step = {ArrowRight: 'nextElementSibling', ArrowLeft: 'previousElementSibling'}[e.key];
  if (e.key == 'Escape') { document.getElementById('panel').remove(); document.body.className = ''; open = null; }
  else if (step && open[step]) { e.preventDefault(); view(open[step]); }
});
function view(tile) {
  const p = known[tile.dataset.docid];
  if (!p) return;
  open = tile;
  document.body.className = 'viewing';
  let panel = document.getElementById('panel');
  if (!panel) { panel = document.createElement('div'); panel.id = 'panel'; panel.setAttribute('jsname', 'CGzTgf');
    document.body.appendChild(panel); }
  const box = document.createElement('div');  // one a picture, the old ones stay
  box.dataset.id = tile.dataset.docid;
  box.innerHTML = '<a rel="noopener" target="_blank"><img jsname="JuXqh"></a><h1></h1>';
  box.querySelector('a').href = p[1];
  box.querySelector('h1').textContent = p[4];
  box.querySelector('img').src = p[5];
  panel.appendChild(box);
  if (options.viewer) setTimeout(() => {
    const full = document.createElement('img');
    full.setAttribute('jsname', 'kn3ccd');
    full.src = p[0];
    full.width = 300;
    box.querySelector('a').prepend(full);
  }, 120);
}
})()
