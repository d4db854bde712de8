"""Photographs held out: read as the bundle reads them, and known again by file, copy and group."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from sklearn.datasets import load_digits

from curation.export.order import export
from handwriter_models.bundle import BundleConfig, NetworkConfig, Preprocessing, read_bundle
from handwriter_models.classifier import Classifier, load
from handwriter_models.errors import UserError
from tests.conftest import write_small_bundle
from tests.small_photos import pets, photo, save
from tests.test_drawings import sticks
from tests.test_export import scanned
from tests.test_metadata import exif, saved
from training.datasets import photographs
from training.evaluate import evaluate_bundle
from training.folds import FoldsOrder
from training.held_out_photographs import prints_of_rows
from training.recipes import DataOptions, recipe_from_table
from training.refit import cross_validate_bundle


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDWRITER_CACHE", str(tmp_path / "cache"))


def write_bundle(folder: Path, data: dict[str, object] | None = None, recipe: dict[str, object] | None = None) -> str:
    network = NetworkConfig("transfer", {"outputs": 2, "backbone": "mobilenet_v3_small", "hidden": 4})
    way = Preprocessing("photograph", 64, (0.5, 0.4, 0.3), (0.2, 0.3, 0.4))
    config = BundleConfig("pets", "photographs", ("dog", "고양이"), network, way, data=data or {}, recipe=recipe or {})
    return str(write_small_bundle(folder, config))


@pytest.fixture
def learned(tmp_path: Path) -> tuple[str, Path]:
    """A bundle that remembers the training pictures of a folder, and the folder."""
    root = pets(tmp_path / "pets", count=10)
    return bundle_of(root, tmp_path / "bundle"), root


def bundle_of(root: Path, bundle: Path) -> str:
    """One that remembers sixteen pictures of twenty."""
    with photographs(str(root), DataOptions(validation=0.2, test=0.2), 0) as found:
        rows = [*found.parts["train"], *found.parts["validation"]]
        data = {"source": "pets", "learned": prints_of_rows(found, rows, "pets").learned()}
    return write_bundle(bundle, data)


def test_new_folder_is_measured_whole_with_the_bundles_own_preparation(tmp_path: Path) -> None:
    bundle, root = write_bundle(tmp_path / "bundle"), pets(tmp_path / "pets")
    (root / "dog" / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    evaluation = evaluate_bundle(bundle, str(root), None)
    answers = evaluation.answers
    assert (len(answers), answers.samples.images.shape) == (12, (12, 112, 112, 3))
    assert [Path(path).name for path, _ in evaluation.unreadable] == ["broken.jpg"]
    wanted = load(bundle).predict(root / "dog" / "dog 0.jpg").probabilities
    assert np.abs(answers.probabilities - list(wanted.values())).sum(axis=1).min() < 0.02
    assert evaluation.metrics()["n"] == 12


def test_dataset_that_was_learned_gives_its_test_part(learned: tuple[str, Path]) -> None:
    bundle, root = learned
    metrics = evaluate_bundle(bundle, str(root), None).metrics()
    assert metrics["n"] == 4
    assert metrics["leak_check"]["compared"] == ["same picture", "copy in its group", "near copy"]
    assert "leaky" not in metrics


def test_different_handwriting_in_the_parts_of_one_split_is_no_leak(tmp_path: Path) -> None:
    """Hashes of different strokes are near; curation has compared their pixels, and what it found no copy is none."""
    digits, root = load_digits(), tmp_path / "digits"
    for number, stick in enumerate(sticks(96)):
        save(root / "dog" / f"{number}.jpg", stick)
    for number, image in enumerate(digits.images[digits.target == 7][:40]):
        save(root / "고양이" / f"{number}.jpg", Image.fromarray(np.uint8(255 - 15 * image)).resize((96, 96)))
    with photographs(str(root), DataOptions(validation=0.2, test=0.2), 0) as found:
        parts = [[*found.parts["train"], *found.parts["validation"]], found.parts["test"]]
        learned, held = (prints_of_rows(found, rows, "digits") for rows in parts)
    plain = [some.phashes.reshape(-1, 16)[:, 0] for some in (learned, held)]
    assert (np.bitwise_count(plain[0] ^ plain[1][:, None]).min(axis=1) <= 6).any(), "the hashes alone would mislead"
    bundle = write_bundle(tmp_path / "bundle", {"source": "digits", "learned": learned.learned()})
    metrics = evaluate_bundle(bundle, str(root), None).metrics()
    assert metrics["n"] == len(held.sha256s) > 10
    assert "leaky" not in metrics


def test_copies_of_learned_pictures_in_another_folder_are_refused(learned: tuple[str, Path], tmp_path: Path) -> None:
    bundle, root = learned
    other = pets(tmp_path / "other", count=3)
    for number, path in enumerate([*other.rglob("*.jpg")]):
        save(path, photo(5000 + number))
    assert evaluate_bundle(bundle, str(other), None).metrics()["n"] == 6
    config, network = read_bundle(bundle)
    assert isinstance(Classifier(config, network), Classifier)
    with photographs(str(root), DataOptions(), 0) as found:
        source = found.pictures.root / found.parts["train"][0].path
    with Image.open(source) as picture:
        save(other / "dog" / "mirrored.jpg", ImageOps.mirror(picture.convert("RGB")).resize((140, 105)))
    with pytest.raises(UserError, match=r"1 of 7 pictures .* \(near copy: 1\)"):
        evaluate_bundle(bundle, str(other), None)
    assert evaluate_bundle(bundle, str(other), None, "leave out").left_out == 1


def test_exported_copies_without_metadata_are_known_by_their_looks(tmp_path: Path) -> None:
    """Their bytes are others than those that were learned; those of turned JPEGs are even encoded anew."""
    root = pets(tmp_path / "pets", count=10)
    for number, path in enumerate(sorted(root.rglob("*.jpg"))):
        path.write_bytes(saved("JPEG", photo(number), exif=exif(6 if number % 2 else 1)))
    bundle = bundle_of(root, tmp_path / "bundle")
    with scanned(root) as dataset:
        export(dataset.pictures, tmp_path / "out", "imagefolder")
        before = {row.sha256 for row in dataset.pictures.rows()}
    stripped = [sha256(path.read_bytes()).hexdigest() for path in (tmp_path / "out").rglob("*.jpg")]
    assert len(stripped) == 20
    assert not before.intersection(stripped)
    with pytest.raises(UserError, match=r"16 of 20 pictures .* \(near copy: 16\)"):
        evaluate_bundle(bundle, str(tmp_path / "out"), None)
    assert evaluate_bundle(bundle, str(tmp_path / "out"), None, "leave out").left_out == 16


def test_heads_are_fitted_anew_on_every_fold_with_copies_together(tmp_path: Path) -> None:
    recipe = recipe_from_table(
        {
            "name": "frozen",
            "network": {"name": "transfer"},
            "data": {"pictures": "photographs", "validation": 0.2, "test": 0.2},
            "backbone": {"name": "mobilenet_v3_small", "weights": "none", "views": 1},
            "head": {"hidden": 4},
            "train": {"epochs": 3, "batch": 8},
        }
    )
    bundle, root = write_bundle(tmp_path / "bundle", recipe=recipe.as_json()), pets(tmp_path / "pets")
    for number in range(2):
        save(root / "dog" / f"again {number}.jpg", photo(1000), quality=60 + number)
    table, _ = cross_validate_bundle(FoldsOrder(bundle, str(root), 2))
    assert (table["together"]["n"], table["groups"]) == (14, 12)
    thawed = {**recipe.as_json(), "finetune": {"unfreeze": ["features.12"]}}
    with pytest.raises(UserError, match="not only a head"):
        cross_validate_bundle(FoldsOrder(write_bundle(tmp_path / "thawed", recipe=thawed), str(root), 2))
