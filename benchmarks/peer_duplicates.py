"""The peers of `duplicates.py`, run by a Python that has them: PEER FOLDER-OF-PICTURES. Prints a JSON line.

Each prints the seconds it took and the pairs of file names that it takes for copies of each other.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module  # not `import`: the peers are not among our requirements
from pathlib import Path

Found = tuple[float, Iterable[tuple[str, str]]]
RADIUS = 8


def bare(folder: Path) -> Found:
    """No duplicates at all: every picture decoded at reduced scale, in as many threads as there are cores."""
    from io import BytesIO

    from PIL import Image

    def decode(path: Path) -> None:
        picture = Image.open(BytesIO(path.read_bytes()))
        picture.draft("RGB", (64, 64))
        picture.load()

    files = sorted(folder.iterdir())
    started = time.monotonic()
    with ThreadPoolExecutor() as pool:
        list(pool.map(decode, files, chunksize=32))
    return time.monotonic() - started, ()


def imagehash(folder: Path) -> Found:
    """As its README shows it: one picture after the other, then all pairs within eight bits."""
    import numpy as np
    from PIL import Image

    phash = import_module(imagehash.__name__).phash
    files = sorted(folder.iterdir())
    started = time.monotonic()
    hashes = np.array([int(str(phash(Image.open(path))), 16) for path in files], np.uint64)
    seconds = time.monotonic() - started
    near = np.triu(np.bitwise_count(hashes[:, None] ^ hashes[None, :]) <= RADIUS, 1)
    return seconds, ((files[a].name, files[b].name) for a, b in zip(*np.nonzero(near), strict=True))


def imagededup(folder: Path) -> Found:
    """PHash at its defaults (10 bits), with its own processes."""
    import_module("handwriter_models.torchvision_import")
    hasher = import_module(f"{imagededup.__name__}.methods").PHash(verbose=False)
    started = time.monotonic()
    encodings = hasher.encode_images(image_dir=str(folder))
    seconds = time.monotonic() - started
    found = hasher.find_duplicates(encoding_map=encodings)
    return seconds, ((one, other) for one, others in found.items() for other in others if one < other)


def fastdup(folder: Path) -> Found:
    """Its similarity pairs at its defaults."""
    with tempfile.TemporaryDirectory() as work:
        search = import_module(fastdup.__name__).create(work_dir=work, input_dir=str(folder))
        started = time.monotonic()
        search.run(overwrite=True, print_summary=False)
        seconds = time.monotonic() - started
        table = search.similarity()
        pairs = table[table["distance"] >= 0.9][["filename_from", "filename_to"]].itertuples(index=False)
        return seconds, [(Path(one).name, Path(other).name) for one, other in pairs]


def cleanvision(folder: Path) -> Found:
    """Exact and near duplicates of its default run, which also measures light and blur."""
    lab = import_module(cleanvision.__name__).Imagelab(data_path=str(folder), verbose=False)
    started = time.monotonic()
    lab.find_issues(verbose=False)
    seconds = time.monotonic() - started
    sets = lab.info["near_duplicates"]["sets"] + lab.info["exact_duplicates"]["sets"]
    names = [[Path(path).name for path in found] for found in sets]
    return seconds, ((one, other) for found in names for one in found for other in found if one < other)


PEERS = {"bare": bare, "imagehash": imagehash, "imagededup": imagededup, "fastdup": fastdup, "cleanvision": cleanvision}

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    with contextlib.redirect_stdout(sys.stderr):  # some peers talk
        seconds, pairs = PEERS[sys.argv[1]](Path(sys.argv[2]))
        listed = sorted({(min(pair), max(pair)) for pair in pairs})
    print(json.dumps({"seconds": seconds, "pairs": listed}))
