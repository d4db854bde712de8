"""The image searches: one file each, with its selectors and markers as data and its reading as pure functions."""

from __future__ import annotations

from importlib import import_module

from crawler.engines.base import Engine

ENGINES = ("google", "naver", "bing", "duckduckgo", "openverse", "commons")


def engine(name: str) -> Engine:
    """The engine of that name, one of `ENGINES`; only its own file is loaded."""
    found: Engine = import_module(f"crawler.engines.{ENGINES[ENGINES.index(name)]}").ENGINE
    return found
