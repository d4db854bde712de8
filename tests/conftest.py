"""Real small things that many tests need: a drawn digit and a bundle with a small network of random weights."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageDraw

from handwriter_models.bundle import BundleConfig, NetworkConfig, Rejection, write_bundle

if TYPE_CHECKING:
    from tests.browser import Browser
    from tests.demo_server import Server
    from tests.hub_site import HubSite

# Several test processes share the cores: with a thread for each core in each of them, threads wait for one another.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
# A shell's background jobs ignore Ctrl-C, and the programs that tests start and interrupt would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
DIGITS = tuple("0123456789")


def drawn_seven(size: int = 280) -> Image.Image:
    """A 7 in black pen on white paper."""
    picture = Image.new("RGB", (size, size), "white")
    points = [(size * x // 28, size * y // 28) for x, y in ((6, 6), (20, 6), (10, 22))]
    ImageDraw.Draw(picture).line(points, fill="black", width=max(2, size // 20), joint="curve")
    return picture


def small_config(background: bool = True, **changes: object) -> BundleConfig:
    """The config of a small compact network for digits; `changes` replace fields."""
    arguments = {"outputs": 10 + background, "members": 2, "widths": [4, 6, 8], "dropout": 0.1}
    fields: dict[str, object] = {
        "name": "small",
        "kind": "handwriting",
        "labels": DIGITS,
        "network": NetworkConfig("compact", arguments),
        "rejection": Rejection("background", 0.5) if background else None,
    }
    return BundleConfig(**{**fields, **changes})  # type: ignore[arg-type]


def write_small_bundle(folder: Path, config: BundleConfig | None = None) -> Path:
    """A bundle with the random weights of seed 0."""
    import torch

    from handwriter_models.networks import build

    config = config or small_config()
    torch.manual_seed(0)
    network = build(config.network.name, config.network.arguments)
    return write_bundle(folder, config, network.state_dict(), "# small\n", {"curve.png": b"\x89PNG"})


@pytest.fixture
def small_bundle(tmp_path: Path) -> Path:
    """The folder of a small bundle."""
    return write_small_bundle(tmp_path / "small")


@pytest.fixture(scope="session")
def demo() -> Iterator[Server]:
    """One demo with all bundled models for the tests that only look at it: it takes longer to start than they need."""
    from tests.demo_server import running

    with running() as started:
        yield started
    assert "Traceback" not in "".join(started.said), "".join(started.said)


@pytest.fixture(scope="session")
def teach_hub() -> Iterator[HubSite]:
    """A Hub to which what was taught is published."""
    from tests.hub_site import HubSite

    with HubSite() as site:
        yield site


@pytest.fixture(scope="session")
def teach_server(teach_hub: HubSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A demo at the home of its owner, who may publish on that Hub."""
    from tests.demo_server import running

    environment = teach_hub.environment(tmp_path_factory.mktemp("hub"), "hf_ana_writes")
    with running(["--model", "digits"], environment) as started:
        yield started
    assert "Traceback" not in "".join(started.said), "".join(started.said)


@pytest.fixture(scope="session")
def one_chromium() -> Iterator[Browser]:
    """Started once for each process that tests: each start costs as much processor as several tests."""
    from tests.browser import Look, chromium

    with chromium(Look()) as opened:
        yield opened


@pytest.fixture(scope="module")
def browser(one_chromium: Browser) -> Iterator[Browser]:
    """Chromium as it is after its start, for all tests of a file."""
    one_chromium.be_new()
    yield one_chromium
    one_chromium.be_new()  # a page that stays open costs processor
