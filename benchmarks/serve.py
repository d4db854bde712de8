"""How quick `POST /predict/` is, beside a bare FastAPI route, and whether memory grows: `python benchmarks/serve.py`.

Server and client share the machine, and everything goes through a real socket on 127.0.0.1. Ours and the two bare
routes take turns, so that a change in the machine's load meets all of them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks.load import Load, canvas_pictures, run_load
from benchmarks.servers import resident_megabytes, server
from benchmarks.table import Figure, print_table

MILLISECONDS, RATIO, GROWTH = 12.0, 0.9, 1.02
ROUNDS, ROUND_SECONDS = 5, 4.0
REQUESTS, SAMPLES, WARM = 20_000, 10, 2_000
Routes = dict[str, tuple[int, str]]


def measure(model: str, requests: int) -> list[Figure]:
    """All figures; both servers are up all the time, one at a time is asked."""
    pictures = canvas_pictures()
    bare = server(["benchmarks/bare_route.py", "--model", model])
    with server(["app.py", "--model", model]) as (port, process), bare as (bare_port, _):
        routes: Routes = {
            "ours": (port, "/predict/"),
            "bare, in the event loop": (bare_port, "/inline"),
            "bare, in a thread": (bare_port, "/thread"),
        }
        for where in routes.values():
            run_load(Load(*where, clients=4, count=200, seconds=20), pictures)
        figures = latencies(routes, pictures) + throughputs(routes, pictures)
        return [*figures, memory(routes["ours"], process, pictures, requests)]


def latencies(routes: Routes, pictures: Sequence[bytes]) -> list[Figure]:
    """Median and 95th percentile of one client that asks again and again."""
    figures = []
    for name, where in routes.items():
        times, _ = run_load(Load(*where, clients=1, count=500, seconds=30), pictures)
        middle, late = 1000 * median(times), 1000 * quantiles(times, n=20)[-1]
        target = (f"≤ {MILLISECONDS:g} ms", middle <= MILLISECONDS) if name == "ours" else ("", None)
        figures.append(Figure(f"one client, {name}: median (95 %)", f"{middle:.1f} ms ({late:.1f} ms)", *target))
    return figures


def throughputs(routes: Routes, pictures: Sequence[bytes]) -> list[Figure]:
    """Answers a second with 32 clients, the median of rounds that take turns, and ours over the better bare one."""
    rates: dict[str, list[float]] = {name: [] for name in routes}
    for _ in range(ROUNDS):
        for name, where in routes.items():
            times, seconds = run_load(Load(*where, clients=32, count=100_000, seconds=ROUND_SECONDS), pictures)
            rates[name].append(len(times) / seconds)
    middles = {name: median(values) for name, values in rates.items()}
    figures = [Figure(f"32 clients, {name}", f"{rate:.0f}/s") for name, rate in middles.items()]
    ratio = middles["ours"] / max(rate for name, rate in middles.items() if name != "ours")
    return [*figures, Figure("32 clients, ours / the better bare one", f"{ratio:.2f}", f"≥ {RATIO}", ratio >= RATIO)]


def memory(where: tuple[int, str], process: int, pictures: Sequence[bytes], requests: int) -> Figure:
    """Resident memory over many requests, after a start that fills caches and pools."""
    run_load(Load(*where, clients=8, count=WARM, seconds=120), pictures)
    sizes = [resident_megabytes(process)]
    for _ in range(SAMPLES):
        run_load(Load(*where, clients=8, count=requests // SAMPLES, seconds=120), pictures)
        sizes.append(resident_megabytes(process))
    print("memory in MB:", " ".join(f"{size:.0f}" for size in sizes), file=sys.stderr)
    flat = sizes[-1] <= GROWTH * sizes[0]
    return Figure(f"memory over {requests} requests", f"{sizes[0]:.0f} → {sizes[-1]:.0f} MB", "+ 2 % at most", flat)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="digits", help="name or folder of a bundle")
    parser.add_argument("--requests", type=int, default=REQUESTS, help="for the memory figure")
    options = parser.parse_args()
    sys.exit(not print_table("POST /predict/", measure(options.model, options.requests)))
