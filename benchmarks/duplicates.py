"""How quickly and how truly copies are found, beside imagehash, imagededup, cleanvision, fastdup and FAISS.

`python benchmarks/duplicates.py`. Ten kinds of copy are planted for every photograph of shared/data/photos. A scan is
the command itself: files found, read, hashed sixteen ways, measured, stored, grouped. A peer's time is that of its
hashing alone. Each measurement is a process of its own; the peers' Python is named by --peers.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks.copies import CHANGES, plant
from benchmarks.picture_server import photograph
from benchmarks.table import Figure, print_table

HERE = Path(__file__).resolve().parent
ROUNDS = 3
MANY, RADIUS = 1_000_000, 8
FILES, LARGE = 100_000, 1200
INDEX = "faiss"  # a peer, no requirement
Pair = tuple[str, str]


def in_a_process(command: list[str | Path]) -> dict[str, Any]:
    """The JSON that it prints last, with the peak of its resident memory in megabytes."""
    timed = [sys.executable, "-c", _TIMED, *map(str, command)]
    done = subprocess.run(timed, capture_output=True, text=True, timeout=900, check=False, cwd=HERE.parent)
    if done.returncode:
        raise RuntimeError(done.stderr[-1500:])
    body, _, megabytes = done.stdout.rpartition("\n#")
    result: dict[str, Any] = json.loads(body[body.index("{") :])
    return result | {"megabytes": float(megabytes)}


_TIMED = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, text=True)
print(done.stdout, end="")
print(f"\\n#{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f}")
sys.exit(done.returncode if done.returncode not in (0, 3) else 0)
"""


def scanned(folder: Path) -> dict[str, Any]:
    """A scan of a folder that was never scanned."""
    for path in folder.glob("dataset.db*"):
        path.unlink()
    return in_a_process([sys.executable, "curation", "scan", folder, "--json"])


def our_pairs(folder: Path) -> set[Pair]:
    """Every pair of files in one group."""
    command = [sys.executable, "curation", "groups", str(folder), "--json"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=HERE.parent).stdout
    pairs = set()
    for group in json.loads(told):
        names = sorted(Path(path).name for path in [group["keep"], *(one["path"] for one in group["members"])])
        pairs |= {(one, other) for one in names for other in names if one < other}
    return pairs


def quality(pairs: Iterable[Pair], files: list[str]) -> tuple[float, float, dict[str, float]]:
    """Recall and precision over all pairs, and recall by kind of the pair of copy and original."""
    right, wrong, kinds = 0, 0, Counter[str]()
    for one, other in pairs:
        (number, kind), (second, other_kind) = (Path(name).stem.split("-") for name in (one, other))
        if number != second:
            wrong += 1
            continue
        right += 1
        if "original" in (kind, other_kind):
            kinds[kind if other_kind == "original" else other_kind] += 1
    photos = sum(name.endswith("-original.jpg") for name in files)
    of = photos * (len(CHANGES) + 1) * len(CHANGES) // 2
    return right / of, right / max(right + wrong, 1), {kind: kinds[kind] / photos for kind in CHANGES}


def planted_figures(folder: Path, peers: Path | None) -> list[Figure]:
    """Rates and quality on the planted copies."""
    pictures = folder / "pictures"
    files = sorted(path.name for path in pictures.iterdir())
    rates: dict[str, list[float]] = {}
    pairs: dict[str, Iterable[Pair]] = {}
    for turn in range(ROUNDS):
        result = scanned(folder)
        rates.setdefault("ours", []).append(result["images"] / result["seconds"])
        rates.setdefault("ours, without grouping", []).append(result["images"] / result["seconds_reading"])
        names = ["bare", "imagehash", *(["imagededup"] if peers else [])]
        names += ["cleanvision", "fastdup"] if peers and not turn else []  # slow ones once
        for name in names:
            python = peers if peers and name != "bare" else Path(sys.executable)
            try:
                found = in_a_process([python, HERE / "peer_duplicates.py", name, pictures])
            except RuntimeError as error:
                print(f"{name} does not run here: {str(error).strip().splitlines()[-1]}", file=sys.stderr)
                continue
            rates.setdefault(name, []).append(len(files) / found["seconds"])
            pairs[name] = [(one, other) for one, other in found["pairs"]]
    pairs["ours"] = our_pairs(folder)
    return _planted(rates, pairs, files)


def _planted(rates: dict[str, list[float]], pairs: dict[str, Iterable[Pair]], files: list[str]) -> list[Figure]:
    middle = {name: median(values) for name, values in rates.items()}
    figures = [Figure(f"{name}: pictures a second", f"{rate:.0f}") for name, rate in middle.items()]
    share, alone = middle["ours"] / middle["bare"], middle["ours, without grouping"] / middle["bare"]
    said = f"{share:.2f} ({alone:.2f} without grouping)"
    figures.append(Figure("scan / bare reduced decoding", said, "≥ 0.85", share >= 0.85))
    if "imagededup" in middle:
        ratio = middle["ours"] / middle["imagededup"]
        figures.append(Figure("scan / imagededup's PHash", f"{ratio:.2f}", "≥ 3", ratio >= 3))
    for name, found in pairs.items():
        if name == "bare":
            continue
        recall, precision, kinds = quality(found, files)
        ours = name == "ours"
        met = (recall >= 0.99 and precision >= 0.999) if ours else None
        target = "≥ 0.99, ≥ 0.999" if ours else ""
        figures.append(Figure(f"{name}: pair recall, precision", f"{recall:.4f}, {precision:.4f}", target, met))
        if ours:
            low = {kind: value for kind, value in kinds.items() if value < 0.99 and kind != "cropped"}
            said = ", ".join(f"{kind} {value:.3f}" for kind, value in kinds.items() if value < 1) or "all 1"
            figures.append(Figure("ours: recall by kind (those below 1)", said, "≥ 0.99 but the crop", not low))
    return figures


def large_figures(folder: Path, peers: Path | None) -> list[Figure]:
    """The same rates on pictures as cameras and the web have them: 1024 x 768 pixels, 180 kB, no two alike."""
    pictures = folder / "pictures"
    pictures.mkdir(parents=True)
    for number in range(LARGE):
        (pictures / f"{number:05d}.jpg").write_bytes(photograph(number))
    rates: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        result = scanned(folder)
        rates.setdefault("ours", []).append(LARGE / result["seconds"])
        for name in ("bare", *(["imagededup"] if peers else [])):
            python = peers if peers and name != "bare" else Path(sys.executable)
            seconds = in_a_process([python, HERE / "peer_duplicates.py", name, pictures])["seconds"]
            rates.setdefault(name, []).append(LARGE / seconds)
    middle = {name: median(values) for name, values in rates.items()}
    said = ", ".join(f"{name} {rate:.0f}" for name, rate in middle.items())
    share = middle["ours"] / middle["bare"]
    figures = [
        Figure("pictures of 1024 x 768, a second", said),
        Figure("scan / bare reduced decoding, large pictures", f"{share:.2f}", "≥ 0.85", share >= 0.85),
    ]
    if "imagededup" in middle:
        ratio = middle["ours"] / middle["imagededup"]
        figures.append(Figure("scan / imagededup's PHash, large pictures", f"{ratio:.2f}", "≥ 3", ratio >= 3))
    return figures


def hash_figures(peers: Path | None) -> list[Figure]:
    """All pairs among a million hashes with planted neighbours, and among a hundred thousand."""
    million = in_a_process([sys.executable, __file__, "--hashes", str(MANY), "--radius", str(RADIUS)])
    small = in_a_process([sys.executable, __file__, "--hashes", "100000", "--radius", "10"])
    figures = [
        Figure(
            "1 000 000 hashes within 8 bits: seconds (peak memory)",
            f"{million['seconds']:.1f} ({million['megabytes']:.0f} MB)",
            "≤ 12 s, ≤ 500 MB",
            million["seconds"] <= 12 and million["megabytes"] <= 500,
        ),
        Figure("their recall of planted pairs", f"{million['recall']:.6f}", "1", million["recall"] == 1),
        Figure("100 000 hashes within 10 bits", f"{small['seconds']:.2f} s", "≤ 1 s", small["seconds"] <= 1),
    ]
    if peers:
        flat = in_a_process([peers, __file__, "--faiss", str(MANY), "--radius", str(RADIUS)])
        ratio = flat["seconds"] / million["seconds"]
        said = f"{ratio:.0f} ({flat['seconds']:.0f} s, from {flat['asked']} of the {MANY} questions)"
        figures.append(Figure("FAISS, brute force / ours", said, "≥ 20", ratio >= 20))
    return figures


def hashes(count: int) -> tuple[Any, Any]:
    """Random hashes, and (place, other place) of neighbours planted within eight bits."""
    import numpy as np

    chance = np.random.default_rng(0)
    values = chance.integers(0, 2**64, count, dtype=np.uint64)
    some = count // 100
    sources = chance.integers(0, count - some, some)
    for place, source in enumerate(sources.tolist()):
        value = int(values[source])
        for bit in chance.choice(64, chance.integers(0, RADIUS + 1), replace=False):
            value ^= 1 << int(bit)
        values[count - some + place] = value
    return values, np.stack([sources, np.arange(count - some, count)], axis=1)


def measure_hashes(count: int, radius: int) -> dict[str, Any]:
    """Ours, in this process."""
    from curation.pairs import near_pairs

    values, planted = hashes(count)
    started = time.monotonic()
    found = near_pairs(values, radius)
    seconds = time.monotonic() - started
    known = set(zip(found.first.tolist(), found.second.tolist(), strict=True))
    hit = sum((one, other) in known for one, other in planted.tolist())
    return {"seconds": seconds, "recall": hit / len(planted)}


def measure_faiss(count: int, radius: int) -> dict[str, Any]:
    """A flat binary index asked for a part of the hashes; the time of all of them is in proportion."""
    from importlib import import_module

    import numpy as np

    values, _ = hashes(count)
    index = import_module(INDEX).IndexBinaryFlat(64)
    codes = np.ascontiguousarray(values).view(np.uint8).reshape(-1, 8)
    index.add(codes)
    asked = count // 50
    started = time.monotonic()
    index.range_search(codes[:asked], radius + 1)
    return {"seconds": (time.monotonic() - started) * count / asked, "asked": asked}


def many_files_figures(folder: Path) -> list[Figure]:
    """A hundred thousand small files: memory of the first scan, time of the second."""
    from io import BytesIO

    import numpy as np
    from PIL import Image

    chance = np.random.default_rng(0)
    for number in range(FILES):
        place = folder / f"class {number % 20}"
        place.mkdir(exist_ok=True)
        out = BytesIO()
        patches = Image.fromarray(chance.integers(0, 256, (6, 8), np.uint8)).resize((96, 72), Image.Resampling.BICUBIC)
        patches.save(out, "JPEG", quality=70)
        (place / f"{number}.jpg").write_bytes(out.getvalue())
    first = scanned(folder)
    second = in_a_process([sys.executable, "curation", "scan", folder, "--json"])
    return [
        Figure(
            "100 000 files: first scan (peak memory)",
            f"{first['seconds']:.0f} s ({first['megabytes']:.0f} MB)",
            "≤ 400 MB",
            first["megabytes"] <= 400,
        ),
        Figure("100 000 files, nothing new", f"{second['seconds']:.1f} s", "≤ 5 s", second["seconds"] <= 5),
    ]


def main(peers: Path | None, many: bool) -> bool:
    """Prints everything."""
    photos = sorted(
        (Path(os.environ.get("HANDWRITER_SHARED") or HERE.parent.parent / "shared") / "data/photos").glob("*/*")
    )
    with tempfile.TemporaryDirectory() as folder:
        plant(photos, Path(folder) / "planted")
        figures = planted_figures(Path(folder) / "planted", peers)
        figures += large_figures(Path(folder) / "large", peers)
        figures += hash_figures(peers)
        if many:
            (Path(folder) / "many").mkdir()
            figures += many_files_figures(Path(folder) / "many")
        shutil.rmtree(folder, ignore_errors=True)
        Path(folder).mkdir()
    return print_table("Duplicates", figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", default="", help="a Python that has imagededup, cleanvision, fastdup and faiss-cpu")
    parser.add_argument("--few", action="store_true", help="leave out the hundred thousand files")
    parser.add_argument("--hashes", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--faiss", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--radius", type=int, default=RADIUS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.hashes:
        print(json.dumps(measure_hashes(options.hashes, options.radius)))
    elif options.faiss:
        print(json.dumps(measure_faiss(options.faiss, options.radius)))
    else:
        python = Path(options.peers or "~/peers/dup/bin/python").expanduser()
        sys.exit(not main(python if python.exists() else None, not options.few))
