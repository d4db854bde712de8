"""OpenVINO gives the vectors that torch gives; in whole numbers of eight bits, nearly."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from curation.accelerate import accelerated, quantized
from curation.backbones import Backbone, backbone
from handwriter_models.errors import UserError
from tests.small_photos import photo


@pytest.fixture(scope="module")
def network() -> Backbone:
    return backbone("cnn-digits")  # small: converting a large network takes as long as the other tests


@pytest.fixture
def engine(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Skips where the package is missing; it must write nothing at home, where its telemetry would leave its name."""
    if find_spec(request.param) is None:  # not imported: that is ours to do, without telemetry
        pytest.skip(f"{request.param} is an optional extra: pip install -r requirements-extras.txt")
    monkeypatch.setenv("HOME", str(tmp_path))
    yield
    assert list(tmp_path.iterdir()) == []
    assert sys.modules.get("openvino_telemetry") is None


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """The least cosine of two vectors of one picture."""
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return float(((one * other).sum(axis=1) / lengths).min())


@pytest.mark.parametrize("engine", ["openvino"], indirect=True)
@pytest.mark.usefixtures("engine")
def test_another_engine_gives_the_same_vectors_under_another_name(network: Backbone) -> None:
    pictures = [photo(number) for number in range(5)]
    quick = accelerated(network)
    assert quick.name == f"{network.name}-openvino"
    assert quick.transform == network.transform
    assert quick(pictures).shape == (5, network.dimension)
    assert likeness(quick(pictures), network(pictures)) > 0.999
    assert quick([]).shape == (0, network.dimension)


@pytest.mark.parametrize("engine", ["nncf"], indirect=True)
@pytest.mark.usefixtures("engine")
def test_eight_bits_give_nearly_the_same_vectors(network: Backbone) -> None:
    pictures = [photo(number) for number in range(12)]
    small = quantized(network, np.stack([network.prepare(picture) for picture in pictures]))
    assert small.name == f"{network.name}-int8"
    assert 0.97 < likeness(small(pictures), network(pictures)) < 0.999999


def test_eight_bits_need_pictures(network: Backbone) -> None:
    with pytest.raises(UserError, match="no pictures"):
        quantized(network, np.zeros((0, 28, 28), np.uint8))


def test_without_the_package_the_way_to_it_is_named(network: Backbone) -> None:
    before = sys.modules.get("openvino")
    sys.modules["openvino"] = None  # type: ignore[assignment]  # as if it were not installed
    try:
        with pytest.raises(UserError, match="openvino is not installed") as raised:
            accelerated(network)
    finally:
        del sys.modules["openvino"]
        if before is not None:
            sys.modules["openvino"] = before
    assert "requirements-extras.txt" in raised.value.hint
