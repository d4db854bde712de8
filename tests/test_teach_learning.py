"""What is learned from few pictures, and that the estimate cannot be fooled by bursts and copies."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from demo.teach.eyes import Eye, ink_eye
from demo.teach.judgement import told, warnings
from demo.teach.learning import Estimate, Lesson, OutdatedError, answer, estimate, learned
from demo.teach.samples import Sample, groups_of, read_samples
from demo.teach.sessions import Sessions, TeachLimits
from demo.tidying import repeated
from handwriter_models.errors import UserError
from handwriter_models.images import Limits
from tests.teach_client import drawings

SIZE = 24  # of made-up vectors


def sample(vector: np.ndarray, mark: int, burst: str = "") -> Sample:
    """A made-up picture: its vector, and a mark that is like no other one's."""
    prints = np.array([mark * 0x9E3779B97F4A7C15 % 2**64], np.uint64)
    return Sample(b"picture", f"{mark:x}", f"{mark:x}", vector[None].astype(np.float32), prints, burst)


def lesson_of(rows: list[tuple[int, Sample]]) -> Lesson:
    labels = np.array([label for label, _ in rows], np.int64)
    return Lesson(7, tuple(f"c{n}" for n in range(labels.max() + 1)), labels, tuple(one for _, one in rows))


def clusters(count: int, classes: int = 2, apart: float = 3.0, seed: int = 0) -> list[tuple[int, Sample]]:
    """Pictures of classes that differ, each of its own."""
    random = np.random.default_rng(seed)
    middles = random.normal(0, apart, (classes, SIZE))
    rows = [(label, middles[label] + random.normal(0, 1, SIZE)) for label in range(classes) for _ in range(count)]
    return [(label, sample(vector, number + 1)) for number, (label, vector) in enumerate(rows)]


def film(burst: str, first: int, seed: int) -> list[Sample]:
    """Ten frames of one burst: one vector that hardly moves."""
    random = np.random.default_rng(seed)
    scene = random.normal(0, 3, SIZE)
    return [sample(scene + random.normal(0, 0.1, SIZE), first + number, burst) for number in range(10)]


def accuracy(found: Estimate | None) -> float:
    assert found
    return float((found.probabilities.argmax(axis=1) == found.labels).mean())


def test_bursts_that_say_nothing_about_their_class_are_estimated_at_chance() -> None:
    """Every scene is another one: who has seen its burst knows the class, who has not can only guess."""
    films = [(number % 2, film(f"burst {number}", 1000 * number + 1, number)) for number in range(24)]
    honest = lesson_of([(label, one) for label, frames in films for one in frames])
    loose = [(label, sample(one.vectors[0], int(one.sha256, 16))) for label, frames in films for one in frames]
    assert accuracy(estimate(lesson_of(loose))) > 0.95, "the same frames as pictures of their own"
    assert accuracy(estimate(honest)) < 0.75


def test_single_burst_of_a_class_is_told_and_other_classes_are_not_blamed() -> None:
    rows = [*clusters(8), *((2, one) for one in film("only", 500, 3))]
    found = estimate(lesson_of(rows))
    assert found
    assert found.single == ("c2",)
    codes = {warning["code"]: warning["classes"] for warning in warnings({"c0": 8, "c1": 8, "c2": 10}, found)}
    assert codes == {"single": ["c2"]}
    assert told(found)["single"] == ["c2"]


def test_interval_counts_bursts_not_frames() -> None:
    frames = [
        (label, one) for label in (0, 1) for n in range(3) for one in film(f"{label} {n}", 100 * n + 1000 * label, 1)
    ]
    few, many = estimate(lesson_of(frames)), estimate(lesson_of(clusters(30)))
    assert few
    assert many
    assert (told(few)["of"], told(few)["groups"], told(many)["groups"]) == (60, 6, 60)
    assert told(few)["interval"][0] < told(many)["interval"][0]


def test_groups_are_never_divided_and_every_picture_is_answered_once() -> None:
    rows = [
        (label, one) for label in (0, 1) for n in range(9) for one in film(f"{label} {n}", 50 * n + 3000 * label, n)
    ]
    found = estimate(lesson_of(rows))
    assert found
    assert (len(found.labels), found.folds) == (180, 5)
    assert np.allclose(found.probabilities.sum(axis=1), 1)


def test_few_groups_are_left_out_one_at_a_time_and_one_picture_is_not_tested() -> None:
    found = estimate(lesson_of([*clusters(3), (2, sample(np.full(SIZE, 9.0), 999))]))
    assert found
    assert (found.folds, len(found.labels), found.labels.max()) == (6, 6, 1)
    assert estimate(lesson_of(clusters(1))) is None


def test_outdated_estimate_is_broken_off() -> None:
    with pytest.raises(OutdatedError):
        estimate(lesson_of(clusters(4)), lambda: True)


def test_same_pictures_give_the_same_head_and_the_rare_class_is_not_drowned() -> None:
    rows = [*clusters(40, seed=1)[:40], *clusters(40, seed=1)[40:43]]
    one, two = learned(lesson_of(rows)), learned(lesson_of(rows))
    assert all((one.state_dict()[name] == two.state_dict()[name]).all() for name in one.state_dict())
    rare = clusters(40, seed=1)[60][1].vectors
    assert np.argmax(answer(one, None, rare)[0]) == 1


def test_what_is_far_from_sure_is_neither() -> None:
    rows = clusters(20)
    lesson = lesson_of(rows)
    head, found = learned(lesson), estimate(lesson)
    between = (rows[0][1].vectors + rows[-1][1].vectors) / 2
    assert answer(head, found, rows[0][1].vectors)[1] is False
    assert answer(head, found, between)[1] is True
    assert answer(head, None, between)[1] is False


def test_warnings_name_what_to_mend() -> None:
    assert [one["code"] for one in warnings({}, None)] == ["few_classes"]
    said = warnings({"a": 0, "b": 3, "c": 6, "d": 40}, None)
    assert said == [
        {"code": "empty", "classes": ["a"]},
        {"code": "few", "classes": ["b"]},
        {"code": "uneven", "classes": ["c"]},
    ]
    random = np.random.default_rng(0)
    twins = [(n % 2, sample(random.normal(0, 1, SIZE), n + 1)) for n in range(40)]
    confused = [one for one in warnings({"c0": 20, "c1": 20}, estimate(lesson_of(twins))) if one["code"] == "confused"]
    assert confused
    assert confused[0]["count"] / confused[0]["of"] >= 0.2


@pytest.fixture(scope="module")
def eye() -> Eye:
    return ink_eye()


def test_the_same_drawing_in_another_file_is_a_near_copy_and_another_drawing_is_not(eye: Eye) -> None:
    from PIL import Image

    from handwriter_models.images import read_picture
    from tests.characters import encoded

    first, second = drawings("7", 2)
    moved = Image.new("RGB", (300, 300), "white")
    moved.paste(read_picture(first), (90, 60))
    read = read_samples(eye, [first, encoded(moved, "JPEG", quality=95), second], "", Limits())
    groups = groups_of([one for one in read if isinstance(one, Sample)]).tolist()
    assert groups[0] == groups[1] != groups[2]


def test_stored_picture_has_the_vector_that_was_learned(eye: Eye) -> None:
    (one,) = read_samples(eye, drawings("3", 1), "", Limits())
    assert isinstance(one, Sample)
    (again,) = read_samples(eye, [one.picture], "", Limits())
    assert isinstance(again, Sample)
    assert again.sha256 == one.sha256
    assert np.array_equal(again.vectors, one.vectors)
    assert one.vectors.shape == (5, 224)


def test_sessions_are_bounded_the_idle_ones_end_and_names_cannot_be_guessed(eye: Eye) -> None:
    now = [0.0]
    sessions = Sessions(TeachLimits(sessions=2, idle=100), lambda: now[0])
    first, second = sessions.open(eye)[0], sessions.open(eye)[0]
    sessions.get(first)
    third = sessions.open(eye)[0]  # the second was idle longest
    with pytest.raises(UserError, match="no such session"):
        sessions.get(second)
    now[0] = 90
    sessions.get(first)
    now[0] = 150
    sessions.get(first)
    with pytest.raises(UserError, match="no such session"):
        sessions.get(third)
    assert len({first, second, third}) == 3
    assert min(map(len, (first, second, third))) >= 32


def test_idle_sessions_end_although_nobody_comes(eye: Eye) -> None:
    now = [0.0]
    sessions = Sessions(TeachLimits(idle=60), lambda: now[0])

    async def waited() -> None:
        async with repeated(sessions.sweep, 0.01):
            now[0] = 61
            while sessions.count:
                await asyncio.sleep(0.01)

    sessions.open(eye)
    assert sessions.count == 1
    asyncio.run(asyncio.wait_for(waited(), 10))


def test_pictures_of_a_session_and_of_all_are_bounded(eye: Eye) -> None:
    pictures = [one for one in read_samples(eye, drawings("7", 3), "", Limits()) if isinstance(one, Sample)]
    sessions = Sessions(TeachLimits(samples=2, all_bytes=pictures[0].bytes * 3))
    (old, first), (_, second) = sessions.open(eye), sessions.open(eye)
    for session in (first, second):
        one = session.add_class("a")
        for picture in pictures[:2]:
            session.add_sample(one, picture)
    with pytest.raises(UserError, match="2 pictures already"):
        second.add_sample(second.get("c1"), pictures[2])
    sessions.make_room(second)
    assert second.count == 2
    with pytest.raises(UserError, match="no such session"):
        sessions.get(old)
    second.remove_sample("s2")
    assert second.bytes == pictures[1].bytes


def test_visitors_who_only_look_push_nobody_out_who_teaches(eye: Eye) -> None:
    sessions = Sessions(TeachLimits(sessions=3))
    teaching, session = sessions.open(eye)
    (picture,) = read_samples(eye, drawings("7", 1), "", Limits())
    assert isinstance(picture, Sample)
    session.add_sample(session.add_class("a"), picture)
    for _ in range(10):
        sessions.open(eye)
    assert sessions.get(teaching) is session
