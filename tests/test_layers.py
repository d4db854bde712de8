"""The repository keeps the rules of `source_rules`, and each rule finds what is planted against it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.source_rules import (
    LINES_A_FILE,
    LINES_A_FUNCTION,
    ONE_DOOR,
    RULES,
    has_too_many_parameters,
    imports_torchvision_past_its_door,
    imports_upward,
    is_a_drawer,
    is_too_long,
    loads_heavy_packages_at_start,
    patches_our_code,
    sources,
    unpickles,
)

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_no_file_of_this_repository(rule: Callable[[Path], list[str]]) -> None:
    assert rule(REPOSITORY) == []


def test_the_repository_is_really_read() -> None:
    modules = {source.module for source in sources(REPOSITORY)}
    assert {"app", "demo", "training", "handwriter_models.images", "tests.test_layers"} <= modules


PLANTED: list[tuple[Callable[[Path], list[str]], str, str]] = [
    (imports_upward, "handwriter_models/x.py", "import training"),
    (imports_upward, "handwriter_models/x.py", "def f():\n    from demo.page import build"),
    (imports_upward, "training/deep/x.py", "from ...demo import page"),
    (imports_upward, "demo/x.py", "import importlib\nimportlib.import_module('crawler.engines')"),
    (imports_upward, "crawler/x.py", "import tests.images"),
    (loads_heavy_packages_at_start, "crawler/x.py", "import torch.nn as nn"),
    (loads_heavy_packages_at_start, "training/__main__.py", "from training import fit"),
    (loads_heavy_packages_at_start, "app.py", "if True:\n    import gradio"),
    (is_a_drawer, "curation/utils.py", ""),
    (is_a_drawer, "demo/helpers/text.py", ""),
    (is_too_long, "tests/x.py", "\n" * LINES_A_FILE),
    (is_too_long, "demo/x.py", "def f():\n" + "    1\n" * LINES_A_FUNCTION),
    (has_too_many_parameters, "demo/x.py", "class C:\n    def f(self, a, b, c, d, e, *, f, g, h, i): ..."),
    (imports_torchvision_past_its_door, "training/x.py", "def f():\n    from torchvision import datasets"),
    (unpickles, "training/x.py", "def f(p):\n    import pickle"),
    (unpickles, "training/x.py", "def f(torch, p):\n    return torch.load(p)"),
    (unpickles, "training/x.py", "from torch import load"),
    (unpickles, "training/x.py", "def f(np, p):\n    return np.load(p, allow_pickle=True)"),
    (
        patches_our_code,
        "tests/x.py",
        "from demo import api\ndef test(monkeypatch):\n    monkeypatch.setattr(api, 'f', 1)",
    ),
    (patches_our_code, "tests/x.py", "def test(mocker):\n    mocker.patch('demo.api.f')"),
    (patches_our_code, "tests/x.py", "import demo.api\ndemo.api.f = print"),
    (patches_our_code, "tests/x.py", "from unittest import mock"),
]


def plant(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    return root


@pytest.mark.parametrize(("rule", "path", "text"), PLANTED)
def test_planted_fault_is_found(rule: Callable[[Path], list[str]], path: str, text: str, tmp_path: Path) -> None:
    found = rule(plant(tmp_path, {"training/fit.py": "import torch", path: text}))
    assert len(found) == 1, found


def test_what_is_allowed_is_left_alone(tmp_path: Path) -> None:
    files = {
        "app.py": "from demo.commands import main",
        "demo/commands.py": "import typing\nif typing.TYPE_CHECKING:\n    import torch\ndef f(): import gradio",
        "training/fit.py": "import torch\nfrom handwriter_models import errors\nfrom . import loop",
        ONE_DOOR: "import torchvision",
        "tests/x.py": "import sys\ndef test(monkeypatch):\n    monkeypatch.setattr(sys, 'argv', [])\n    sys.argv = []",
    }
    assert [fault for rule in RULES for fault in rule(plant(tmp_path, files))] == []
