"""Omniglot: what its archives may be, which letter is which, and that no test hand is seen in training."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from handwriter_models.errors import UserError
from tests.omniglot_archive import HANDS, drawing, write_archive, write_member
from tests.shared_data import shared_folder
from tests.test_training_sources import write_mnist
from training import extras
from training.characters import GROUPS, NAMES, PATTERN
from training.omniglot import Drawing, read_alphabets
from training.omniglot_sources import KOREAN, LETTERS
from training.recipes import DataOptions
from training.samples import Splits
from training.sources import SOURCES, label_groups, read_source

OPTIONS = DataOptions(validation=0.3)
FIRST = "images_background_small1"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDWRITER_CACHE", str(tmp_path / "cache"))


def read(source: str, data: Path) -> Splits:
    return read_source(source, data, OPTIONS, seed=1)


def drawings(folder: Path) -> list[Drawing]:
    return list(read_alphabets(folder))


@pytest.mark.parametrize("place", ["", "omniglot"])
def test_drawings_that_two_archives_share_are_read_once(place: str, tmp_path: Path) -> None:
    write_archive(tmp_path / place / "images_background_small1.zip", {"Greek": 2, "Latin": 1})
    write_archive(tmp_path / place / "images_background_small2.zip", {"Latin": 1, "Korean": 1})
    found = drawings(tmp_path)
    assert len(found) == 4 * len(HANDS)
    assert {(one.alphabet, one.character) for one in found} == {
        ("Greek", 1), ("Greek", 2), ("Latin", 1), ("Korean", 1),
    }  # fmt: skip
    assert {one.drawer for one in found} == set(HANDS)
    assert all(one.picture.shape == (105, 105) and one.picture.dtype == np.uint8 for one in found)
    assert np.median(found[0].picture) == 255, "ink is dark on white paper"


def test_whole_archives_do_as_well(tmp_path: Path) -> None:
    write_archive(tmp_path / "images_background.zip", {"Korean": 1})
    write_archive(tmp_path / "images_evaluation.zip", {"Angelic": 1})
    assert {one.alphabet for one in drawings(tmp_path)} == {"Korean", "Angelic"}


def test_missing_archives_and_alphabets_are_named_with_where_they_are(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no archive of Omniglot") as caught:
        drawings(tmp_path)
    assert "github.com/brendenlake/omniglot" in caught.value.hint
    write_archive(tmp_path / f"{FIRST}.zip", {"Greek": 1})
    with pytest.raises(UserError, match="has the alphabet Korean"):
        read("omniglot-korean", tmp_path)


WRONG_MEMBERS = [
    (b"no picture", "not a picture we read"),
    (b"", r"01_01\.png"),
    (drawing(1, 1)[:90], r"01_01\.png"),
    (drawing(1, 1, side=60), "is 60x60 pixels"),
    (b"\0" * 70_000, "is larger than"),
]


@pytest.mark.parametrize(("content", "fault"), WRONG_MEMBERS)
def test_wrong_pictures_are_refused_and_named(content: bytes, fault: str, tmp_path: Path) -> None:
    write_member(tmp_path / f"{FIRST}.zip", f"{FIRST}/Greek/character01/01_01.png", content)
    with pytest.raises(UserError, match=fault) as caught:
        drawings(tmp_path)
    assert FIRST in caught.value.what


def test_members_that_are_no_drawings_are_passed_over_and_nothing_is_unpacked(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for name in ("../../out.png", "__MACOSX/Greek/character01/01_01.png", "Greek/notes.txt", "/etc/x_01.png"):
        write_member(data / f"{FIRST}.zip", name, b"x")
        assert drawings(data) == []
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = write_archive(tmp_path / f"{FIRST}.zip", {"Greek": 1})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"small1\.zip cannot be read"):
        drawings(tmp_path)
    at = whole.index(b"IDAT")
    path.write_bytes(whole[: at + 8] + bytes([whole[at + 8] ^ 255]) + whole[at + 9 :])
    with pytest.raises(UserError, match=r"small1\.zip cannot be read"):
        drawings(tmp_path)


def test_korean_letters_are_the_forty_of_the_alphabet_once_each() -> None:
    vowels, consonants = KOREAN[:21], KOREAN[21:]
    assert "".join(map(chr, range(ord("ㅏ"), ord("ㅣ") + 1))) == vowels
    assert sorted(consonants) == list(consonants)
    assert set(consonants) == set("ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ")


@pytest.mark.parametrize(("source", "alphabet"), [("omniglot-korean", "Korean"), ("omniglot-latin", "Latin")])
def test_letters_are_divided_by_drawer(source: str, alphabet: str, tmp_path: Path) -> None:
    count = len(LETTERS[alphabet])
    write_archive(tmp_path / f"{FIRST}.zip", {alphabet: count})
    splits = read(source, tmp_path)
    assert splits.counts() == {"train": 2 * count, "validation": count, "test": count}
    assert splits.own_test
    assert splits.train.names == sorted(LETTERS[alphabet])
    assert splits.train.source == source
    hands = [set(part.groups.tolist()) for part in (splits.train, splits.validation, splits.test)]
    assert hands[2] == {15}
    assert not hands[0] & hands[1]
    assert read(source, tmp_path).fingerprint() == splits.fingerprint()


def test_real_letters_are_where_their_numbers_say() -> None:
    """Shapes that can be told by the extent of their ink; the rest was named by eye."""
    splits = read("omniglot-korean", shared_folder() / "data")
    test = splits.test
    assert len(test) == 240
    ink = test.images > 100
    wide = ink.any(axis=1).sum(axis=1) / ink.any(axis=2).sum(axis=1)
    by_letter = {name: float(np.median(wide[test.labels == label])) for label, name in enumerate(test.names)}
    assert max(by_letter, key=by_letter.__getitem__) == "ㅡ"
    assert min(by_letter, key=by_letter.__getitem__) == "ㅣ"


def test_letters_beyond_the_alphabet_and_missing_hands_are_refused(tmp_path: Path) -> None:
    write_archive(tmp_path / "more" / f"{FIRST}.zip", {"Latin": 27})
    with pytest.raises(UserError, match="has a character 27"):
        read("omniglot-latin", tmp_path / "more")
    write_archive(tmp_path / "few" / f"{FIRST}.zip", {"Latin": 26}, hands=(1, 2))
    with pytest.raises(UserError, match="lacks drawers of Latin"):
        read("omniglot-latin", tmp_path / "few")


@pytest.fixture(scope="module")
def characters_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_mnist(tmp_path_factory.mktemp("data"), count=60)
    write_archive(root / f"{FIRST}.zip", {"Latin": 26, "Greek": 16, "Tagalog": 4})
    return root


@pytest.fixture(scope="module")
def characters(characters_data: Path) -> Splits:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDWRITER_CACHE", str(characters_data / "cache"))
        return read("characters", characters_data)


def test_characters_have_three_groups_and_every_group_is_in_every_split(characters: Splits) -> None:
    splits = characters
    assert splits.train.names == NAMES
    groups = label_groups("characters")
    assert list(groups) == NAMES
    for part in (splits.train, splits.validation, splits.test):
        assert {groups[NAMES[label]] for label in part.labels} == {"digit", "letter", "pattern"}
    assert not set(splits.train.groups) & (set(splits.validation.groups) | set(splits.test.groups))
    assert GROUPS[PATTERN] == "pattern"


def test_free_patterns_are_not_what_looks_like_a_letter(characters: Splits) -> None:
    test = characters.test
    patterns = test.groups[(test.labels == NAMES.index(PATTERN)) & (test.groups < 100_000)]
    greek, tagalog = np.unique(patterns // 1000, return_counts=True)[1]
    assert greek == 16 - len({1, 3, 5, 7, 9, 10, 13, 15}), "β δ ζ θ λ μ ξ π stay"
    assert tagalog == 2


def test_every_character_has_a_label_beside_the_digits(characters_data: Path) -> None:
    splits = read("omniglot-mnist", characters_data)
    assert splits.train.names[:12] == [*"0123456789", "Greek 1", "Greek 2"]
    assert len(splits.train.names) == 10 + 26 + 16 + 4
    assert set(splits.test.groups[splits.test.labels >= 10] % 1000) == {15}


def test_other_sources_have_no_groups() -> None:
    assert {source for source in SOURCES if label_groups(source)} == {"characters"}


def test_rare_labels_are_drawn_anew_until_all_are_even(tmp_path: Path) -> None:
    write_archive(tmp_path / f"{FIRST}.zip", {"Latin": 26})
    train = read("omniglot-latin", tmp_path).train
    some = replace(train.take(train.labels < 2), names=[str(number) for number in range(1600)])
    made = extras.build(["evened"], some, None, 1)
    assert np.bincount(np.concatenate([some.labels, made.labels])).tolist() == [10, 10], "16 000 in all"
    assert made.images.any(axis=(1, 2)).all()


def test_foreign_ink_beside_letters_is_of_other_alphabets_and_training_hands(tmp_path: Path) -> None:
    write_archive(tmp_path / f"{FIRST}.zip", {"Latin": 26, "Greek": 2})
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    train = read("omniglot-latin", tmp_path).train
    made = extras.build(["foreign"], train, tmp_path, 1)
    assert len(made) == 3 * 2, "β by three hands, as drawn and repainted; α is an a"
    assert set(made.labels) == {26}
