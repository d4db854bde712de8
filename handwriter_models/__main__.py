"""`python handwriter_models …`: the library's commands."""

import sys
from pathlib import Path

# Replaced, not inserted: with this folder left on the path its files could shadow other packages.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from handwriter_models.commands import app  # noqa: E402
from handwriter_models.errors import run_command  # noqa: E402

if __name__ == "__main__":
    run_command(app)
