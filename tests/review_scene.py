"""A small dataset with all that the review page has to bear, and the server as its users start it."""

from __future__ import annotations

import os
import queue
import random
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from curation.dataset import Dataset
from curation.rows import Member
from curation.scan import scan
from tests.browser import Browser

ROOT = Path(__file__).parent.parent
HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
ODD_NAMES = ("quo\"te's.png", "line\nbreak.png", "\u202egnp.exe.png", "<b>bold.png")


def picture(path: Path, seed: int, size: tuple[int, int] = (96, 72)) -> Path:
    """A picture unlike those of other seeds: blocks of colours."""
    dice = random.Random(seed)
    made = Image.new("RGB", size)
    pen = ImageDraw.Draw(made)
    for _ in range(40):
        x, y = dice.randrange(size[0]), dice.randrange(size[1])
        box = (x, y, x + dice.randrange(8, 50), y + dice.randrange(8, 50))
        pen.rectangle(box, fill=tuple(dice.randrange(256) for _ in range(3)))
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save(path)
    return path


def make_dataset(root: Path) -> Path:
    """Three classes of six pictures (one has a Korean name), a group of copies across two of them, flags, sources."""
    for place, label in enumerate(("cat", "dog", "고양이")):
        for number in range(6):
            picture(root / label / f"{label}-{number}.png", 100 * place + number)
    for number, name in enumerate(ODD_NAMES):
        picture(root / "odd" / name, 900 + number)
    with Image.open(root / "cat" / "cat-0.png") as first:
        first.resize((192, 144), Image.Resampling.BICUBIC).save(root / "dog" / "copy.png")
        first.convert("RGB").save(root / "cat" / "cat-0-again.jpg", quality=92)
    with Dataset(root) as dataset:
        scan(dataset.pictures, count=1)
        ids = {row.path: row.id for row in dataset.pictures.rows()}
        copies = (("dog/copy.png", "near", 0), ("cat/cat-0.png", "near", 2), ("cat/cat-0-again.jpg", "flipped", 6))
        members = [Member(ids[path], 1, 1, kind, bits, bits == 0) for path, kind, bits in copies]
        dataset.pictures.store_members(members)
        dataset.pictures.store_flags("blurry", [(ids["cat/cat-1.png"], 0.4, ""), (ids["dog/dog-2.png"], 0.9, "")])
        dataset.pictures.store_flags("label", [(ids["cat/cat-3.png"], 0.8, "dog")])
        dataset.pictures.store_flags("new-kind", [(ids["cat/cat-4.png"], 0.1, HOSTILE)])
    give_sources(root)
    return root


def give_sources(root: Path) -> None:
    """The first picture comes from a hostile page of the web, the second from a good one."""
    with closing(sqlite3.connect(root / "dataset.db")) as connection, connection:
        rows = connection.execute("SELECT path, sha256, label FROM files WHERE path LIKE 'cat/cat-_.png' ORDER BY path")
        for number, (path, sha, label) in enumerate(rows.fetchall()[:2]):
            page = "https://example.org/page" if number else "javascript:window.hacked=1"
            connection.execute("INSERT OR IGNORE INTO labels VALUES (?, ?, ?)", (label, label, label))
            connection.execute(
                "INSERT OR IGNORE INTO runs (id, name, pid, host, command, started_at, ended_at) "
                "VALUES (1, 'run', 1, 'here', 'test', '2026-01-01', '2026-01-01')"
            )
            connection.execute(
                "INSERT INTO images VALUES (?, ?, ?, ?, 96, 72, 1, '2026-01-01', 1, '')", (sha, sha, label, path)
            )
            connection.execute(
                "INSERT INTO addresses (label, keyword, engine, number, address, address_key, page, title, author, "
                "licence, found_at, state, image) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '2026-01-01', 'kept', ?)",
                (
                    *(label, HOSTILE, "bing" if number else "google", number, f"https://example.org/{number}.png"),
                    *(bytes([number]), page, HOSTILE, HOSTILE, "CC BY 4.0", sha),
                ),
            )


def fill_with_rows(root: Path, count: int, labels: int = 40) -> None:
    """Rows for `count` more files; every file is a second name of one of a few real ones."""
    made = [picture(root / "many" / f"real-{number}.jpg", number, (640, 480)) for number in range(50)]
    with Dataset(root) as dataset:
        scan(dataset.pictures, count=1)
    names = [f"label {number:03}" for number in range(labels)]
    for name in names:
        (root / name).mkdir()
    paths = [f"{names[number * labels // count]}/{number:06}.jpg" for number in range(count)]
    for number, path in enumerate(paths):
        os.link(made[number % len(made)], root / path)
    with closing(sqlite3.connect(root / "dataset.db")) as connection, connection:
        connection.executemany(
            "INSERT INTO files (path, home, label, first_home, first_label, sha256, bytes, modified) "
            "VALUES (?1, ?1, ?2, ?1, ?2, ?3, 40000, 0)",
            ((path, path.partition("/")[0], f"{number:064x}") for number, path in enumerate(paths)),
        )
        connection.executemany(
            "INSERT INTO prints VALUES (?, 1, 'JPEG', 640, 480, zeroblob(128), zeroblob(1024), 0, 50, 0.5, 0.2, 7)",
            ((f"{number:064x}",) for number in range(count)),
        )
        connection.executemany("INSERT INTO flags SELECT id, 'blurry', 0.5, '' FROM files WHERE id % 10 = ?", ((3,),))
        connection.execute(
            "INSERT INTO members SELECT id, id / 4, id / 4, 'near', id % 4, id % 4 = 0 FROM files WHERE id % 3 = 0"
        )


@dataclass
class Server:
    """A running review."""

    address: str
    process: subprocess.Popen[str]

    def kill(self) -> None:
        """As a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.address.rsplit(":", 1)[1])


@contextmanager
def reviewing(root: Path, port: int = 0) -> Iterator[Server]:
    """The server on a free port, or on this one; ended with SIGTERM unless somebody has killed it.

    The free port is none that the system deals out to others, so that it is still free when the server is started anew.
    """
    port = port or random.randrange(20_000, 32_000)
    call = f"serve(Path({str(root)!r}), port={port}, open_browser=False)"
    code = f"from pathlib import Path; from curation.review.serve import serve; {call}"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        assert process.stderr
        for line in process.stderr:
            lines.put(line)
        lines.put("")

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    said = []
    try:
        while line := lines.get(timeout=60):
            said.append(line)
            found = re.search(r"(http://\S+)", line)
            if found:
                break
        else:
            raise AssertionError("the review ended before it was ready:\n" + "".join(said))
        yield Server(found[1], process)
        if process.poll() is None:
            process.terminate()
            assert process.wait(15) == 0
    finally:
        process.kill()
        process.wait()
        reader.join(5)
        assert process.stderr
        process.stderr.close()


class Reviewer:
    """A person at the page."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    def open(self, address: str, query: str = "") -> None:
        """Opens the page and waits until its first tiles are known."""
        self.browser.driver.get(f"{address}/{query}")
        self.wait(lambda: self.run("return document.body.dataset.ready === 'true'"), "the page is ready")

    def run(self, script: str, *values: Any) -> Any:
        """What a script in the page returns."""
        return self.browser.run(script, *values)

    def wait(self, ready: Any, what: str, seconds: float = 15) -> Any:
        """The first true value."""
        return self.browser.wait(ready, what, seconds)

    def press(self, *keys: str) -> None:
        """Real keys, one after the other."""
        chain = ActionChains(self.browser.driver, duration=0)
        for key in keys:
            chain.send_keys(key)
        chain.perform()

    def press_shift(self, *keys: str) -> None:
        """Keys with Shift held."""
        chain = ActionChains(self.browser.driver, duration=0).key_down(Keys.SHIFT)
        for key in keys:
            chain.send_keys(key)
        chain.key_up(Keys.SHIFT).perform()

    def saved(self) -> None:
        """Waits until all that was decided is stored."""
        self.wait(lambda: self.state("#saved") == "saved", "all is saved")

    def state(self, selector: str) -> str | None:
        """What an element says of itself."""
        return self.run("return document.querySelector(arguments[0])?.dataset.state", selector)

    def text(self, selector: str) -> str:
        """The text that a reader sees."""
        return self.browser.text(selector)

    def tiles(self) -> dict[int, str]:
        """State by number of the tiles in the page, from first to last."""
        script = """return [...document.querySelectorAll('.tile')].sort((a, b) => a.place - b.place)
            .map(tile => [Number(tile.dataset.id), tile.dataset.state])"""
        return dict(self.run(script))

    def go_to(self, number: int) -> None:
        """A click on the picture."""
        self.browser.driver.find_element(By.CSS_SELECTOR, f'.tile[data-id="{number}"]').click()

    def cursor(self) -> int:
        """The picture that is marked."""
        return int(self.run("return document.querySelector('.tile.is-cursor').dataset.id"))


def agrees(root: Path) -> dict[str, int]:
    """Opens the dataset, checks that files are where the rows say, and gives the numbers by first path."""
    with Dataset(root, create=False) as dataset:
        rows = dataset.pictures.rows()
        assert all((root / row.path).is_file() for row in rows)
        assert all((row.path.startswith("dropped/")) == bool(row.dropped) for row in rows)
    with closing(sqlite3.connect(root / "dataset.db")) as connection:
        assert connection.execute("SELECT count(*) FROM files WHERE moving_from IS NOT NULL").fetchone() == (0,)
        return dict(connection.execute("SELECT first_home, id FROM files").fetchall())
