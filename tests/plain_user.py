"""A command for which the permissions of files count: root's own programs pass over them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence

import pytest

_RIGHTS = "-dac_override,-dac_read_search"


def as_plain_user(command: Sequence[str]) -> list[str]:
    """The command, without root's right to read and write everything; skips where that cannot be given up."""
    if os.geteuid() != 0:
        return list(command)
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("root may read and write everything, and there is no setpriv to give that up")
    return [setpriv, f"--bounding-set={_RIGHTS}", f"--inh-caps={_RIGHTS}", *command]
