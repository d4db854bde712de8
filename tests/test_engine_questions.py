"""What engines are asked: any keyword survives, filters become the engine's own words, unknown ones are refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from crawler import filters
from crawler.engines import ENGINES, engine
from handwriter_models.errors import UserError

WORDS = {"google": "q", "naver": "query", "bing": "q", "duckduckgo": "q", "openverse": "q", "commons": "gsrsearch"}
KEYWORDS = [
    "고양이",
    "🐈\u200d⬛",
    "C++ & R#",
    "\"a\" 'b'",
    "../../x?y=1#z",
    "100% ; rm -rf",
    "긴 " * 150,
    "\t",
    "\x00",
]


def question(name: str, keyword: str, page: int = 0, **chosen: str) -> dict[str, str]:
    """The parameters of the address, decoded."""
    parts = urlsplit(engine(name).address(keyword, chosen, page))
    return {key: value for key, (value,) in parse_qs(parts.query, strict_parsing=True).items()}


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("keyword", KEYWORDS, ids=ascii)
def test_any_keyword_stands_in_the_question_as_it_is(name: str, keyword: str) -> None:
    address = engine(name).address(keyword, {})
    assert address.startswith("/")
    assert address.isascii()
    assert " " not in address
    assert "#" not in address
    asked = question(name, keyword)[WORDS[name]]
    assert asked == (f"filetype:bitmap {keyword}" if name == "commons" else keyword)


@pytest.mark.parametrize("name", ENGINES)
def test_half_a_character_does_no_harm(name: str) -> None:
    assert engine(name).address("cat \ud83d", {}).isascii()


@pytest.mark.parametrize("name", ENGINES)
def test_every_filter_an_engine_has_changes_its_question_and_no_two_are_alike(name: str) -> None:
    plain = engine(name).address("cat", {})
    for key, values in engine(name).filters.items():
        assert set(values) <= set(filters.WORDS[key])
        asked = [engine(name).address("cat", {key: value}) for value in values]
        if (name, key) not in {
            ("commons", "licence"),
            ("naver", "licence"),
        }:  # one question serves several values there
            assert len({plain, *asked}) == len(values) + 1
        assert asked[-1] != plain


@pytest.mark.parametrize("name", ENGINES)
def test_filters_an_engine_lacks_are_left_out(name: str) -> None:
    every = {key: value for key, values in filters.WORDS.items() for value in values[-1:]}
    has = {key: value for key, value in every.items() if value in engine(name).filters.get(key, ())}
    assert engine(name).address("cat", every) == engine(name).address("cat", has)
    assert engine(name).address("cat", {"size": "huge", "mood": "good"}) == engine(name).address("cat", {})


@pytest.mark.parametrize(
    ("name", "chosen", "parameter", "value"),
    [
        ("google", {"size": "large", "type": "face", "age": "week"}, "tbs", "isz:l,itp:face,qdr:w"),
        ("google", {"colour": "transparent", "licence": "any-cc"}, "tbs", "ic:trans,il:cl"),
        ("naver", {"type": "face"}, "face", "1"),
        ("naver", {"age": "month"}, "nso", "so:r,a:all,p:1m"),
        ("naver", {"licence": "commercial"}, "ccl", "2"),
        ("bing", {"size": "medium", "colour": "gray"}, "qft", "+filterui:imagesize-medium+filterui:color2-bw"),
        ("bing", {"licence": "public-domain"}, "qft", "+filterui:license-L1"),
        ("duckduckgo", {"type": "photo", "age": "day"}, "iaf", "type:photo,time:Day"),
        ("openverse", {"licence": "commercial"}, "license_type", "commercial"),
        ("openverse", {"licence": "public-domain"}, "license", "cc0,pdm"),
        ("openverse", {"type": "photo"}, "category", "photograph"),
        ("commons", {"size": "large"}, "gsrsearch", "filetype:bitmap fileres:>1000 cat"),
        ("commons", {"licence": "public-domain"}, "gsrsearch", "filetype:bitmap haslicense:unrestricted cat"),
    ],
)
def test_filters_are_put_in_the_engines_own_words(
    name: str, chosen: dict[str, str], parameter: str, value: str
) -> None:
    assert question(name, "cat", **chosen)[parameter] == value


@pytest.mark.parametrize(
    ("name", "chosen", "parameter", "value"),
    [
        ("google", {"since": "2024-02-03"}, "tbs", "cdr:1,cd_min:2/3/2024"),
        ("google", {"until": "2024-12-31"}, "tbs", "cdr:1,cd_max:12/31/2024"),
        (
            "google",
            {"size": "large", "since": "2023-01-09", "until": "2024-10-01"},
            "tbs",
            "isz:l,cdr:1,cd_min:1/9/2023,cd_max:10/1/2024",
        ),
        ("naver", {"since": "2023-01-09", "until": "2024-10-01"}, "nso", "so:r,a:all,p:from20230109to20241001"),
        ("naver", {"until": "2024-10-01"}, "nso", "so:r,a:all,p:from19900101to20241001"),
        ("naver", {"since": "2023-01-09"}, "nso", f"so:r,a:all,p:from20230109to{date.today():%Y%m%d}"),
        (
            "commons",
            {"since": "2023-01-09", "until": "2024-10-01"},
            "gsrsearch",
            "filetype:bitmap creationdate:>=2023-01-09 creationdate:<=2024-10-01 cat",
        ),
    ],
)
def test_dates_are_put_in_the_engines_own_words(name: str, chosen: dict[str, str], parameter: str, value: str) -> None:
    assert engine(name).dated
    assert question(name, "cat", **chosen)[parameter] == value


@pytest.mark.parametrize("name", ["bing", "duckduckgo", "openverse"])
def test_dates_an_engine_cannot_be_asked_for_are_left_out(name: str) -> None:
    assert not engine(name).dated
    dates = {"since": "2023-01-09", "until": "2024-10-01"}
    assert engine(name).address("cat", dates) == engine(name).address("cat", {})


TODAY = date(2026, 2, 28)


@pytest.mark.parametrize(
    ("since", "until", "meant"),
    [
        ("", "", {}),
        ("2024-02-29", "", {"since": "2024-02-29"}),
        ("", "2026-02-28", {"until": "2026-02-28"}),
        (" 2024-01-01 ", "2024-01-01", {"since": "2024-01-01", "until": "2024-01-01"}),
    ],
)
def test_dates_are_read(since: str, until: str, meant: dict[str, str]) -> None:
    assert filters.dates(since, until, TODAY) == meant


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [
        ("2024-13-01", "", "--since '2024-13-01' is month must be in 1..12"),
        ("2023-02-29", "", "--since '2023-02-29'"),
        ("", "20240101", "--until '20240101' is no date"),
        ("2024-W01-1", "", "no date"),
        ("1/2/2024", "", "no date"),
        ("２０２４-01-01", "", "no date"),
        ("yesterday", "", "no date"),
        ("2026-03-01", "", "--since 2026-03-01 is in the future"),
        ("", "2030-01-01", "--until 2030-01-01 is in the future"),
        ("2024-02-02", "2024-02-01", "--since 2024-02-02 is later than --until 2024-02-01"),
    ],
)
def test_dates_that_cannot_be_meant_are_refused(since: str, until: str, said: str) -> None:
    with pytest.raises(UserError) as refused:
        filters.dates(since, until, TODAY)
    assert said in refused.value.what
    assert refused.value.hint


@pytest.mark.parametrize(
    ("name", "parameter", "numbers"),
    [
        ("naver", "start", ["", "51", "101"]),
        ("openverse", "page", ["1", "2", "3"]),
        ("commons", "gsroffset", ["", "50", "100"]),
    ],
)
def test_pages_follow_one_another_without_a_gap(name: str, parameter: str, numbers: list[str]) -> None:
    assert [question(name, "cat", page).get(parameter, "") for page in range(3)] == numbers


@pytest.mark.parametrize(
    ("pairs", "meant"),
    [
        ([], {}),
        (["size=large", "type=face"], {"size": "large", "type": "face"}),
        (["color=grey"], {"colour": "gray"}),
        (["colour=colour"], {"colour": "color"}),
        ([" License = Any-CC "], {"licence": "any-cc"}),
        (["size=large", "size=large"], {"size": "large"}),
    ],
)
def test_filters_are_read_in_both_spellings(pairs: list[str], meant: dict[str, str]) -> None:
    assert filters.read(pairs) == meant


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (["size"], "size"),
        (["=large"], "=large"),
        (["size=huge"], "huge"),
        (["mood=good"], "mood"),
        (["size=large", "size=small"], "twice"),
        (["size=large=small"], "large=small"),
    ],
)
def test_unknown_filters_are_refused_with_what_there_is(pairs: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said) as refused:
        filters.read(pairs)
    assert refused.value.hint


def test_unknown_engine_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UserError, match="altavista") as refused:
        engine("altavista")
    assert "google" in refused.value.hint


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_is_what_its_name_says(name: str) -> None:
    made = engine(name)
    assert made.name == name
    assert made is engine(name)
    assert urlsplit(made.home).scheme == "https"
    assert urlsplit(made.home).path == ""


def test_manual_names_the_filters_that_there_are() -> None:
    text = (Path(__file__).parent.parent / "docs" / "crawler.md").read_text("utf-8").partition("\n## Filters\n")[2]
    lines = [
        [cell.strip().strip("`") for cell in line.split("|")[1:-1]] for line in text.splitlines() if line[:1] == "|"
    ]
    names, _, *table = lines[: 2 + len(filters.WORDS)]
    told = {
        name: {key: tuple(cell.split(", ")) for key, *cells in table if (cell := cells[place])}
        for place, name in enumerate(names[1:])
    }
    assert told == {name: dict(engine(name).filters) for name in ENGINES}
