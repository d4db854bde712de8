"""A bundle's `config.json` as typed values: everything about a model but its weights.

Every field is checked when it is read, and a fault is a `UserError` that names the file, the field and the value: a
bundle comes from anywhere, and a wrong mean or a lost label would only show as wrong answers. Unknown fields are
refused, so a program that is too old for a field says so. It does not touch weights and does not load torch.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

from handwriter_models.errors import UserError
from handwriter_models.labels import LONGEST, is_text

if TYPE_CHECKING:  # `list` reads configurations only, and starts without numpy
    import numpy as np
    from numpy.typing import NDArray

FORMAT = 1
Json = dict[str, Any]
NAME = re.compile(r"[^\W_][\w.-]{0,63}")
MOST_LABELS = 100_000
_LINE = 240  # characters; the metrics of one label are as long


@dataclass(frozen=True)
class NetworkConfig:
    """Which network, and all its arguments; `arguments["outputs"]` is the length of its answer."""

    name: str
    arguments: Json


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes the network's input. `ink`: one channel; `photograph`: three, mean and std for each.

    Of photographs the shorter side becomes `resize` pixels (0: an eighth more than `size`), bilinear or bicubic, and
    the middle of `size` is cut out.
    """

    name: Literal["ink", "photograph"] = "ink"
    size: int = 28
    mean: float | tuple[float, ...] = 0.1307
    std: float | tuple[float, ...] = 0.3081
    resize: int = 0
    bicubic: bool = False

    def to_json(self) -> Json:
        """The document of it; what is usual is left out."""
        rare = {name: value for name, value in (("resize", self.resize), ("bicubic", self.bicubic)) if value}
        return {"name": self.name, "size": self.size, "mean": self.mean, "std": self.std, **rare}


@dataclass(frozen=True)
class Rejection:
    """When a picture is called foreign.

    `background`: the network's last output, beyond the labels, has at least this probability; `max_probability`: no
    label reaches this probability.
    """

    score: Literal["background", "max_probability"]
    threshold: float

    def refuses(self, best: NDArray[np.floating], background: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Which pictures are foreign, (n,): `best` is each one's highest probability of a label."""
        return background >= self.threshold if self.score == "background" else best < self.threshold


@dataclass(frozen=True)
class BundleConfig:
    """All of config.json. The order of `labels` is the order of the network's outputs.

    `groups` gives each label a coarser group, or is empty.
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    network: NetworkConfig
    preprocessing: Preprocessing = Preprocessing()
    temperature: float = 1.0
    rejection: Rejection | None = None
    description: dict[str, str] = field(default_factory=dict)
    parent: Json | None = None
    recipe: Json = field(default_factory=dict)
    data: Json = field(default_factory=dict)
    metrics: Json = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)

    @property
    def has_background(self) -> bool:
        """Whether the network has one output more than there are labels, for what is none of them."""
        return self.rejection is not None and self.rejection.score == "background"

    @classmethod
    def from_json(cls, document: object, file: str = "config.json") -> BundleConfig:
        """The config in a parsed JSON document; raises `UserError` naming `file`, the field and its value."""
        return _Reader(file).config(document)

    def to_json(self) -> Json:
        """The document that `from_json` reads back to an equal config."""
        return {
            "format": FORMAT,
            "name": self.name,
            "kind": self.kind,
            "description": dict(self.description),
            "network": {"name": self.network.name, "arguments": _listed(self.network.arguments)},
            "labels": list(self.labels),
            **({"groups": dict(self.groups)} if self.groups else {}),
            "preprocessing": _listed(self.preprocessing.to_json()),
            "temperature": self.temperature,
            "rejection": self.rejection and {"score": self.rejection.score, "threshold": self.rejection.threshold},
            "parent": self.parent,
            "recipe": _listed(self.recipe),
            "data": _listed(self.data),
            "metrics": _listed(self.metrics),
        }


def _listed(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Tuples as lists, so that a config equals itself after a round trip through JSON."""
    if isinstance(value, Mapping):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, list | tuple) else value


def json_text(value: Any, indent: str = "") -> str:  # noqa: ANN401 - any JSON value
    """The JSON text of a value, for people and for size: what fits a line is in one, as any list of numbers is."""
    line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    numbers = isinstance(value, list) and all(isinstance(item, int | float) for item in value)
    if not isinstance(value, dict | list) or numbers or len(indent) + len(line) <= _LINE:
        return line
    inner = f"{indent}  "
    if isinstance(value, dict):
        items = [f"{json.dumps(key, ensure_ascii=False)}: {json_text(item, inner)}" for key, item in value.items()]
    else:
        items = [json_text(item, inner) for item in value]
    left, right = "{}" if isinstance(value, dict) else "[]"
    return left + ",".join(f"\n{inner}{item}" for item in items) + f"\n{indent}{right}"


def parse_json(text: bytes, file: str) -> object:
    """The strict JSON document in `text`; raises `UserError` on anything else: NaN, endless nesting, a key twice."""
    try:
        return json.loads(text.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=unique_keys)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file} is not valid JSON: {error}", "copy the bundle again, whole", 422) from error


def unique_keys(pairs: list[tuple[str, Any]]) -> Json:
    """An object of a JSON document; raises `ValueError` on a key that stands twice, which each reader takes its way."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"it holds the key {_first_twice(name for name, _ in pairs)[:100]!r} twice")
    return found


def _first_twice(texts: Iterable[str]) -> str:
    return next(text for text, count in Counter(texts).items() if count > 1)


def _no_constant(name: str) -> float:
    raise ValueError(f"it holds {name}, which is not a JSON number")


class _Reader:
    """Reads one document; holds the file's name for its messages."""

    def __init__(self, file: str) -> None:
        self.file = file

    def fault(self, path: str, value: object, wanted: str) -> UserError:
        shown = repr(value)
        shown = shown if len(shown) <= 80 else shown[:77] + "…"
        return UserError(f"{self.file}: field {path!r} is {shown}", f"it must be {wanted}", 422)

    def fields(self, document: object, path: str, needed: str, optional: str = "") -> Json:
        """The object's fields when it has all the needed ones and no unknown ones."""
        if not isinstance(document, dict):
            raise self.fault(path or "(the document)", document, f"an object with the fields {needed}")
        dot = f"{path}." if path else ""
        for name in needed.split():
            if name not in document:
                raise UserError(f"{self.file}: field {dot + name!r} is missing", "make the bundle again", 422)
        unknown = sorted(set(document) - {*needed.split(), *optional.split()})
        if unknown:
            raise UserError(f"{self.file}: field {dot + unknown[0]!r} is unknown", "made by a newer version?", 422)
        return document

    def config(self, document: object) -> BundleConfig:
        version = document.get("format") if isinstance(document, dict) else None
        if isinstance(document, dict) and "format" in document and (version != FORMAT or isinstance(version, bool)):
            raise self.fault("format", version, f"{FORMAT}; another number needs another version of this program")
        values = self.fields(
            document, "", "format name kind labels network preprocessing", "temperature rejection description"
            " parent recipe data metrics groups",
        )  # fmt: skip
        config = BundleConfig(
            name=self.name(values["name"]),
            kind=self.text(values["kind"], "kind", 64),
            labels=self.labels(values["labels"]),
            network=self.network(values["network"]),
            preprocessing=self.preprocessing(values["preprocessing"]),
            temperature=self.number(values.get("temperature", 1.0), "temperature", 0.001, 1000),
            rejection=self.rejection(values.get("rejection")),
            description=self.description(values.get("description", {})),
            parent=None if values.get("parent") is None else self.mapping(values["parent"], "parent"),
            recipe=self.mapping(values.get("recipe", {}), "recipe"),
            data=self.mapping(values.get("data", {}), "data"),
            metrics=self.mapping(values.get("metrics", {}), "metrics"),
            groups=self.groups(values.get("groups", {}), values["labels"]),
        )
        self.check_outputs(config)
        return config

    def check_outputs(self, config: BundleConfig) -> None:
        outputs = config.network.arguments["outputs"]
        wanted = len(config.labels) + config.has_background
        if outputs != wanted:
            why = " and one for the background" if config.has_background else ""
            raise UserError(
                f"{self.file}: the network has {outputs} outputs, but there are {len(config.labels)} labels{why}",
                f"'network.arguments.outputs' must be {wanted}, or the labels are incomplete",
                422,
            )

    def text(self, value: object, path: str, most: int) -> str:
        if not isinstance(value, str) or not value.strip() or len(value) > most or not is_text(value):
            raise self.fault(path, value, f"text of 1 to {most} characters on one line")
        return value

    def name(self, value: object) -> str:
        if not isinstance(value, str) or not NAME.fullmatch(value):
            raise self.fault("name", value, "1 to 64 letters, digits, '.', '-' or '_', starting with a letter or digit")
        return value

    def number(self, value: object, path: str, low: float, high: float) -> float:
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if not good or not math.isfinite(cast(float, value)) or not low <= cast(float, value) <= high:
            raise self.fault(path, value, f"a number from {low:g} to {high:g}")
        return float(cast(float, value))

    def integer(self, value: object, path: str, low: int, high: int) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.fault(path, value, f"a whole number from {low} to {high}")
        return value

    def mapping(self, value: object, path: str) -> Json:
        if not isinstance(value, dict):
            raise self.fault(path, value, "an object")
        return value

    def labels(self, value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not 2 <= len(value) <= MOST_LABELS:
            raise self.fault("labels", value, f"a list of 2 to {MOST_LABELS} texts")
        labels = tuple(self.text(label, f"labels[{number}]", LONGEST) for number, label in enumerate(value))
        if len(set(labels)) < len(labels):
            raise self.fault("labels", _first_twice(labels), "a list in which each label stands once")
        return labels

    def groups(self, value: object, labels: list[str]) -> dict[str, str]:
        document = self.mapping(value, "groups")
        if document and set(document) != set(labels):
            raise self.fault("groups", document, "an object with a group for each label, or nothing")
        return {label: self.text(group, f"groups.{label}", LONGEST) for label, group in document.items()}

    def network(self, value: object) -> NetworkConfig:
        values = self.fields(value, "network", "name arguments")
        arguments = self.mapping(values["arguments"], "network.arguments")
        if "outputs" not in arguments:
            raise UserError(f"{self.file}: field 'network.arguments.outputs' is missing", "make the bundle again", 422)
        self.integer(arguments["outputs"], "network.arguments.outputs", 1, MOST_LABELS + 1)
        return NetworkConfig(self.text(values["name"], "network.name", 64), arguments)

    def preprocessing(self, value: object) -> Preprocessing:
        values = self.fields(value, "preprocessing", "name size mean std", "resize bicubic")
        name = values["name"]
        if name == "ink":
            size = self.integer(values["size"], "preprocessing.size", 28, 28)
            mean = self.number(values["mean"], "preprocessing.mean", -10, 10)
            return Preprocessing("ink", size, mean, self.number(values["std"], "preprocessing.std", 1e-6, 10))
        if name == "photograph":
            size = self.integer(values["size"], "preprocessing.size", 1, 4096)
            resize = self.integer(values.get("resize", 0), "preprocessing.resize", 0, 8192)
            if 0 < resize < size:
                raise self.fault("preprocessing.resize", resize, f"at least the size, {size}")
            if not isinstance(values.get("bicubic", False), bool):
                raise self.fault("preprocessing.bicubic", values["bicubic"], "true or false")
            colours = self.triple(values["mean"], "preprocessing.mean", -10)
            spread = self.triple(values["std"], "preprocessing.std", 1e-6)
            return Preprocessing("photograph", size, colours, spread, resize, values.get("bicubic", False))
        raise self.fault("preprocessing.name", name, "'ink' or 'photograph'")

    def triple(self, value: object, path: str, low: float) -> tuple[float, ...]:
        if not isinstance(value, list) or len(value) != 3:
            raise self.fault(path, value, "a list of three numbers")
        return tuple(self.number(item, f"{path}[{number}]", low, 10) for number, item in enumerate(value))

    def rejection(self, value: object) -> Rejection | None:
        if value is None:
            return None
        values = self.fields(value, "rejection", "score threshold")
        score = values["score"]
        if score not in ("background", "max_probability"):
            raise self.fault("rejection.score", score, "'background' or 'max_probability'")
        return Rejection(score, self.number(values["threshold"], "rejection.threshold", 0, 1))

    def description(self, value: object) -> dict[str, str]:
        document = self.mapping(value, "description")
        return {language: self.text(text, f"description.{language}", 2000) for language, text in document.items()}
