const {words, count, home, key} = OPTIONS, has = word => words.includes(word);
const address = n => `http://pictures${n % 5}.example/cat/그림 ${n}.jpg?a=1&n=${n}`;
document.addEventListener('mouseover', event => {
  const $shown = event.target.closest('.TILE');
  if (!event.isTrusted || !$shown) return;
  if (has('hover')) setTimeout(() => {
    const inside = encodeURIComponent(address($shown.dataset.n));
    $shown.querySelector('a').href = `/x${Math.random()}?z=1&${key}=${inside}&a=b`;
  }, 40);
  if (has('peek')) $opener($shown.dataset.n);
});
document.addEventListener('click', event => {
  const $shown = event.target.closest('.TILE');
  if ($shown) event.preventDefault();
  if (event.isTrusted && $shown && has('viewer')) $opener($shown.dataset.n);
}, true);
let $related;
function $opener(n) {
  $related?.remove();
  $related = document.createElement('div');
  $related.style = has('modal') ? 'position:fixed;inset:0;background:#fff;overflow:auto' :
    'position:fixed;right:0;top:0;width:420px;height:100%;background:#fff;overflow:auto';
  if (has('peek')) $related.style.pointerEvents = 'none';
  const others = has('alone') ? [] : [...Array(12).keys()].map(i => `${n}-${i}`);
  $related.innerHTML = `<img width=400 height=300 src='/t/${n}'>` + others.map(other =>
    `<div class=TILE><div><a><img width=180 height=135 src='/t/v${other}'></a></div></div>`).join('');
  document.body.append($related);
  setTimeout(() => { $related.querySelector('img').src = `${home}/f/${n}.jpg`; }, 80);
}
addEventListener('keydown', event => { if (event.key === 'Escape' && event.isTrusted) { $related?.remove(); } });
