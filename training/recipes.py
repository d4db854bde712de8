"""A recipe: every choice of a training in one readable TOML file, checked field by field.

The same recipe, data and seed give the same weights on a CPU, so a bundle stores its resolved recipe whole. What is
not a choice of the training (the device, where files lie) is not in a recipe but an option of the command.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from handwriter_models.errors import UserError
from handwriter_models.learning.options import HeadOptions, TrainOptions, choice, number

TRANSFER = "transfer"
CLASSES = "classes"  # what a head may read of the network below it
FOLDER = Path(__file__).with_name("recipes")
Section = TypeVar("Section")


@dataclass(frozen=True)
class NetworkChoice:
    """A network of `handwriter_models.networks`; the number of outputs follows from the labels."""

    name: str = "mlp"
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DataOptions:
    """Shares set apart for validation, and for the test where the source has none; extra training pictures by name.

    `size`: the side of the square that a network from scratch sees of a photograph, in pixels.
    """

    validation: float = number(0.05, 0.001, 0.5)
    test: float = number(0.2, 0.01, 0.5)
    extras: tuple[str, ...] = ()
    pictures: str = choice("handwriting", "photographs")
    size: int = number(224, 16, 1024)


@dataclass(frozen=True)
class BackboneChoice:
    """The frozen network below a new head; `views` changed looks at each training picture beside the plain one.

    `reads`: what the head reads of it, its last vector, or what it says of the classes that it once learned.
    `engine` computes the vectors of training pictures (OpenVINO is an optional extra); those of the others come from
    the network as it will answer.
    """

    name: str = "resnet50"
    weights: str = "imagenet"
    views: int = number(4, 0, 16)
    reads: str = choice("vector", CLASSES)
    engine: str = choice("torch", "openvino", "openvino-int8")


@dataclass(frozen=True)
class FinetuneOptions:
    """After the head: modules of the backbone, by the beginning of their names, that learn on at a lower rate.

    `rate` is a share of the head's rate.
    """

    unfreeze: tuple[str, ...] = ()
    rate: float = number(0.01, 1e-9, 1.0)
    epochs: int = number(3, 1, 100_000)
    batch: int = number(32, 1, 65536)


@dataclass(frozen=True)
class RejectionOptions:
    """How foreign pictures are refused: the threshold accepts the share `target` of true ones, unless given (> 0)."""

    score: str = choice("none", "background", "max_probability")
    target: float = number(0.98, 0.5, 1.0)
    threshold: float = number(0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Recipe:
    """One training, all defaults filled in."""

    name: str
    description: dict[str, str]
    network: NetworkChoice
    data: DataOptions
    train: TrainOptions
    augment: dict[str, Any]
    rejection: RejectionOptions
    backbone: BackboneChoice = BackboneChoice()
    head: HeadOptions = field(default_factory=HeadOptions)
    finetune: FinetuneOptions = FinetuneOptions()

    @property
    def is_transfer(self) -> bool:
        """Whether a new head is trained on a network that exists."""
        return self.network.name == TRANSFER

    def as_json(self) -> dict[str, Any]:
        """Plain values, as a bundle stores them and `recipe_from_table` reads them back; nothing that has no part."""
        table = asdict(self)
        table["data"]["extras"] = list(self.data.extras)
        table["finetune"]["unfreeze"] = list(self.finetune.unfreeze)
        unused = () if self.is_transfer else _OF_TRANSFER
        if self.data.pictures == "handwriting":
            del table["data"]["pictures"], table["data"]["size"]
        return {key: value for key, value in table.items() if key not in unused}


_SECTIONS: dict[str, type[Any]] = {
    "network": NetworkChoice,
    "data": DataOptions,
    "train": TrainOptions,
    "rejection": RejectionOptions,
    "backbone": BackboneChoice,
    "head": HeadOptions,
    "finetune": FinetuneOptions,
}
_OF_TRANSFER = ("backbone", "head", "finetune")
_TOP = ("name", "description", "augment", *_SECTIONS)


def recipe_names() -> list[str]:
    """Names of our own recipes."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read_recipe(name: str, overrides: Iterable[str] = ()) -> Recipe:
    """The recipe called `name` (or the file of that path) with `section.field=value` changes applied in order."""
    path = _recipe_path(name)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"recipe {path} is not TOML: {error}", "compare it with `python training recipes`") from error
    for change in overrides:
        _apply(table, change)
    return recipe_from_table(table, path.stem)


def _recipe_path(name: str) -> Path:
    if name in recipe_names():
        return FOLDER / f"{name}.toml"
    path = Path(name)
    if path.suffix == ".toml" and path.is_file():
        return path
    known = ", ".join(recipe_names())
    raise UserError(f"unknown recipe {name!r}", f"recipes: {known}; or give the path of a .toml file")


def _apply(table: dict[str, Any], change: str) -> None:
    where, sign, text = change.partition("=")
    *sections, name = where.strip().split(".")
    if not sign or not name:
        raise UserError(f"--set {change!r} is not section.field=value", "for example --set train.epochs=5")
    target: Any = table
    for section in sections:
        target = target.setdefault(section, {}) if isinstance(target, dict) else None
    if not isinstance(target, dict):
        raise UserError(f"--set {change!r} names no field of a recipe", f"sections: {', '.join(_SECTIONS)}, augment")
    target[name] = _value(text.strip())


def _value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def recipe_from_table(table: Mapping[str, Any], name: str = "") -> Recipe:
    """The recipe in a table as TOML or a bundle gives it; `UserError` names the wrong field and value."""
    _refuse_unknown("recipe", table, _TOP)
    sections = {key: _section(key, kind, _table(key, table.get(key, {}))) for key, kind in _SECTIONS.items()}
    if sections["backbone"].reads == CLASSES and "scale" not in table.get("head", {}):
        sections["head"] = replace(sections["head"], scale="all")  # probabilities are of one unit
    found = table.get("name", name)
    if not isinstance(found, str) or not found:
        raise UserError(f"recipe name is {found!r}", 'give a text like name = "digits"')
    recipe = Recipe(
        name=found,
        description=_description(table.get("description", {})),
        augment=dict(_table("augment", table.get("augment", {}))),
        **sections,
    )
    _check_transfer(recipe, table)
    return recipe


def _check_transfer(recipe: Recipe, table: Mapping[str, Any]) -> None:
    """What belongs to a new head on an old network stands nowhere else, where it would do nothing."""
    if not recipe.is_transfer:
        for section in _OF_TRANSFER:
            if section in table:
                raise UserError(
                    f"recipe section [{section}] has no part in network {recipe.network.name!r}",
                    f"it belongs to network {TRANSFER!r}: leave it out",
                )
    elif recipe.network.arguments:
        raise UserError(
            f"network {TRANSFER!r} takes no arguments in a recipe: {recipe.network.arguments}",
            "name the network in [backbone], and the head in [head]",
        )
    elif recipe.data.pictures != "photographs":
        raise UserError(f"network {TRANSFER!r} is for photographs", 'add pictures = "photographs" to [data]')


def _description(value: object) -> dict[str, str]:
    texts = {"en": value} if isinstance(value, str) else value
    if not isinstance(texts, Mapping) or not all(isinstance(item, str) for item in texts.values()):
        raise UserError(f"recipe field 'description' is {value!r}", 'give a text, or a table: en = "…", ko = "…"')
    return {str(key): str(text) for key, text in texts.items()}


def _table(where: str, value: object) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    raise UserError(f"recipe section {where!r} is {value!r}", f"write it as a table: [{where}]")


def _refuse_unknown(where: str, table: Mapping[str, Any], known: Iterable[str]) -> None:
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise UserError(f"{where} has no field {unknown[0]!r}", f"fields: {', '.join(known)}")


def _section(where: str, kind: type[Section], table: Mapping[str, Any]) -> Section:
    known = {item.name: item for item in fields(kind)}  # type: ignore[arg-type]
    _refuse_unknown(f"recipe section [{where}]", table, known)
    defaults = kind()
    values = {
        key: _checked(f"{where}.{key}", value, getattr(defaults, key), known[key].metadata)
        for key, value in table.items()
    }
    return kind(**values)


def _checked(where: str, value: object, default: object, rule: Mapping[str, Any]) -> object:
    """`value` in the type of `default` and within `rule`, or a `UserError` that names both."""
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if isinstance(default, tuple) and isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = tuple(value)
    if type(value) is not type(default):
        kind = {"tuple": "list of texts", "str": "text", "dict": "table"}.get(name := type(default).__name__, name)
        raise UserError(f"recipe field {where!r} is {value!r}", f"give a {kind}, for example {default!r}")
    if "choices" in rule and value not in rule["choices"]:
        raise UserError(f"recipe field {where!r} is {value!r}", f"one of: {', '.join(rule['choices'])}")
    if "low" in rule and isinstance(value, int | float) and not rule["low"] <= value <= rule["high"]:
        raise UserError(f"recipe field {where!r} is {value!r}", f"between {rule['low']} and {rule['high']}")
    return value
