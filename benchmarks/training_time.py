"""Whether `fit --recipe digits` passes 99.6 % on MNIST within 15 minutes: `python benchmarks/training_time.py`.

The whole command is timed: reading, preparing and painting the pictures, training, calibrating, measuring, drawing. The
recipe is the one of the bundled model, with the epochs that fit into the time (`--epochs`), and nothing else changed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks.servers import ROOT
from benchmarks.table import Figure, print_table

ACCURACY, MINUTES, GIVE_UP_MINUTES = 0.996, 15.0, 40.0


def measure(epochs: int, data: Path | None, changes: list[str]) -> list[Figure]:
    """Accuracy of the bundle that the command wrote, and the minutes that it took."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "training", "fit", "mnist", "--recipe", "digits", "--out", f"{folder}/digits"]
        command += ["--epochs", str(epochs), "--json", *(["--data", str(data.resolve())] if data else [])]
        command += [part for change in changes for part in ("--set", change)]
        start = time.perf_counter()
        answer = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=60 * GIVE_UP_MINUTES)
        minutes = (time.perf_counter() - start) / 60
    metrics = json.loads(answer.stdout)
    accuracy, stages = float(metrics["accuracy"]), metrics.get("seconds", {})
    print("seconds by stage:", ", ".join(f"{name} {seconds:.0f}" for name, seconds in stages.items()), file=sys.stderr)
    return [
        Figure(f"MNIST test after {epochs} epochs", f"{accuracy:.2%}", f"≥ {ACCURACY:.1%}", accuracy >= ACCURACY),
        Figure("minutes, all included", f"{minutes:.1f}", f"≤ {MINUTES:g}", minutes <= MINUTES),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--data", type=Path, help="folder with MNIST/raw (downloaded otherwise)")
    parser.add_argument("--set", dest="changes", action="append", default=[], help="passed on: train.rate=1e-3")
    options = parser.parse_args()
    figures = measure(options.epochs, options.data, options.changes)
    sys.exit(not print_table("`python training fit mnist --recipe digits`", figures))
