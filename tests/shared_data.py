"""Where the shared data lies: `HANDWRITER_SHARED`, or `shared` beside the repository; tests without it are skipped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parents[2] / "shared"


def shared_folder() -> Path:
    """The folder of shared data; skips the calling test where there is none."""
    folder = Path(os.environ.get("HANDWRITER_SHARED") or _BESIDE)
    if not (folder / "data").is_dir():
        pytest.skip(f"no shared data in {folder}; set HANDWRITER_SHARED to its folder")
    return folder
