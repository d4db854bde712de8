"""The summary of a crawl says what is true, to people and to programs."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from crawler.order import GENERIC
from crawler.progress import Display
from crawler.report import Report, as_json, print_report
from curation.records import Job, JobCounts, Reason, SearchRecord, SearchState

CAT, DOG = (Job(label, label, "google") for label in ("고양이", "dog"))
CAT2, DOG2 = (Job(label, label, "naver") for label in ("고양이", "dog"))


def counts(kept: int, pending: int = 0, **refused: int) -> JobCounts:
    reasons = {Reason(name.replace("_", "-")): count for name, count in refused.items()}
    return JobCounts(kept + pending + sum(refused.values()), kept, reasons, pending, 0)


def report() -> Report:
    jobs = (CAT, CAT2, DOG, DOG2)
    numbers = {
        CAT: counts(40, not_found=3),
        CAT2: counts(20, duplicate=5),
        DOG: counts(10, not_found=1),
        DOG2: counts(0),
    }
    state = {CAT: SearchState.OK, CAT2: SearchState.OK, DOG: SearchState.OK, DOG2: SearchState.BLOCKED}
    searches = {job: SearchRecord(job, state[job], "a captcha" if job is DOG2 else "") for job in jobs}
    return Report(Path("data/pets"), jobs, numbers, searches, 12.0)


def printed(shown: Report, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_report(shown, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_json_has_the_shape_of_the_design() -> None:
    document = as_json(report())
    assert document["dataset"] == "data/pets"
    assert (document["kept"], document["refused"], document["seconds"]) == (70, 9, 12.0)
    assert document["keywords"]["고양이"] == {
        "kept": 60,
        "refused": {"duplicate": 5, "not-found": 3},
        "engines": {
            "google": {"found": 43, "kept": 40, "state": "ok"},
            "naver": {"found": 25, "kept": 20, "state": "ok"},
        },
    }
    assert document["keywords"]["dog"]["engines"]["naver"] == {
        "found": 0,
        "kept": 0,
        "state": "blocked",
        "detail": "a captcha",
    }


def test_thumbnails_are_counted_and_warned_of_and_are_no_fault() -> None:
    whole = report()
    small = Report(whole.dataset, (CAT, CAT2), whole.counts, whole.searches, 1.0, thumbnails={CAT: 7, DOG: 9})
    document = as_json(small)
    assert document["thumbnails"] == 7
    engines = document["keywords"]["고양이"]["engines"]
    assert engines["google"] == {"found": 43, "kept": 40, "state": "ok", "thumbnails": 7}
    assert "thumbnails" not in engines["naver"]
    assert small.exit_code() == 0
    assert "warning: 7 pictures are thumbnails, for which google gave no full-size address (고양이)" in printed(small)
    assert "thumbnail" not in printed(whole)
    assert as_json(whole)["thumbnails"] == 0


def test_generic_way_is_told_to_people_and_programs() -> None:
    detail = f"{GENERIC}, for the page has changed (0 tiles); see google.html"
    asked = Report(Path("d"), (CAT,), {CAT: counts(9)}, {CAT: SearchRecord(CAT, SearchState.OK, detail)})
    assert asked.exit_code() == 0
    assert as_json(asked)["keywords"]["고양이"]["engines"]["google"]["detail"] == detail
    assert "google has changed and was read in the generic way (고양이)" in printed(asked)


def test_engine_that_gave_nothing_makes_the_exit_code_3() -> None:
    whole = report()
    assert whole.exit_code() == 3
    assert Report(whole.dataset, (CAT, CAT2, DOG), whole.counts, whole.searches).exit_code() == 0


def test_engine_that_said_ok_but_left_nothing_to_keep_is_not_done() -> None:
    searches = {DOG: SearchRecord(DOG, SearchState.OK)}
    assert Report(Path("d"), (DOG,), {DOG: counts(0, not_found=9)}, searches).exit_code() == 3


def test_search_that_was_never_made_is_not_done_and_has_no_state() -> None:
    asked = Report(Path("d"), (CAT,), {}, {})
    assert asked.exit_code() == 3
    assert as_json(asked)["keywords"]["고양이"]["engines"]["google"]["state"] is None


def test_one_label_with_several_words_has_the_worst_state() -> None:
    other = Job("dog", "puppy", "google")
    searches = {DOG: SearchRecord(DOG, SearchState.OK), other: SearchRecord(other, SearchState.CHANGED, "no tiles")}
    entry = as_json(Report(Path("d"), (DOG, other), {DOG: counts(3), other: counts(0)}, searches))["keywords"]["dog"]
    assert entry["engines"]["google"] == {"found": 3, "kept": 3, "state": "changed", "detail": "no tiles"}


def test_people_see_bars_a_line_an_engine_and_short_classes() -> None:
    text = printed(report())
    lines = text.splitlines()
    cat, dog = (next(line for line in lines if line.startswith(label)) for label in ("고양이", "dog"))
    assert cat.count("█") == 30
    assert dog.count("█") == 5
    assert any(line.split()[:4] == ["google", "54", "50", "4"] for line in lines), text
    assert "blocked 1 of 2: a captcha" in text
    assert "1 class is short of pictures: dog (10)" in text
    assert lines[-1] == "data/pets: 70 pictures in 2 classes (12.0 s)"


def test_markup_in_a_keyword_is_shown_as_it_is() -> None:
    job = Job("[red]x[/red] [/]", "x", "google")
    assert "[red]x[/red] [/]" in printed(Report(Path("d"), (job,), {job: counts(3)}, {}))


def test_narrow_terminal_loses_no_number() -> None:
    assert "70 pictures" in printed(report(), width=40)


def plain_display(limit: int = 10) -> tuple[Display, io.StringIO]:
    said = io.StringIO()
    return Display(Console(file=said, width=100), (CAT, DOG), limit), said


def test_display_is_quiet_and_plain_where_there_is_no_terminal() -> None:
    display, said = plain_display()
    with display:
        display.state(CAT, "searching")
        display.update({CAT: counts(7, pending=2, timeout=1)}, set())
        display.state(CAT, "ok", ended=True)
    assert said.getvalue() == "고양이 · google: ok, found 10, kept 7, refused 1\n"


def test_display_on_a_terminal_shows_every_job_and_a_bar() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100, height=30)
    with Display(console, (CAT, DOG), 10) as display:
        display.state(DOG, "downloading")
        display.update({CAT: counts(10), DOG: counts(5, pending=5)}, {CAT})
    text = screen.getvalue()
    for word in ("고양이", "dog", "downloading", "15 pictures", "75%"):
        assert word in text, text


def test_more_jobs_than_lines_shows_those_at_work(tmp_path: Path) -> None:
    jobs = tuple(Job(f"class {number}", "x", "google") for number in range(500))
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100, height=20)
    with Display(console, jobs, 10) as display:
        display.state(jobs[400], "searching")
    text = screen.getvalue()
    assert "class 400" in text
    assert "and 487 more" in text
