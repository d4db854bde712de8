(() => {
const options = OPTIONS, box = document.getElementById('mmComponent_images_1'), see = document.querySelector('.mm_seemore');
let busy = false, pressed = !options.button;
const sight = new IntersectionObserver(seen => seen.forEach(s => { if (s.isIntersecting) {
  sight.unobserve(s.target); s.target.src = s.target.dataset.src; } }), {rootMargin: '200px'});
const watch = () => box.querySelectorAll('img[data-src]:not([data-w])').forEach(i => { i.dataset.w = 1; sight.observe(i); });
watch();
async function load() {
  if (busy || !options.more || !pressed) return;
  busy = true;
  const q = encodeURIComponent(new URLSearchParams(location.search).get('q'));
  const qft = new URLSearchParams(location.search).get('qft') || '';
  const answer = await fetch('/images/async?q=' + q + '&first=' + options.next + '&count=35&cw=1177&ch=600&relp=35' +
    '&datsrc=I&layout=RowBased&mmasync=1&IG=A1&SFX=2&iid=images.5100&qft=' + encodeURIComponent(qft));
  busy = false;
  if (!answer.ok) return;
  const holder = document.createElement('div');
  holder.innerHTML = await answer.text();
  const count = holder.querySelectorAll('li').length;
  box.append(...holder.childNodes);
  options.next += count;
  options.more = count > 0;
  if (options.button) { pressed = false; see.style.display = options.more ? '' : 'none'; }
  watch();
  near();
}
const near = () => { if (innerHeight + scrollY > document.documentElement.scrollHeight - 700) load(); };
addEventListener('scroll', near);
see.addEventListener('click', e => { e.preventDefault(); if (e.isTrusted) { pressed = true; see.style.display = 'none'; load(); } });
if (options.button && options.more) see.style.display = '';
})()
