"""The card of a bundle: README.md with the Hub's metadata in front, readable without the Hub.

Figures in it come from the config, nothing is typed by hand. Front matter is JSON values in YAML, which YAML allows
and which needs no quoting rules of our own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from handwriter_models.bundle import BundleConfig


@dataclass(frozen=True)
class Provenance:
    """What a data source is and under which licence it comes."""

    what: str
    licence: str
    hub: str = ""


PROVENANCE = {
    "mnist": Provenance("[MNIST](http://yann.lecun.com/exdb/mnist/), 60 000 + 10 000 digits", "CC BY-SA 3.0", "mnist"),
    "sklearn-digits": Provenance(
        "[scikit-learn's digits](https://archive.ics.uci.edu/dataset/80) (Alpaydin & Kaynak 1998), 1797 digits",
        "CC BY 4.0",
    ),
    "foreign": Provenance(
        "[Omniglot](https://github.com/brendenlake/omniglot) (Lake et al. 2015), characters that are no digit", "MIT"
    ),
}
_WRITERS = Provenance(
    "[QMNIST](https://github.com/facebookresearch/qmnist), who wrote each MNIST digit", "BSD-3-Clause"
)
_CAPTIONS = {
    "curves.png": "Loss and accuracy by epoch",
    "confusion.png": "Confusion matrix of the test",
    "examples.png": "Test pictures, predicted / actual",
    "mistakes.png": "The worst mistakes",
    "reliability.png": "Confidence against accuracy",
}


def write_card(config: BundleConfig, figures: list[str]) -> str:
    """The card's text; `figures` are the file names in figures/."""
    parts = (
        _front_matter(config),
        f"# {config.name}\n\n{_first(config.description)}",
        _what(config),
        _use(config),
        _results(config.metrics),
        _pictures(figures),
        _data(config),
        _limits(config),
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _first(description: dict[str, str]) -> str:
    return "\n\n".join(description.values()) or "An image classifier made with HandWriter."


def _front_matter(config: BundleConfig) -> str:
    known = PROVENANCE.get(str(config.data.get("source")))
    dataset = str(config.data.get("source"))
    metrics = config.metrics
    values = [("accuracy", metrics["accuracy"]), ("f1", metrics["f1"]["macro"]), ("ece", metrics["ece"])]
    entry = {
        "task": {"type": "image-classification", "name": "Image Classification"},
        "dataset": {"name": dataset, "type": (known and known.hub) or dataset, "split": "test"},
        "metrics": [{"type": kind, "value": value, "name": kind} for kind, value in values],
    }
    fields: dict[str, Any] = {
        "license": "mit",
        "library_name": "handwriter",
        "pipeline_tag": "image-classification",
        "tags": ["image-classification", "handwriting", "handwriter", config.network.name],
        **({"datasets": [known.hub]} if known and known.hub else {}),
        "metrics": ["accuracy", "f1"],
        "model-index": [{"name": config.name, "results": [entry]}],
    }
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in fields.items()]
    return "\n".join(["---", *lines, "---"])


def _what(config: BundleConfig) -> str:
    labels = ", ".join(config.labels[:30]) + (", …" if len(config.labels) > 30 else "")
    rule = config.rejection
    refusal = "answers every picture"
    if rule:
        score = "it is more probably something else" if rule.score == "background" else "no label is probable enough"
        refusal = f"refuses a picture when {score} (`{rule.score}`, threshold {rule.threshold:.3g})"
    return (
        f"Network `{config.network.name}` {json.dumps(config.network.arguments)}; labels: {labels}. It takes any "
        f"picture of one handwritten character, prepares it as MNIST is prepared (28x28, light ink, centred), and "
        f"{refusal}. "
        f"Confidences are calibrated with temperature {config.temperature:g}."
    )


def _use(config: BundleConfig) -> str:
    return (
        "## Use\n\n```python\nfrom handwriter_models import load\n\n"
        f'answer = load("{config.name}").predict("picture.png")  # or a bundle folder\n'
        "print(answer.label, answer.confidence, answer.rejected)\n```"
    )


def _results(metrics: dict[str, Any]) -> str:
    rows = [("accuracy", f"{metrics['accuracy']:.2%}")]
    rows += [
        (name, f"{metrics[name]['weighted']:.4f} weighted, {metrics[name]['macro']:.4f} macro")
        for name in ("precision", "recall", "f1")
    ]
    before = metrics["ece_before_temperature"]
    rows += [
        ("calibration error (ECE, 15 bins)", f"{metrics['ece']:.4f} (before temperature {before:.4f})"),
        ("true pictures refused", f"{metrics['refused']:.2%}"),
    ]
    table = ["| measure | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]
    each = ["| label | precision | recall | F1 | pictures |", "|---|---|---|---|---|"]
    each += [
        f"| {_escaped(name)} | {row['precision']:.4f} | {row['recall']:.4f} | {row['f1']:.4f} | {row['n']} |"
        for name, row in metrics["per_label"].items()
    ]
    return "\n".join([f"## Results on {metrics['n']} test pictures", "", *table, "", *each])


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def _pictures(figures: list[str]) -> str:
    if not figures:
        return ""
    rows = ["| | |", "|---|---|"]
    rows += [f"| {_CAPTIONS.get(name, name)} | ![{_CAPTIONS.get(name, name)}](figures/{name}) |" for name in figures]
    return "\n".join(["## Figures", "", *rows])


def _data(config: BundleConfig) -> str:
    source, splits, recipe = str(config.data.get("source")), config.data.get("splits", {}), config.recipe
    extras = recipe.get("data", {}).get("extras", ())
    counts = ", ".join(f"{name} {count}" for name, count in splits.items())
    rows = [(PROVENANCE.get(source) or Provenance(f"folder `{source}`", "as its owner says"), counts)]
    if config.data.get("divided") == "by writer":
        rows.append((_WRITERS, "no writer on both sides of a split"))
    rows += [(PROVENANCE.get(name) or Provenance(f"`{name}`, made by the recipe", "–"), "training") for name in extras]
    table = ["| data | licence | used for |", "|---|---|---|"]
    table += [f"| {what.what} | {what.licence} | {use} |" for what, use in rows]
    train = recipe.get("train", {})
    how = (
        f"Recipe `{recipe.get('name')}`: {train.get('epochs')} epochs, seed {train.get('seed')}; all of it is in "
        f"`config.json`. Fingerprint of the data: `{str(config.data.get('fingerprint'))[:16]}`."
    )
    return "\n".join(["## Data and training", "", *table, "", how])


def _limits(config: BundleConfig) -> str:
    labels = len(config.labels)
    return (
        "## Limits\n\n"
        f"- It knows {labels} labels and nothing else: one character a picture, not a line of text.\n"
        "- Its figures hold for pictures like those of the test; other pens, papers and habits of writing do worse.\n"
        "- A refusal is a probability too: some foreign pictures pass, some true ones are refused."
    )
