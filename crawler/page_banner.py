"""What lies over an engine's page: banners, dialogs and frames that ask for consent, and layers that swallow clicks.

A banner is answered with "reject", in whatever language and wherever it stands, and never with "accept"; what asks for
nothing is closed. What cannot be taken away is told, for a page is never read to its end beneath it.
"""

from __future__ import annotations

from dataclasses import dataclass

from crawler.page_view import View

# What stands on the buttons and in the texts of banners
REJECT = "|".join(
    (
        "reject|decline|refuse|deny|disagree|without accepting|do not (accept|agree|consent)|don't (accept|agree)",
        "(only|strictly) (necessary|essential|required)|(necessary|essential|required) (cookies )?only",
        "ablehnen|nur (notwendige|erforderliche|essenzielle)|refuser|rejeter|sans accepter|rechazar|no aceptar",
        "solo (las )?necesarias|rifiuta|senza accettare|recusar|rejeitar|weiger|afwijzen|alleen noodzakelijke",
        "avvisa|neka|afvis|avvis|hylkää|odmítn|odmietn|odrzuć|elutasít|respinge|refuz|odbij|zavrni|noraid|atmesti",
        "keeldu|hafna|απόρριψη|отклон|отказ|відхил|відмов|откажи|одбиј|reddet|رفض|דחה|דחיי|拒绝|拒絕|拒否|同意しない",
        "不同意|거부|거절|동의하지 않|동의 안|từ chối|ปฏิเสธ|tolak|अस्वीकार",
    )
)
CLOSE = "close|dismiss|no,? thanks|not now|maybe later|skip|schließen|fermer|cerrar|닫기|나중에|閉じる|关闭|關閉|[×✕✖]"
COOKIES = "|".join(
    (
        "cookie|consent|privacy|gdpr|datenschutz|confidentialité|privacidad|riservatezza|쿠키|개인정보|동의|クッキー",
        "プライバシー|隐私|隱私|конфиденциальн|çerez|gizlilik|evästei|informasjonskaps|ciastecz|prywatn",
        "ملفات تعريف|خصوصية|עוגיות|คุกกี้|कुकी",
    )
)

# (whether the whole page asks, reject, close, cookies) → {covers, button, frames}: whether something lies over the
# page, the button that takes it away, and frames over the page that may hold one. What holds many pictures is a viewer,
# what holds a field for words is the bar to search with.
COVER = """
const [whole, reject, close, cookies] = arguments;
const [REJECT, CLOSE, COOKIES] = [reject, `^(${close})[.! ]*$`, cookies].map(words => new RegExp(words, 'i'));
const query = new URLSearchParams(location.search), words = query.get('q') ?? query.get('query') ?? '';
const asked = words.toLowerCase().split(/\\s+/).filter(word => word.length > 3);  // may stand on any button
const within = root => root ? [...root.querySelectorAll('*')].flatMap(one => [one, ...within(one.shadowRoot)]) : [];
const all = root => [...within(root), ...within(root.shadowRoot)];
const deep = (root, selector) => all(root).filter(one => one.matches(selector));
const up = element => element.parentElement ?? element.getRootNode().host ?? null;
const seen = element => {
  const box = element.getBoundingClientRect();
  const inSight = box.width > 1 && box.height > 1 && box.bottom > 0 && box.top < innerHeight;
  return inSight && element.checkVisibility({opacityProperty: true, visibilityProperty: true});
};
const half = element => element.offsetWidth * element.offsetHeight > innerWidth * innerHeight * 0.5;
const floating = element => {
  if (element.matches('dialog[open],[aria-modal=true]')) return true;
  const {position, zIndex} = getComputedStyle(element);
  return /fixed|sticky/.test(position) || (position === 'absolute' && parseInt(zIndex) > 0 && half(element));
};
const roots = new Map([[document.body, null], [document.documentElement, null]]);
const floats = element => {
  if (!element) return null;
  if (!roots.has(element)) roots.set(element, floating(element) ? element : floats(up(element)));
  return roots.get(element);
};
const said = element => [element.innerText || element.value || '', element.getAttribute('aria-label') ?? '']
  .map(text => text.trim()).find(text => text && text.length < 60) ?? '';
const text = root => [root, ...[root, ...all(root)].flatMap(one => [...one.shadowRoot?.children ?? []])]
  .map(one => one.innerText ?? '').join(' ').toLowerCase();
const apart = said => asked.reduce((left, word) => left.replaceAll(word, ''), said);
const layer = new Map();
const isLayer = root => {
  const bars = 'input[type=search],input[name=q],input[name=query],textarea';
  if (!layer.has(root)) layer.set(root, deep(root, 'img').length < 8 && !deep(root, bars).length);
  return layer.get(root);
};
const asks = root => COOKIES.test(apart(text(root)));
const hits = new Map();
for (let x = 0.1; x < 1; x += 0.2) for (let y = 0.1; y < 1; y += 0.2) {
  let top = document.elementFromPoint(innerWidth * x, innerHeight * y), inner;
  while ((inner = top?.shadowRoot?.elementFromPoint(innerWidth * x, innerHeight * y)) && inner !== top) top = inner;
  const root = floats(top);
  if (root && isLayer(root)) hits.set(root, (hits.get(root) ?? 0) + 1);
}
const buttons = new Map();  // by the layer in which they are, null: in the page
for (const button of deep(document, 'button,[role=button],input[type=submit],input[type=button],a').filter(seen)) {
  const root = floats(button);
  if (!root || isLayer(root)) buttons.set(root, [...buttons.get(root) ?? [], button]);
}
const empty = root => !deep(root, 'img').length;  // what shows a picture and asks nothing is a viewer
const large = [...hits].filter(([root, count]) => count >= 10 && (empty(root) || asks(root))).map(([root]) => root);
const floated = [...buttons].filter(([root]) => root);
const banners = floated.filter(([root, its]) => asks(root) && its.length < 10 && its.some(one => one.tagName !== 'A'));
const asking = new Set([...large, ...banners.map(([root]) => root)]);
const candidates = [...floated.filter(([root]) => asking.has(root)).flatMap(([, its]) => its), ...whole ?
  (buttons.get(null) ?? []).filter(one => one.tagName !== 'A' || COOKIES.test(document.body.innerText)) : []];
const rejecting = candidates.find(one => REJECT.test(apart(said(one).toLowerCase())));
const idle = large.filter(root => !asks(root)).flatMap(root => buttons.get(root) ?? []);
const button = rejecting ?? idle.find(one => CLOSE.test(said(one))) ?? null;
const size = frame => frame.clientWidth * frame.clientHeight / (innerWidth * innerHeight);
const frames = deep(document, 'iframe').filter(one => seen(one) && size(one) > 0.05 && (whole || floats(one)));
return {covers: asking.size > 0 || frames.some(floats), button, frames: frames.slice(0, 5)};
"""

# (reject) → the button in a frame that says "reject", or null
FRAME_BUTTON = """
const words = new RegExp(arguments[0], 'i');
return [...document.querySelectorAll('button,[role=button],input[type=submit],input[type=button],a')].find(element => {
  const text = (element.innerText || element.value || element.getAttribute('aria-label') || '').trim();
  return text.length < 60 && words.test(text) && element.getClientRects().length;
}) ?? null;
"""


@dataclass(frozen=True)
class Banner:
    """Whether something lies over the page, and whether a button was pressed that takes it away."""

    covers: bool
    pressed: bool


def answer(view: View, whole: bool = False) -> Banner:
    """Takes away what lies over the page, as far as one button does; with `whole` the page itself may ask."""
    with view.elements() as driver:
        cover = driver.execute_script(COVER, whole, REJECT, CLOSE, COOKIES)
        button = cover["button"]
        if button is not None:
            view.click_element(button)
            return Banner(bool(cover["covers"]), pressed=True)
        for frame in cover["frames"]:
            driver.switch_to.frame(frame)
            try:
                button = driver.execute_script(FRAME_BUTTON, REJECT)
                if button is not None:
                    view.click_element(button)
                    return Banner(covers=True, pressed=True)
            finally:
                driver.switch_to.default_content()
        return Banner(bool(cover["covers"]), pressed=False)
    return Banner(covers=False, pressed=False)
