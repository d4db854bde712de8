(() => {
const box = document.getElementById('zci-images'), say = document.getElementById('say');
const q = new URLSearchParams(location.search).get('q'), proxy = 'https://external-content.duckduckgo.com/iu/?u=';
let next = 'i.js?l=us-en&o=json&q=' + encodeURIComponent(q) + '&vqd=TOKEN&f=,,,,,&p=1', busy = false, any = false;
async function load() {
  if (busy || !next) return;
  busy = true;
  const answer = await fetch('/' + next);
  if (!answer.ok) { say.textContent = 'Sorry, something went wrong. Please try again.'; next = null; return; }
  const data = await answer.json();
  for (const r of data.results || []) if (r && r.thumbnail && r.thumbnail.startsWith) draw(r);
  any = any || (data.results || []).length > 0;
  if (!any && data.results) say.innerHTML = EMPTY;
  next = data.next ? data.next + '&vqd=TOKEN' : null;
  busy = false;
  near();
}
function draw(r) {
  const f = document.createElement('figure');
  f.className = 'FIGURE';
  f.innerHTML = '<div><img width="190" height="140" loading="lazy"></div><figcaption><a target="_blank"><p></p></a></figcaption>';
  f.querySelector('img').src = proxy + encodeURIComponent(r.thumbnail) + '&f=1&nofb=1&ipt=' + r.thumbnail_token;
  f.querySelector('img').alt = r.title;
  f.querySelector('a').href = r.url;
  f.querySelector('p').textContent = r.title;
  f.addEventListener('click', e => { if (e.isTrusted && !e.target.closest('a')) pane(r); });
  box.append(f);
}
function pane(r) {
  document.querySelectorAll('aside').forEach(a => a.remove());
  const a = document.createElement('aside');
  a.innerHTML = '<img height="200"><a class="file" target="_blank">View File</a> <a class="page" target="_blank">Visit</a>';
  a.querySelector('img').src = proxy + encodeURIComponent(r.image) + '&f=1&nofb=1&ipt=' + r.image_token + '&ipo=images';
  a.querySelector('.file').href = r.image;
  a.querySelector('.page').href = r.url;
  document.body.append(a);
}
const near = () => { if (any && innerHeight + scrollY > document.documentElement.scrollHeight - 700) load(); };
addEventListener('scroll', near);
load();
})()
