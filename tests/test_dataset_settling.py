"""Pictures taken in: their files and names, copies, lost claims, faults of the disk, and what is told about them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from curation.dataset import Dataset, Outside
from curation.records import Found, Job, JobCounts, Kept, Reason, Refused
from handwriter_models.errors import UserError
from tests.dataset_cases import CAT, CAT_NAVER, DOG, kept, pictures, settled


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[Dataset]:
    with Dataset(tmp_path / "data") as dataset:
        yield dataset


def test_pictures_are_named_by_engine_and_number_and_lie_in_their_label(dataset: Dataset) -> None:
    dataset.add(CAT, pictures(3))
    dataset.add(CAT_NAVER, pictures(1, "other.example"))
    dataset.add(Job("../../x", "x", "google"), pictures(1, "third.example"))
    claims = [claim for job in dataset.jobs() for claim in dataset.claim(job, 9, 9)]
    answers = dataset.settle(
        [kept(dataset, claim) for claim in claims if claim.id != 2], [Refused(2, Reason.TOO_SMALL)]
    )
    folder = dataset.folder_of("../../x")
    assert list(answers.values()) == [
        "images/고양이/google_0001.jpg",
        "images/고양이/google_0003.jpg",
        "images/고양이/naver_0001.jpg",
        f"images/{folder}/google_0001.jpg",
    ]
    assert all((dataset.root / path).read_bytes() == claims[0].address.encode() for path in list(answers.values())[:1])
    assert list(dataset.incoming.iterdir()) == []
    assert dataset.unaccounted() == dataset.missing() == []
    assert {path.name for path in dataset.root.parent.iterdir()} == {"data"}


def test_same_bytes_are_kept_once_and_the_copy_points_to_the_picture(dataset: Dataset) -> None:
    dataset.add(CAT, pictures(4))
    dataset.add(DOG, pictures(1, "dogs.example"))
    first, second, third, fourth = dataset.claim(CAT, 4, 9)
    (dog,) = dataset.claim(DOG, 1, 9)
    answers = dataset.settle([kept(dataset, second, b"same"), kept(dataset, first, b"same")], [])
    assert answers == {first.id: "images/고양이/google_0001.jpg", second.id: "duplicate"}
    assert dataset.settle([kept(dataset, dog, b"same")], []) == {dog.id: "duplicate"}
    assert dataset.settle([kept(dataset, third, b"converted", b"original")], [])[third.id].endswith("0003.jpg")
    assert dataset.settle([kept(dataset, fourth, b"converted anew", b"original")], []) == {fourth.id: "duplicate"}
    refusals = [(row.label, row.reason, row.detail, row.duplicate_of) for row in dataset.refusals()]
    assert refusals == [
        ("고양이", "duplicate", "", "images/고양이/google_0001.jpg"),
        ("고양이", "duplicate", "", "images/고양이/google_0003.jpg"),
        ("dog", "duplicate", "kept under '고양이'", "images/고양이/google_0001.jpg"),
    ]
    assert dataset.unaccounted() == []


def test_lost_or_foreign_claims_are_not_settled(dataset: Dataset) -> None:
    dataset.add(CAT, pictures(2))
    lost, held = dataset.claim(CAT, 2, 9)
    dataset.release([lost.id])
    late = kept(dataset, lost)
    assert dataset.settle([late], [Refused(999, Reason.TIMEOUT)]) == {}
    with Dataset(dataset.root) as other:
        assert other.settle([kept(other, held)], [Refused(held.id, Reason.TIMEOUT)]) == {}
        assert list(other.incoming.iterdir()) == []
    assert dataset.counts()[CAT] == JobCounts(2, 0, {}, 1, 1)
    assert list(dataset.incoming.iterdir()) == []
    settled(dataset, [held])
    assert settled(dataset, [held]) == []  # once only
    assert dataset.counts()[CAT].kept == 1


def test_file_that_somebody_put_there_is_never_written_over(dataset: Dataset) -> None:
    theirs = dataset.root / "images" / "고양이" / "google_0001.jpg"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"theirs")
    dataset.add(CAT, pictures(1))
    assert settled(dataset, dataset.claim(CAT, 1, 1)) == ["images/고양이/google_0001-2.jpg"]
    assert theirs.read_bytes() == b"theirs"


def test_picture_whose_move_failed_is_moved_at_the_next_opening(tmp_path: Path) -> None:
    def full(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    dataset = Dataset(tmp_path, outside=Outside(rename=full))
    dataset.add(CAT, pictures(1))
    claims = dataset.claim(CAT, 1, 1)
    with pytest.raises(UserError, match="No space left"):
        settled(dataset, claims)
    assert dataset.unaccounted() == []  # it waits, and a row knows it
    with pytest.raises(UserError, match="No space left"):
        dataset.close()
    theirs = tmp_path / "images" / "고양이" / "google_0001.jpg"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"somebody was quicker")
    with Dataset(tmp_path) as again:
        (row,) = again.images()
        assert (tmp_path / row.path).read_bytes() == b"https://x.example/0.jpg"
        assert again.unaccounted() == [theirs]
        assert again.counts() == {CAT: JobCounts(1, 1, {}, 0, 0)}


def test_names_that_would_leave_the_folder_are_faults(dataset: Dataset) -> None:
    for job in (Job("a", "a", "../x"), Job("a", "a", ""), Job("", "a", "google"), Job("\ud800", "a", "google")):
        with pytest.raises(UserError, match="cannot be"):
            dataset.add(job, pictures(1))
    dataset.add(CAT, pictures(1))
    (claim,) = dataset.claim(CAT, 1, 1)
    for file, extension in (("../a.jpg", "jpg"), ("a.jpg", "../x"), ("a.jpg", "")):
        with pytest.raises(ValueError, match="cannot be taken in"):
            dataset.settle([Kept(claim.id, file, "", "", extension, 1, 1, 1)], [])


def test_sources_tell_all_that_is_known_of_a_picture(dataset: Dataset) -> None:
    found = Found(
        "https://x.example/a.jpg",
        "https://x.example/",
        "제목",
        "누구",
        "CC BY 4.0",
        "https://cc.example",
        800,
        600,
        True,
    )
    dataset.add(DOG, [found])
    (claim,) = dataset.claim(DOG, 1, 1)
    assert claim.thumbnail
    settled(dataset, [claim])
    (source,) = dataset.sources()
    assert (source.label, source.keyword, source.engine, source.rank, source.path) == (
        "dog",
        "puppy",
        "google",
        1,
        "images/dog/google_0001.jpg",
    )
    assert (source.address, source.page, source.title, source.author) == (found.address, found.page, "제목", "누구")
    assert (source.licence, source.licence_address, source.thumbnail) == ("CC BY 4.0", "https://cc.example", 1)
    (image,) = dataset.images()
    assert (image.label, image.path, image.width, image.height) == ("dog", source.path, 20, 10)
    assert image.sha256 == source.sha256 == sha256((dataset.root / image.path).read_bytes()).hexdigest()
    (dataset.root / image.path).unlink()
    assert dataset.missing() == [image.path]


def test_rows_may_be_read_while_others_are_written(dataset: Dataset) -> None:
    dataset.add(CAT, pictures(50))
    settled(dataset, dataset.claim(CAT, 30, 99))
    rows = dataset.images()
    next(rows)
    settled(dataset, dataset.claim(CAT, 20, 99))
    assert len(list(rows)) == 29  # as it stood
    assert len(list(dataset.images())) == 50


def test_threads_share_one_dataset(dataset: Dataset) -> None:
    dataset.add(CAT, pictures(400))
    claimed: list[int] = []
    faults: list[BaseException] = []

    def work() -> None:
        try:
            while claims := dataset.claim(CAT, 7, 300):
                claimed.extend(claim.id for claim in claims)
                dataset.settle(
                    [kept(dataset, claim) for claim in claims[1:]], [Refused(claims[0].id, Reason.NOT_FOUND)]
                )
                dataset.counts()
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(claimed) == len(set(claimed))
    counts = dataset.counts()[CAT]
    assert counts.kept == len(list(dataset.images())) <= 300
    assert counts.kept + sum(counts.refused.values()) == len(claimed)
    assert dataset.unaccounted() == dataset.missing() == []
