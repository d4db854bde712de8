"""The card of a bundle: README.md with the Hub's metadata in front, readable without the Hub.

Figures in it come from the config, nothing is typed by hand. Front matter is JSON values in YAML, which YAML allows
and which needs no quoting rules of our own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from handwriter_models.bundle import BundleConfig

Json = dict[str, Any]


@dataclass(frozen=True)
class Provenance:
    """What a data source is and under which licence it comes."""

    what: str
    licence: str
    hub: str = ""


_MNIST = "[MNIST](http://yann.lecun.com/exdb/mnist/)"
_OMNIGLOT = "[Omniglot](https://github.com/brendenlake/omniglot) (Lake et al. 2015)"
PROVENANCE = {
    "mnist": Provenance(f"{_MNIST}, 60 000 + 10 000 digits", "CC BY-SA 3.0", "mnist"),
    "sklearn-digits": Provenance(
        "[scikit-learn's digits](https://archive.ics.uci.edu/dataset/80) (Alpaydin & Kaynak 1998), 1797 digits",
        "CC BY 4.0",
    ),
    "foreign": Provenance(f"{_OMNIGLOT}, characters that are none of the labels", "MIT"),
    "omniglot-korean": Provenance(f"{_OMNIGLOT}, 40 Korean letters drawn by 20 people", "MIT"),
    "omniglot-latin": Provenance(f"{_OMNIGLOT}, 26 Latin letters drawn by 20 people", "MIT"),
    "omniglot-mnist": Provenance(f"{_OMNIGLOT}, all characters, and some of {_MNIST}", "MIT and CC BY-SA 3.0"),
    "characters": Provenance(f"{_OMNIGLOT} and some of {_MNIST}; tangles and signs", "MIT and CC BY-SA 3.0"),
    "teach": Provenance("pictures that a person gave on the Teach page", "as their owner says"),
}
_WRITERS = Provenance(
    "[QMNIST](https://github.com/facebookresearch/qmnist), who wrote each MNIST digit", "BSD-3-Clause"
)
_WITH_QMNIST = ("mnist", "omniglot-mnist", "characters")
_CAPTIONS = {
    "curves.png": "Loss and accuracy by epoch",
    "examples.png": "Ten test pictures drawn by lot, predicted / actual",
    "confusion.png": "Confusion matrix of the test",
    "confused_pairs.png": "What is taken for what most often",
    "mistakes.png": "The mistakes it was surest of",
    "top_losses.png": "The pictures of each label that it finds hardest",
    "reliability.png": "Confidence against accuracy, before and after the temperature",
    "rejection.png": "Accuracy when only the surest answers are given",
    "roc.png": "Each label against the rest: found against false alarms",
    "precision_recall.png": "Each label against the rest: precision against recall",
}
_MOST_ROWS, _OF_MORE = 100, 30  # of a table that is shown whole; of one that is not


def write_card(config: BundleConfig, figures: list[str]) -> str:
    """The card's text; `figures` are the file names in figures/."""
    parts = (
        _front_matter(config),
        f"# {config.name}\n\n{_first(config.description)}",
        _what(config),
        _use(config),
        _results(config),
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
        "dataset": {"name": dataset, "type": (known and known.hub) or dataset, "split": _split(metrics)},
        "metrics": [{"type": kind, "value": value, "name": kind} for kind, value in values],
    }
    fields: dict[str, Any] = {
        "license": "mit",
        "library_name": "handwriter",
        "pipeline_tag": "image-classification",
        "tags": ["image-classification", config.kind, "handwriter", config.network.name],
        **({"datasets": [known.hub]} if known and known.hub else {}),
        "metrics": ["accuracy", "f1"],
        "model-index": [{"name": config.name, "results": [entry]}],
    }
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in fields.items()]
    return "\n".join(["---", *lines, "---"])


def _what(config: BundleConfig) -> str:
    labels = ", ".join(config.labels[:30]) + (", …" if len(config.labels) > 30 else "")
    rule, parts = config.rejection, config.preprocessing
    refusal = "answers every picture"
    if rule:
        score = "it is more probably something else" if rule.score == "background" else "no label is probable enough"
        refusal = f"refuses a picture when {score} (`{rule.score}`, threshold {rule.threshold:.3g})"
    takes = (
        "any picture of one handwritten character, prepares it as MNIST is prepared (28x28, light ink, centred)"
        if parts.name == "ink"
        else f"any photograph, of which it sees the middle, {parts.size} x {parts.size} pixels,"
    )
    return (
        f"Network `{config.network.name}` {json.dumps(config.network.arguments)}; labels: {labels}. It takes {takes} "
        f"and {refusal}. Confidences are calibrated with temperature {config.temperature:g}."
    )


def _use(config: BundleConfig) -> str:
    return (
        "## Use\n\n```python\nfrom handwriter_models import load\n\n"
        f'answer = load("{config.name}").predict("picture.png")  # or a bundle folder\n'
        "print(answer.label, answer.confidence, answer.rejected)\n```"
    )


def _results(config: BundleConfig) -> str:
    metrics = config.metrics
    of = "cross-validated pictures" if "cross_validation" in metrics else "test pictures"
    lines = [f"## Results on {metrics['n']} {of}", "", *_table(("measure", ""), _measures(metrics))]
    if "cross_validation" in metrics:
        lines += ["", _cross_validated(metrics)]
    if "interval_method" in metrics:
        lines += ["", f"In brackets: {metrics['interval_method']}."]
    statement = leak_statement(metrics)
    if statement:
        lines += ["", f"**Leaks:** {statement}."]
    if "by_group" in metrics:
        lines += ["", *_groups(metrics["by_group"])]
    return "\n".join([*lines, "", *_each_label(metrics["per_label"])])


def _split(metrics: Json) -> str:
    return "cross-validation" if "cross_validation" in metrics else "test"


def _cross_validated(metrics: Json) -> str:
    """How these figures came about where no pictures were set apart."""
    found = metrics["cross_validation"]
    single = ", ".join(_escaped(name) for name in found["single_burst"])
    return (
        f"No pictures were set apart for a test. Each of the {metrics['n']} was answered by a head that had not seen "
        f"it ({found['folds']} folds, {found['groups']} groups: pictures of one burst and near copies stay together); "
        "the head in this bundle has learned them all. Temperature and threshold come from the same answers."
    ) + (f" **Too good for {single}:** all their pictures come from one burst, or are near copies." if single else "")


def _measures(metrics: Json) -> list[tuple[str, ...]]:
    """Name and value of what there is; bundles of an earlier version have less."""
    rows: list[tuple[str, ...]] = [
        ("accuracy", f"{metrics['accuracy']:.2%}{_interval(metrics.get('accuracy_interval'))}")
    ]
    if "accuracy_interval_by_writer" in metrics:
        interval = _interval(metrics["accuracy_interval_by_writer"]).strip()
        rows.append((f"accuracy, over {metrics['writers']} writers", interval))
    rows += [
        (name, f"{metrics[name]['weighted']:.4f} weighted, {metrics[name]['macro']:.4f} macro")
        for name in ("precision", "recall", "f1")
    ]
    rows += [(f"label among the first {k}", f"{share:.2%}") for k, share in metrics.get("top", {}).items()]
    before = metrics.get("ece_before_temperature", metrics["ece"])
    rows.append(("calibration error (ECE, 15 bins)", f"{metrics['ece']:.4f} (before temperature {before:.4f})"))
    named = {"nll": "log loss", "brier": "Brier score", "roc_auc": "area under ROC, mean of labels"}
    rows += [(name, f"{metrics[key]:.4f}") for key, name in named.items() if metrics.get(key) is not None]
    rows.append(("true pictures refused", f"{metrics['refused']:.2%}"))
    if metrics.get("accuracy_of_answered") is not None:
        rows.append(("accuracy of the others", f"{metrics['accuracy_of_answered']:.2%}"))
    return rows


def _interval(interval: list[float] | None, form: str = ".2%") -> str:
    return f" [{interval[0]:{form}}, {interval[1]:{form}}]" if interval else ""


def _groups(groups: Json) -> list[str]:
    head = ("group", "group right", "label right", "label right when the group is known", "pictures")
    shown = _lowest(groups["each"], "group_accuracy")
    rows = [("all", groups), *shown]
    table = _table(
        head,
        [
            (
                _escaped(name),
                f"{row['group_accuracy']:.2%}{_interval(row['group_interval'])}",
                f"{row['accuracy']:.2%}",
                f"{row['within']:.2%}",
                str(row["n"]),
            )
            for name, row in rows
        ],
    )
    return [*table, *_rest(groups["each"], shown, "groups", "lowest accuracy")]


def _each_label(labels: Json) -> list[str]:
    head = ("label", "precision", "recall", "F1", "pictures")
    shown = _lowest(labels, "f1")
    rows = [
        (
            _escaped(name),
            f"{row['precision']:.4f}{_interval(row.get('precision_interval'), '.3f')}",
            f"{row['recall']:.4f}{_interval(row.get('recall_interval'), '.3f')}",
            f"{row['f1']:.4f}",
            str(row["n"]),
        )
        for name, row in shown
    ]
    return [*_table(head, rows), *_rest(labels, shown, "labels", "lowest F1")]


def _lowest(rows: Json, measure: str) -> list[tuple[str, Json]]:
    """All rows; of more than a card has room for, the lowest ones, the worst first."""
    if len(rows) <= _MOST_ROWS:
        return list(rows.items())
    tested = [(name, row) for name, row in rows.items() if row["n"]]
    return sorted(tested, key=lambda item: float(item[1][measure]))[:_OF_MORE]


def _rest(rows: Json, shown: list[tuple[str, Json]], what: str, how: str) -> list[str]:
    if len(shown) == len(rows):
        return []
    return ["", f"These are the {len(shown)} {what} with the {how} of {len(rows):,}; `config.json` has the others."]


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows)]


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
    if config.data.get("divided") == "by writer" and source in _WITH_QMNIST:
        rows.append((_WRITERS, "no writer on both sides of a split"))
    parent = config.parent or {}
    if parent.get("source") in PROVENANCE and parent.get("source") != source:
        rows.append((PROVENANCE[parent["source"]], f"the model it began with, `{parent.get('name')}`"))
    rows += [(PROVENANCE.get(name) or Provenance(f"`{name}`, made by the recipe", "–"), "training") for name in extras]
    table = _table(("data", "licence", "used for"), [(what.what, what.licence, use) for what, use in rows])
    train = recipe.get("train", {})
    steps = f"{train['epochs']} epochs, seed {train['seed']}" if train else "Fitted to the optimum, nothing by chance"
    steps = f"Recipe `{recipe['name']}`: {steps}" if recipe.get("name") else steps
    divided = f"Divided {config.data['divided']}. " if config.data.get("divided") else ""
    how = (
        f"{divided}{steps}; all of it is in `config.json`. Fingerprint of the data: "
        f"`{str(config.data.get('fingerprint'))[:16]}`."
    )
    return "\n".join(["## Data and training", "", *table, "", how])


def _limits(config: BundleConfig) -> str:
    ink = config.preprocessing.name == "ink"
    one, others = (
        ("one character a picture, not a line of text", "other pens, papers and habits of writing")
        if ink
        else ("one subject a picture, in its middle", "other cameras, places and ways to take pictures")
    )
    return (
        "## Limits\n\n"
        f"- It knows {len(config.labels)} labels and nothing else: {one}.\n"
        f"- Its figures hold for pictures like those of the test; {others} do worse.\n"
        "- A refusal is a probability too: some foreign pictures pass, some true ones are refused."
    )


def leak_statement(metrics: Json) -> str:
    """Whether test pictures were known from the training; "" for metrics of an earlier version, which did not look."""
    leaky, check = metrics.get("leaky"), metrics.get("leak_check")
    if leaky:
        why = ", ".join(f"{reason}: {count}" for reason, count in leaky["why"].items())
        right = ", ".join(f"{leaky[key]:.2%} of {name}" for key, name in _SIDES if key in leaky)
        return (
            f"LEAKY: {leaky['pictures']} of {leaky['of']} test pictures are known from the training ({why}); "
            f"right are {right}"
        )
    if not check:
        return ""
    if not check["compared"]:
        return f"not compared with the training data: {check['why_not']}"
    some = "" if check["kept"] == check["pictures"] else f" a sample of {check['kept']:,} of"
    return (
        f"no test picture is known from the training: looked for {', '.join(check['compared'])} among{some} "
        f"{check['pictures']:,} training and validation pictures"
    )


_SIDES = (("accuracy_of_leaking", "these"), ("accuracy_of_the_rest", "the others"))
