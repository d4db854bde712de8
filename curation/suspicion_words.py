"""Why a picture is suspicious, in words, from a flag as the dataset stores it."""

from __future__ import annotations

OUTLIER, LABEL, CONFLICT = "outlier", "label", "conflict"
EVERYWHERE = "everywhere"  # detail of an outlier that is like no class at all

_QUALITY = {
    "blurry": "blurred",
    "dark": "very dark",
    "bright": "overexposed",
    "low-contrast": "hardly any contrast",
    "uniform": "shows nothing: one even tone",
    "odd-aspect": "very long and narrow",
    "tiny": "very small",
}


def words(kind: str, detail: str, label: str) -> str:
    """One reason; `label` is the picture's own."""
    if kind == LABEL:
        return f"labelled {label!r}, looks like {detail!r}"
    if kind == CONFLICT:
        return f"the same picture is also under {detail}"
    if kind == OUTLIER:
        return "unlike every class" if detail == EVERYWHERE else f"unlike the other pictures of {label!r}"
    known = _QUALITY.get(kind, kind)
    return f"{known} ({detail})" if detail else known
