"""A bundle of the Hub as a folder of one's own: whole files instead of links into the cache.

Config and fingerprints were checked when it came; the weights are, as always, when they are loaded.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from handwriter_models.bundle import CONFIG_FILE, check_replaceable, take_place
from handwriter_models.errors import UserError
from handwriter_models.hub.contents import is_of_bundle
from handwriter_models.hub.download import Downloaded, download
from handwriter_models.hub.refs import reference


def download_to(text: str, out: Path | None) -> Downloaded:
    """The bundle `user/repo[@revision]`, copied to `out` when one is given; an earlier bundle there is replaced.

    Raises `UserError` as `download` does, and when `out` holds something else.
    """
    if out is not None:
        check_replaceable(out)
    found = download(reference(text))
    return found if out is None else replace(found, folder=_copied(found.folder, out))


def _copied(folder: Path, out: Path) -> Path:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", suffix=".tmp", dir=out.parent) as work:
            fresh = Path(work) / "fresh"
            for file in sorted(folder.rglob("*")):
                name = file.relative_to(folder).as_posix()
                if is_of_bundle(name):
                    (fresh / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(file, fresh / name)  # follows the cache's links
            assert (fresh / CONFIG_FILE).is_file()  # noqa: S101 - download saw it
            take_place(fresh, out, Path(work) / "old")
    except OSError as error:
        raise UserError(f"cannot write {out}: {error.strerror}", "make room, or give another --out") from error
    return out
