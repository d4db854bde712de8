"""Leaks: same pictures, copies and writers are found, and nothing else; what is kept of them is small."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.fingerprint import look, prints
from handwriter_models.learning.learned import MOST, NO_HASHES, learned_from, with_parent
from tests.small_photos import jpeg, photo
from tests.training_cases import stripes
from training.leaks import Leak, Prints, leaks_between, prints_of, report


def names(count: int, start: int = 0) -> list[str]:
    return [sha256(str(number).encode()).hexdigest() for number in range(start, start + count)]


def plain(count: int, start: int = 0, source: str = "here", writers: object = -1) -> Prints:
    return Prints(names(count, start), NO_HASHES, np.broadcast_to(np.array(writers, np.int64), count), source)


def through_json(learned: dict[str, Any]) -> dict[str, Any]:
    back: dict[str, Any] = json.loads(json.dumps(learned))
    return back


def hashes(*pictures: bytes) -> np.ndarray:
    found = prints([look(picture) for picture in pictures])
    return np.stack([np.frombuffer(one.hashes, np.uint64) for one in found])


def test_same_pictures_are_found_and_no_others() -> None:
    learned = through_json(plain(3000).learned())
    assert leaks_between(learned, plain(4, start=2998)) == [Leak(0, "same picture"), Leak(1, "same picture")]
    assert leaks_between(learned, plain(3000, start=3000)) == []


def test_pixels_of_handwriting_are_recognised() -> None:
    train, test = stripes(40), stripes(40, seed=1)
    learned = prints_of(train).learned()
    assert leaks_between(learned, prints_of(test.take(np.arange(0)))) == []
    ours = Prints(prints_of(test).sha256s, NO_HASHES, np.full(40, -1), "elsewhere")
    assert leaks_between(learned, ours) == []
    assert len(leaks_between(learned, prints_of(train.take(np.arange(5))))) == 5


def test_changed_copies_of_photographs_are_near_copies() -> None:
    train = [jpeg(photo(number)) for number in range(30)]
    learned = through_json(learned_from(names(30), hashes(*train), np.full(30, -1), "pets"))
    smaller = jpeg(photo(3).resize((120, 90)), quality=40)
    mirrored = jpeg(photo(4).transpose(method=0))
    test = Prints(names(3, 100), hashes(smaller, mirrored, jpeg(photo(99))), np.full(3, -1), "other")
    assert leaks_between(learned, test) == [Leak(0, "near copy"), Leak(1, "near copy")]


def test_file_of_the_same_group_of_copies_is_found() -> None:
    first, second = names(2)
    test = Prints(names(2, 50), NO_HASHES, np.full(2, -1), "x", [[first, "ab" * 32], ["cd" * 32]])
    learned = learned_from([first, second], NO_HASHES, np.full(2, -1), "x")
    assert leaks_between(learned, test) == [Leak(0, "copy in its group")]
    assert leaks_between(learned, test.take(np.array([1]))) == []


def test_writers_are_compared_within_one_source_only() -> None:
    learned = through_json(plain(3, writers=[7, 8, 9], source="mnist").learned())
    test = plain(3, start=10, writers=[9, 10, -1], source="mnist")
    assert leaks_between(learned, test) == [Leak(0, "writer")]
    assert leaks_between(learned, plain(3, start=10, writers=[9, 10, 11], source="omniglot")) == []


def test_large_sets_are_sampled_and_many_leaks_still_found() -> None:
    learned = plain(3 * MOST, source="mnist", writers=5).learned()
    assert (learned["pictures"], learned["kept"]) == (3 * MOST, MOST)
    assert len(json.dumps(learned)) < 85_000
    found = len(leaks_between(learned, plain(300)))
    assert 60 < found < 140, "a third of them"


def test_what_a_parent_learned_is_remembered() -> None:
    parent = plain(5).learned()
    learned = through_json(with_parent(plain(5, start=100).learned(), parent))
    assert len(leaks_between(learned, plain(10))) == 5
    assert with_parent(parent, None) == parent


def test_pictures_that_a_model_went_on_with_are_kept_once() -> None:
    grandparent, parent = plain(3, start=50).learned(), plain(5).learned()
    third = with_parent(plain(5).learned(), with_parent(plain(5).learned(), with_parent(parent, grandparent)))
    assert third == with_parent(parent, grandparent)
    assert with_parent(plain(5).learned(), parent)["before"] == []


def test_no_path_of_this_machine_is_kept(tmp_path: Path) -> None:
    from dataclasses import replace

    learned = prints_of(replace(stripes(4), source=str(tmp_path / "손글씨"))).learned()
    assert learned["source"] == "손글씨"
    assert str(tmp_path) not in json.dumps(learned, ensure_ascii=False)


@pytest.mark.parametrize(
    "learned",
    [{}, {"sha256": 5, "phash": None, "writers": "가", "before": "x"}, {"sha256": "abc"}, {"before": [{}, 3, [], {}]}],
)
def test_foreign_bundles_cannot_break_the_check(learned: dict[str, Any]) -> None:
    assert leaks_between(learned, plain(3)) == []


def test_chain_of_parents_without_end_is_cut() -> None:
    endless: dict[str, Any] = {"before": []}
    endless["before"] = [endless, endless]
    assert leaks_between(endless, plain(3)) == []


def test_report_tells_what_was_compared_and_both_accuracies() -> None:
    learned = plain(5, source="mnist", writers=1).learned()
    hits = np.array([True, True, False, False])
    clean = report(learned, plain(4, start=5, source="mnist", writers=2), hits)
    assert clean == {"leak_check": {"compared": ["same picture", "writer"], "kept": 5, "pictures": 5}}
    leaky = report(learned, plain(4, start=3, source="mnist", writers=2), hits)["leaky"]
    assert leaky == {
        "pictures": 2, "why": {"same picture": 2}, "of": 4, "accuracy_of_leaking": 1.0, "accuracy_of_the_rest": 0.0
    }  # fmt: skip
    assert report(None, plain(4), hits)["leak_check"]["compared"] == []
    assert "no prints" in report(learned, None, hits)["leak_check"]["why_not"]


def test_what_the_groups_of_a_dataset_have_found_no_copy_is_no_leak() -> None:
    """Curation has compared their pixels; of a learned picture that lies elsewhere only the hash is known."""
    near = hashes(*[jpeg(photo(1)), jpeg(photo(1), quality=40)])
    learned = through_json(learned_from(names(1), near[:1], np.full(1, -1), "pets"))
    test = Prints(names(1, 9), near[1:], np.full(1, -1), "pets", [[]], compared=names(1) + names(1, 9))
    assert leaks_between(learned, test) == []
    assert leaks_between(learned, Prints(names(1, 9), near[1:], np.full(1, -1), "pets")) == [Leak(0, "near copy")]


def test_drawings_are_no_near_copies_by_their_hashes_alone() -> None:
    near = hashes(*[jpeg(photo(1)), jpeg(photo(1), quality=40)])
    learned = through_json(learned_from(names(1), near[:1], np.full(1, -1), "pets"))
    both = np.concatenate([near[1:], near[1:]])
    test = Prints(names(2, 9), both, np.full(2, -1), "other", drawn=np.array([True, False]))
    assert leaks_between(learned, test) == [Leak(1, "near copy")]
    assert leaks_between(learned, test.take(np.array([1, 0]))) == [Leak(0, "near copy")]
