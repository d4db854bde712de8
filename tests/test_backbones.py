"""Frozen networks: prepared as torchvision does, without their head, the same every time, and loaded safely."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image

from curation.backbone_weights import weighted
from curation.backbones import backbone
from handwriter_models.backbone_networks import TENSORFLOW, without_head
from handwriter_models.bundle import BundleConfig, NetworkConfig, Preprocessing
from handwriter_models.errors import UserError
from handwriter_models.inference import bfloat16_pays
from handwriter_models.networks import build
from handwriter_models.photograph import Photograph
from tests.conftest import drawn_seven, write_small_bundle
from tests.shared_data import shared_folder
from tests.small_photos import photo


def test_the_usual_preparation_is_that_of_torchvision() -> None:
    from handwriter_models.torchvision_import import torchvision

    edges = torchvision.transforms.v2.functional
    for size in ((320, 243), (243, 320), (224, 224), (60, 500)):
        picture = photo(3, size)
        theirs = np.asarray(edges.center_crop(edges.resize(picture, [256]), [224]), np.int16)
        assert abs(Photograph(256, 224)(picture) - theirs).max() <= 2


def test_random_weights_are_the_same_every_time_and_leave_the_chance_alone() -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, second = (backbone("mobilenet_v3_small", "none") for _ in range(2))
    assert torch.equal(before, torch.random.get_rng_state())
    pictures = [photo(1), photo(2)]
    assert first.name == "mobilenet_v3_small-none"
    assert first(pictures).shape == (2, first.dimension) == (2, 1024)
    assert np.array_equal(first(pictures), second(pictures))
    assert first(pictures).dtype == np.float32
    assert first([]).shape == (0, 1024)


def test_lower_precision_is_used_where_it_pays_and_changes_little() -> None:
    if not bfloat16_pays(torch.nn.Linear(2000, 2000)):
        pytest.skip("this processor does not compute in bfloat16")
    network = backbone("resnet18", "none")
    assert network.compute is not None
    prepared = np.stack([network.prepare(photo(number)) for number in range(9)])  # more than go through at once
    with torch.inference_mode():
        exact = network.network(network.inputs(torch.from_numpy(prepared))).numpy()
    assert np.linalg.norm(network.vectors(prepared) - exact) < 0.03 * np.linalg.norm(exact)
    assert backbone("cnn-digits").compute is None, "a small network gains nothing"


def test_a_picture_has_the_same_vector_alone_and_in_company() -> None:
    network = backbone("mobilenet_v3_small", "none")
    together = network([photo(number) for number in range(4)])
    assert np.allclose(together[2], network([photo(2)])[0], rtol=0.05, atol=0.02 * float(abs(together).max()))


def test_a_bundle_gives_what_stands_before_its_head(small_bundle: Path) -> None:
    network = backbone(str(small_bundle))
    assert network.name.startswith("small-")
    assert network.transform == "ink28"
    assert network([drawn_seven(), drawn_seven(99)]).shape == (2, 16)  # two voters, 8 wide


@pytest.mark.parametrize(("name", "width"), [("mlp-digits", 65), ("cnn-digits", 128)])
def test_the_models_of_ours_are_known_by_name(name: str, width: int) -> None:
    assert backbone(name).dimension == width


def test_a_bundle_for_photographs_is_taken_too(tmp_path: Path) -> None:
    config = BundleConfig(
        "photos",
        "photographs",
        ("cat", "dog"),
        NetworkConfig("resnet34", {"outputs": 2}),
        Preprocessing("photograph", 64, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    )
    network = backbone(str(write_small_bundle(tmp_path / "photos", config)))
    assert network([photo(1)]).shape == (1, 512)


def test_the_vector_times_the_head_is_the_answer() -> None:
    network = build("cnn", {"outputs": 4}).eval()
    pictures = torch.rand(3, 1, 28, 28)
    head, answer = network[-1], network(pictures)
    assert torch.allclose(head(without_head(network)(pictures)), answer)


def test_weights_from_a_file_may_have_any_number_of_classes(tmp_path: Path) -> None:
    from handwriter_models.torchvision_import import torchvision

    torch.manual_seed(1)
    state = torchvision.models.mobilenet_v3_small(num_classes=7).state_dict()
    safetensors.torch.save_file(state, tmp_path / "seven.safetensors")
    network = backbone("mobilenet_v3_small", str(tmp_path / "seven.safetensors"))
    assert network.dimension == 1024
    with pytest.raises(UserError, match=r"does not fit|no head"):
        backbone("resnet18", str(tmp_path / "seven.safetensors"))
    del state["features.0.0.weight"]
    safetensors.torch.save_file(state, tmp_path / "less.safetensors")
    with pytest.raises(UserError, match=r"features\.0\.0\.weight"):
        backbone("mobilenet_v3_small", str(tmp_path / "less.safetensors"))


def test_files_that_are_no_weights_are_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(b"\x80\x04never unpickled")
    for path in ("x.safetensors", "absent.safetensors"):
        with pytest.raises(UserError):
            backbone("resnet18", str(tmp_path / path))


def test_without_the_network_two_ways_out_are_named() -> None:
    def offline(_: object) -> dict[str, object]:
        raise OSError("no route to host")

    with pytest.raises(UserError, match="no route") as raised:
        backbone("mobilenet_v3_small", fetch=offline)
    assert "FILE.safetensors" in raised.value.hint
    assert "bundle" in raised.value.hint


def test_fetched_weights_are_named_in_the_cache() -> None:
    state = weighted("mobilenet_v3_small", "none")[1].state_dict()
    assert backbone("mobilenet_v3_small", fetch=lambda _: state).name == "mobilenet_v3_small-imagenet1k_v1"


@pytest.mark.parametrize("name", ["", "resnet51", "no/such/folder", "squeezenet1_0", TENSORFLOW])
def test_names_that_lead_nowhere_are_refused_in_words(name: str) -> None:
    with pytest.raises(UserError) as raised:
        backbone(name, "none" if name == "squeezenet1_0" else "imagenet")
    assert raised.value.hint


def test_mobilenet_from_tensorflow_names_most_photographs() -> None:
    from handwriter_models.torchvision_import import torchvision

    shared = shared_folder()
    weights = shared / "weights" / "mobilenet_v2_imagenet_1001.safetensors"
    if not weights.exists():
        pytest.skip(f"no {weights}")
    names = [name.lower() for name in torchvision.models.get_model_weights("mobilenet_v2").DEFAULT.meta["categories"]]
    photos = sorted((shared / "data" / "photos").rglob("*.jpg"))[::5]
    head = weighted(TENSORFLOW, str(weights))[1].classifier[1]
    vectors = backbone(TENSORFLOW, str(weights))([Image.open(one).convert("RGB") for one in photos])
    guesses = [names[guess] for guess in head(torch.from_numpy(vectors)).argmax(dim=1) - 1]
    truth = [one.stem.partition("_")[2].replace("_", " ") for one in photos]
    right = sum(guess == name for guess, name in zip(guesses, truth, strict=True))
    assert right >= 0.6 * len(photos)
