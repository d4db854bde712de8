"""The dataset in one process: addresses in order, limits, copies of addresses, searches, refusals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from curation.dataset import Dataset
from curation.records import Claim, Found, Job, JobCounts, Reason, Refused, SearchRecord, SearchState
from tests.dataset_cases import CAT, CAT_NAVER, DOG, kept, pictures, settled


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[Dataset]:
    with Dataset(tmp_path / "data") as dataset:
        yield dataset


def test_found_addresses_are_stored_once_and_claimed_in_order(dataset: Dataset) -> None:
    assert dataset.add(CAT, pictures(3)) == 3
    assert dataset.add(CAT, pictures(5)) == 2
    assert dataset.add(CAT, [*pictures(5), *pictures(5)]) == 0
    assert dataset.add(CAT_NAVER, pictures(1)) == 1
    assert dataset.add(Job("고양이", "kitten", "google"), pictures(6)) == 1  # the label has the others already
    claims = dataset.claim(CAT, 2, 100) + dataset.claim(CAT, 100, 100)
    assert [claim.address for claim in claims] == [one.address for one in pictures(5)]
    assert claims[0] == Claim(claims[0].id, CAT, "https://x.example/0.jpg", "https://x.example/", False)


def test_kept_and_claimed_never_exceed_the_limit_of_a_label_at_an_engine(dataset: Dataset) -> None:
    other_words = Job("고양이", "kitten", "google")
    dataset.add(CAT, pictures(10))
    dataset.add(other_words, pictures(10, "other.example"))
    claims = dataset.claim(CAT, 10, 4)
    assert len(claims) == 4
    assert dataset.claim(CAT, 10, 4) == dataset.claim(other_words, 10, 4) == []
    dataset.settle([kept(dataset, claim) for claim in claims[:3]], [Refused(claims[3].id, Reason.NOT_FOUND)])
    assert [claim.address[-5:] for claim in dataset.claim(CAT, 10, 4)] == ["4.jpg"]
    assert dataset.claim(other_words, 10, 4) == []
    assert len(dataset.claim(other_words, 10, 6)) == 2  # the limit may grow


def test_released_claims_come_again_first(dataset: Dataset) -> None:
    dataset.add(CAT, pictures(4))
    claims = dataset.claim(CAT, 3, 9)
    dataset.release([claim.id for claim in claims[1:]])
    assert dataset.claim(CAT, 3, 9) == [
        *claims[1:],
        Claim(4, CAT, "https://x.example/3.jpg", "https://x.example/", False),
    ]


def test_closing_gives_claims_back_and_clears_arrivals(tmp_path: Path) -> None:
    with Dataset(tmp_path) as dataset:
        dataset.add(CAT, pictures(2))
        kept(dataset, dataset.claim(CAT, 1, 9)[0])
    assert list((tmp_path / "incoming").iterdir()) == []
    with Dataset(tmp_path) as dataset:
        assert dataset.counts() == {CAT: JobCounts(2, 0, {}, 2, 0)}


def test_address_kept_or_refused_elsewhere_ends_without_a_fetch(dataset: Dataset) -> None:
    dataset.add(CAT, pictures(3))
    first, second, third = dataset.claim(CAT, 3, 9)
    dataset.settle([kept(dataset, first)], [Refused(second.id, Reason.ROBOTS, "Disallow: /")])
    dataset.settle([], [Refused(third.id, Reason.TIMEOUT, "60 s")])
    dataset.add(CAT_NAVER, pictures(4))
    assert [claim.address for claim in dataset.claim(CAT_NAVER, 9, 9)] == ["https://x.example/3.jpg"]
    rows = [(row.reason, row.detail, row.duplicate_of) for row in dataset.refusals() if row.engine == "naver"]
    assert rows == [
        ("duplicate", "the same address", "images/고양이/google_0001.jpg"),
        ("robots", "Disallow: /", None),
        ("timeout", "60 s", None),
    ]


def test_passing_fault_is_not_believed_by_a_later_run(tmp_path: Path) -> None:
    with Dataset(tmp_path) as dataset:
        dataset.add(CAT, pictures(2))
        one, two = dataset.claim(CAT, 2, 9)
        dataset.settle([], [Refused(one.id, Reason.TIMEOUT), Refused(two.id, Reason.NOT_FOUND)])
    with Dataset(tmp_path) as dataset:
        dataset.add(CAT_NAVER, pictures(2))
        assert [claim.address for claim in dataset.claim(CAT_NAVER, 9, 9)] == ["https://x.example/0.jpg"]


def test_address_that_is_being_fetched_waits_and_keeps_its_place(dataset: Dataset) -> None:
    dataset.add(CAT, pictures(1))
    dataset.add(CAT_NAVER, pictures(4))
    (held,) = dataset.claim(CAT, 1, 9)
    assert [claim.address[-5:] for claim in dataset.claim(CAT_NAVER, 9, 3)] == ["1.jpg", "2.jpg"]
    assert dataset.claim(CAT_NAVER, 9, 3) == []
    dataset.settle([], [Refused(held.id, Reason.TRUNCATED)])
    assert [claim.address[-5:] for claim in dataset.claim(CAT_NAVER, 9, 3)] == ["3.jpg"]


def test_hostile_findings_are_stored_harmlessly(dataset: Dataset) -> None:
    found = [
        Found("https://x.example/\ud800", title="\udfff" + "x" * 10**6, author="a\0b", width=2**70, height=-1),
        Found("data:image/png;base64," + "A" * 10**6),
        Found(""),
        Found("'); DROP TABLE addresses; --"),
    ]
    assert dataset.add(CAT, found) == 3
    assert dataset.add(CAT, found) == 0
    addresses = [claim.address for claim in dataset.claim(CAT, 9, 9)]
    assert addresses == ["https://x.example/?", found[1].address, found[3].address]
    dataset.settle([], [Refused(1, Reason.BAD_ADDRESS, "\ud800" + "x" * 10**6)])
    (row,) = dataset.refusals()
    assert (len(row.title), row.author, len(row.detail)) == (2000, "ab", 500)


def test_labels_that_differ_in_case_have_folders_of_their_own(dataset: Dataset) -> None:
    folders = [dataset.folder_of(label) for label in ("Cat", "cat", "CAT", "Cat", "e\u0301", "é")]
    assert folders[0] == folders[3] == "Cat"
    assert len({folder.casefold() for folder in folders}) == 5
    with Dataset(dataset.root) as other:
        assert other.folder_of("cat") == folders[1]


def test_searches_tell_how_they_ended(dataset: Dataset) -> None:
    assert dataset.begin_search(CAT)
    assert dataset.begin_search(CAT)  # once more by the same process
    with Dataset(dataset.root) as other:
        assert not other.begin_search(CAT)
        other.end_search(CAT, SearchState.EMPTY)  # not its search
        assert dataset.searches() == []
        dataset.end_search(CAT, SearchState.BLOCKED, "the page asks \ud800", exhausted=True)
        assert other.begin_search(CAT)
        other.end_search(CAT, SearchState.OK)
    assert dataset.searches() == [SearchRecord(CAT, SearchState.OK, "", False)]
    dataset.add(DOG, [])
    assert dataset.jobs() == [CAT, DOG]


def test_refusals_can_be_opened_again_by_reason(dataset: Dataset) -> None:
    dataset.add(CAT, pictures(3))
    one, two, three = dataset.claim(CAT, 3, 9)
    dataset.settle([], [Refused(one.id, Reason.TIMEOUT, "60 s"), Refused(two.id, Reason.NOT_FOUND)])
    settled(dataset, [three])
    assert dataset.reopen([Reason.TIMEOUT], [DOG]) == 0
    assert dataset.reopen([Reason.TIMEOUT, Reason.TOO_LARGE], dataset.jobs()) == 1
    assert dataset.reopen([], dataset.jobs()) == 0
    assert dataset.counts()[CAT] == JobCounts(3, 1, {Reason.NOT_FOUND: 1}, 1, 0)
    assert dataset.claim(CAT, 9, 9) == [one]


def test_dismissed_addresses_are_refusals_until_more_is_wanted(dataset: Dataset) -> None:
    dataset.add(CAT, pictures(5))
    assert dataset.dismiss(CAT, 2) == 0  # nothing is kept yet
    settled(dataset, dataset.claim(CAT, 2, 2))
    dataset.add(CAT_NAVER, pictures(5))
    assert dataset.dismiss(CAT, 2) == 3
    assert dataset.counts()[CAT] == JobCounts(5, 2, {Reason.NOT_NEEDED: 3}, 0, 0)
    assert dataset.claim(CAT, 9, 2) == []
    assert [claim.address[-5:] for claim in dataset.claim(CAT, 1, 3)] == ["2.jpg"]
    assert [claim.address[-5:] for claim in dataset.claim(CAT_NAVER, 9, 9)] == ["3.jpg", "4.jpg"]
