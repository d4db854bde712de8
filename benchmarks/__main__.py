"""`make bench`, or `python benchmarks [NAME …]`: says what will be measured and how long it takes, then does it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
NEED_DATA = {"digits_quality", "training_time", "suspicion", "extraction", "teach"}  # MNIST/raw, omniglot, photos
MINUTES = {
    "start": 1,
    "serve": 4,
    "canvas": 1,
    "crowd": 2,
    "digits_quality": 5,
    "training_time": 20,
    "downloads": 4,
    "keywords": 2,
    "duplicates": 9,
    "drawings": 40,
    "suspicion": 2,
    "review": 2,
    "frozen": 9,
    "extraction": 3,
    "static_page": 3,
    "teach": 2,
}  # on two cores


def chosen(names: Sequence[str]) -> list[str]:
    """The benchmarks to run, all of them when none is named; ends the program on an unknown name."""
    unknown = [name for name in names if name not in MINUTES]
    if unknown:
        print(f"error: no benchmark is called {unknown[0]!r}\n  benchmarks: {', '.join(MINUTES)}", file=sys.stderr)
        sys.exit(2)
    return list(names or MINUTES)


def data_folder() -> Path | None:
    """A local copy of the data: in the folder that HANDWRITER_SHARED names, or in `shared` beside the repository."""
    folder = Path(os.environ.get("HANDWRITER_SHARED") or HERE.parent.parent / "shared") / "data"
    return folder if folder.is_dir() else None


def run(name: str) -> bool:
    """Whether the benchmark ran and met its targets."""
    data = data_folder()
    if name == "digits_quality" and data is None:
        print("digits_quality is left out: it needs Omniglot; name the folder with data/ by HANDWRITER_SHARED=…")
        return False
    arguments = ["--data", str(data)] if data and name in NEED_DATA else []
    return subprocess.run([sys.executable, HERE / f"{name}.py", *arguments]).returncode == 0


def main(names: Sequence[str]) -> int:
    """Runs them one after the other; 0 when every target was met."""
    order = chosen(names)
    minutes = ", ".join(f"{name} {MINUTES[name]}" for name in order)
    total = sum(MINUTES[name] for name in order)
    print(f"about {total} minutes on two quiet cores ({minutes}); stop what else is running", flush=True)
    missed = [name for name in order if not run(name)]
    print(f"missed or failed: {', '.join(missed)}" if missed else "every target was met")
    return len(missed)


if __name__ == "__main__":
    if {"-h", "--help"} & set(sys.argv):
        print(f"{__doc__}\n\nbenchmarks: {', '.join(MINUTES)}")
    else:
        sys.exit(min(main(sys.argv[1:]), 1))
