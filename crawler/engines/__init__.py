"""The image searches, one module each. They are loaded by name, when they are asked for."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from crawler.engines.base import Engine
from handwriter_models.errors import UserError

ENGINES = ("google", "naver", "bing", "duckduckgo", "openverse", "commons")


def engine(name: str) -> Engine:
    """The engine of this name; raises `UserError` when there is none."""
    if name not in ENGINES:
        raise UserError(f"there is no engine {name!r}", f"choose from: {', '.join(ENGINES)}")
    return cast(Engine, import_module(f"{__name__}.{name}").ENGINE)
