"""A disk that gets full under a crawl is told, costs nothing that was finished, and the same command goes on."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from crawler.download import _write
from curation.dataset import Dataset
from handwriter_models.disk import disk_fault
from tests.crawler_runs import ALLOWED, World, crawl, program, world
from tests.engine_site import Manner
from tests.test_disk import fill
from tests.test_disk import small_disk as small_disk  # the fixture

COUNT = 80  # pictures a class and engine, of 20 kB: three megabytes are full after some of them


def resize(disk: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)


def words_for(served: World, folder: Path, engines: str) -> list[str | Path]:
    file = folder / "keywords.txt"
    file.write_text("고양이\ndog\n", "utf-8")
    options = [*ALLOWED, "--engines", engines, "--limit", str(COUNT), "--browsers", "1", "--json"]
    return ["--keywords", file, "--dataset", folder / "disk" / "data", *options, *served.engine_urls()]


def kept_so_far(data: Path, copy: Path) -> set[str]:
    """The addresses of the pictures that are kept, each of which is whole; of a copy, for a full disk opens nothing."""
    shutil.copytree(data, copy)
    with Dataset(copy, create=False) as dataset:
        assert dataset.missing() == []
        for row in dataset.images():
            assert hashlib.sha256((copy / row.path).read_bytes()).hexdigest() == row.sha256
        return {row.address for row in dataset.sources()}


@pytest.mark.parametrize("engines", ["openverse,commons", "google"])
def test_crawl_that_fills_its_disk_tells_it_and_goes_on_when_there_is_room(
    small_disk: Path, tmp_path: Path, engines: str
) -> None:
    data = small_disk / "data"
    resize(small_disk, "3m")
    with world(Manner(count=COUNT)) as served:
        words = words_for(served, tmp_path, engines)
        done = program(words)
        assert (done.code, done.out) == (2, "")
        assert f"the disk of {data}" in done.said
        assert "is full" in done.said
        assert "make room; what was finished is kept, and the same command goes on" in done.said
        assert "Traceback" not in done.said
        kept = kept_so_far(data, tmp_path / "copy")
        assert 0 < len(kept) < 2 * COUNT
        fill(small_disk)
        again = crawl(words)
        assert (again.code, "is full" in again.said, "Traceback" in again.said) == (2, True, False)
        fetched = {address: served.host.count(address) for address in kept}
        resize(small_disk, "60m")
        end = crawl(words)
        assert (end.code, end.summary["refused"]) == (0, 0), end.said
        assert {address: served.host.count(address) for address in kept} == fetched, "nothing is fetched twice"
    with Dataset(data, create=False) as dataset:
        assert (dataset.unaccounted(), dataset.missing()) == ([], [])
        assert len(list(dataset.images())) == end.summary["kept"] == 2 * COUNT * (1 + engines.count(","))
        assert list(dataset.incoming.iterdir()) == []


def test_picture_that_found_no_room_names_its_file(small_disk: Path) -> None:
    fill(small_disk)
    file = small_disk / "고양이.jpg"
    with pytest.raises(OSError, match="No space left") as caught:
        _write(file, bytes(2**16))
    fault = disk_fault(caught.value)
    assert fault
    assert str(file) in fault.what
