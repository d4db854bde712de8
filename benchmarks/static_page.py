"""The static page: what it weighs, how soon it answers, whether it answers as the server does.

`python benchmarks/static_page.py` builds a site with all models of handwriting and opens it in a headless Chromium. The
first bars are those of a stroke that a script begins as soon as the page listens; time is counted by the page itself,
from the start of the navigation. For agreement, every model reads the same files here and in the page.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parent.parent)

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from benchmarks.table import Figure, print_table
from handwriter_models.bundle import Rejection, find_bundle
from handwriter_models.classifier import Prediction, load
from handwriter_models.static_site.build import write_static_site
from tests.browser import Browser, Look, chromium
from tests.characters import encoded, picture_of
from tests.static_pages import BLOB, called, served, text_of

ROOT = Path(__file__).resolve().parent.parent
MODELS = ("digits", "letters", "hangul", "characters", "cnn-digits", "mlp-digits")
MEGABYTES, SECONDS, APART = 5.0, 2.0, 0.02
OPENINGS, SCANS = 5, 150
BEGIN = """
addEventListener('DOMContentLoaded', () => {
  const watch = new MutationObserver(() => requestAnimationFrame(() => { window.firstBars ??= performance.now(); }));
  watch.observe(document.querySelector('#result'), {attributeFilter: ['data-answers']});
  for (const key of [' ', ...Array(12).fill('ArrowDown'), ' ']) {
    document.querySelector('#canvas').dispatchEvent(new KeyboardEvent('keydown', {key}));
  }
});
"""
READ = (
    BLOB
    + """
const {Reader} = await at('reader.js'), {pixelsOf} = await at('picture.js');
const reader = new Reader(await (await fetch(`models/${given.model}/config.json`)).json()), answers = [];
await reader.warmUp();
for (const text of given.files) {
  const pixels = await pixelsOf(blob(text));
  const {pixels: prepared} = reader.prepared(pixels);
  answers.push({...await reader.answer(pixels), seen: [...prepared]});
}
return answers;
"""
)


@dataclass(frozen=True)
class Agreement:
    """How one model's answers in the page compare with its answers here, over pictures of one kind.

    `other_answers` differ in label, group or refusal; `firm` of them though nothing hung in the balance: two labels or
    the rule of refusal within APART of each other.
    """

    other_answers: int
    firm: int
    apart: float
    prepared: float
    milliseconds: float


def pictures() -> dict[str, list[bytes]]:
    """Drawings on the page's paper, photographs of paper, and scans of other people's digits, small and large."""
    drawn = [encoded(picture_of(name, width)) for name in ("7", "3", "0", "4", ":)") for width in range(4, 40, 4)]
    folder = ROOT / "demo" / "examples"
    photographs = [path.read_bytes() for path in sorted(folder.glob("*.jpg"))]
    scans = [Image.fromarray(np.round(scan * (255 / 16)).astype(np.uint8)) for scan in load_digits().images[:SCANS]]
    small = [encoded(scan.resize((24, 24), Image.Resampling.BICUBIC)) for scan in scans]
    large = [encoded(scan.resize((280, 280), Image.Resampling.BICUBIC).convert("RGB")) for scan in scans]
    return {"drawings": drawn, "photographs of paper": photographs, "scans": small, "large scans": large}


def first_bars(page: Browser, address: str) -> list[float]:
    """Seconds for each opening; the files are in the browser's cache by then."""
    page.open(address)
    script = page.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": BEGIN})
    found = []
    for _ in range(OPENINGS):
        page.driver.get(address)
        page.wait(lambda: page.run("return window.firstBars"), "bars", 60)
        found.append(page.run("return firstBars") / 1000)
    page.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
    return found


def agreement(found: Sequence[dict[str, Any]], wanted: Sequence[Prediction], rule: Rejection | None) -> Agreement:
    """Compares label, group and refusal; every probability; and the prepared pictures."""
    other, firm, apart, prepared = 0, 0, 0.0, 0.0
    for one, said in zip(found, wanted, strict=True):
        same = (one["label"], one["rejected"], one.get("category")) == (said.label, said.rejected, said.category)
        other += not same
        firm += not same and not hung(said, rule)
        apart = max([apart, *(abs(one["probabilities"][label] - p) for label, p in said.probabilities.items())])
        prepared = max(prepared, float(np.abs(np.array(one["seen"], float) - said.seen.ravel()).mean()))
    return Agreement(other, firm, apart, prepared, median(one["milliseconds"] for one in found))


def hung(said: Prediction, rule: Rejection | None) -> bool:
    """Whether a step of APART in a probability gives another answer."""
    second, best = sorted(said.probabilities.values())[-2:]
    score = best if rule and rule.score == "max_probability" else 1 - said.confidence / best
    return best - second <= 2 * APART or (rule is not None and abs(score - rule.threshold) <= APART)


def compared(page: Browser, kind: str, files: list[bytes]) -> list[Figure]:
    """One figure for each quantity, the worst of all models."""
    texts = [text_of(data) for data in files]
    each = []
    for name in MODELS:
        model = load(find_bundle(name))
        found = called(page, READ, {"model": name, "files": texts})
        each.append(agreement(found, model.predict_many(files), model.config.rejection))
    other, firm, apart = sum(o.other_answers for o in each), sum(o.firm for o in each), max(o.apart for o in each)
    return [
        Figure(
            f"{kind}: {len(files)} by {len(MODELS)} models, other answers where nothing hung in the balance (else)",
            f"{firm} ({other - firm})",
            "0",
            firm == 0,
        ),
        Figure(f"{kind}: largest difference of a probability", f"{apart:.4f}", f"≤ {APART}", apart <= APART),
        Figure(f"{kind}: prepared pictures, mean difference of 255, the worst", f"{max(o.prepared for o in each):.3f}"),
        Figure(f"{kind}: one picture, median", f"{median(one.milliseconds for one in each):.0f} ms"),
    ]


def measure() -> list[Figure]:
    """All figures."""
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "site"
        write_static_site({name: find_bundle(name) for name in MODELS}, folder)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
        with served(folder) as address, chromium(Look(motion=True)) as page:
            page.driver.set_script_timeout(300)
            opened = first_bars(page, address)
            figures = [
                Figure(
                    f"the whole site, {len(MODELS)} models", f"{size:.2f} MB", f"≤ {MEGABYTES} MB", size <= MEGABYTES
                ),
                Figure(
                    "first bars after opening, files in the cache: median (slowest)",
                    f"{median(opened):.2f} s ({max(opened):.2f} s)",
                    f"≤ {SECONDS} s",
                    median(opened) <= SECONDS,
                ),
            ]
            for kind, files in pictures().items():
                figures += compared(page, kind, files)
    return figures


if __name__ == "__main__":
    sys.exit(not print_table("Static page", measure()))
