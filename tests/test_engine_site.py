"""The imitated engines behave like engines: what is trusted, what comes by scrolling, what blocks."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from selenium.webdriver import ActionChains, Keys

from tests.browser import Browser, chromium
from tests.engine_site import EngineSite, Manner
from tests.picture_host import PictureHost

TILE = "[jsname=dTDiAc]"
FULL = "img[jsname=kn3ccd]"


@pytest.fixture(scope="module")
def host() -> Iterator[PictureHost]:
    with PictureHost() as host:
        yield host


@pytest.fixture(scope="module")
def site(host: PictureHost) -> Iterator[EngineSite]:
    with EngineSite(host) as site:
        yield site


@pytest.fixture(scope="module")
def shared_browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def browser(shared_browser: Browser, site: EngineSite) -> Browser:
    shared_browser.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    site.consents.clear()
    return shared_browser


def go(browser: Browser, site: EngineSite, path: str, query: str, rest: str = "") -> None:
    browser.driver.get(f"{site.home}{path}{quote(query)}{rest}")


def google(browser: Browser, site: EngineSite, query: str) -> None:
    go(browser, site, "/search?udm=2&hl=en&q=", query)


def count(browser: Browser, selector: str) -> int:
    return int(browser.run("return document.querySelectorAll(arguments[0]).length", selector))


def scroll_until(browser: Browser, selector: str, wanted: int) -> None:
    """Down by less than a window at a time, then from the top again: a busy machine passes over some."""

    def step() -> bool:
        browser.run(
            "const all = document.scrollingElement;"
            "if (all.scrollTop + innerHeight >= all.scrollHeight - 2 && performance.now() - (window.last ?? 0) > 1000)"
            " { window.last = performance.now(); scrollTo(0, 0); } else scrollBy(0, innerHeight * 0.8);"
        )
        return count(browser, selector) >= wanted

    browser.wait(step, f"{wanted} of {selector}")


def get(address: str, agent: str = "HandWriter-test/0 (https://example.org)") -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers={"User-Agent": agent})) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def test_pictures_of_a_query_exist_and_belong_to_it_alone(site: EngineSite) -> None:
    expected = {engine: site.expected(engine, "고양이 7 pictures") for engine in site.urls()}
    assert len({address for addresses in expected.values() for address in addresses}) == 7 * 6
    assert site.expected("bing", "../../x 3 pictures") != site.expected("bing", "x 3 pictures")
    addresses = expected.pop("google") + [addresses[0] for addresses in expected.values()]  # of every format
    bodies = set()
    for address in addresses:
        with urllib.request.urlopen(address) as answer:
            bodies.add(answer.read())
    assert len(bodies) == len(addresses)


def test_engines_share_pictures_only_when_asked_to(host: PictureHost) -> None:
    with EngineSite(host, Manner(shared=3)) as site:
        google, bing = (set(site.expected(engine, "cat 30 pictures")) for engine in ("google", "bing"))
        assert len(google & bing) == 10


def test_google_has_full_addresses_in_its_scripts_only_for_the_first_pictures(
    browser: Browser, site: EngineSite
) -> None:
    google(browser, site, "cat 110 pictures")
    expected = site.expected("google", "cat 110 pictures")
    assert count(browser, TILE) == 100
    scroll_until(browser, TILE, 110)
    source = browser.driver.page_source
    assert [address in source for address in expected] == [True] * 100 + [False] * 10
    google(browser, site, "cat 110 pictures scripts")
    scroll_until(browser, TILE, 110)
    source = browser.driver.page_source
    assert all(address in source for address in site.expected("google", "cat 110 pictures scripts"))


def test_google_class_names_are_new_on_every_page(browser: Browser, site: EngineSite) -> None:
    names = []
    for _ in range(2):
        google(browser, site, "cat")
        names.append(set(browser.run(f"return [...document.querySelectorAll('{TILE}')].map(t => t.className)")))
    assert names[0].isdisjoint(names[1])


def test_google_thumbnails_come_into_sight_lazily(browser: Browser, site: EngineSite) -> None:
    google(browser, site, "cat 100 pictures")
    browser.wait(lambda: count(browser, f'{TILE} img[src^="data:image/jpeg"]') == 20, "the first thumbnails")
    assert count(browser, f'{TILE} img[src^="https://encrypted"]') < 40
    scroll_until(browser, f'{TILE} img[src^="https://encrypted"]', 60)


def test_google_gives_a_link_on_a_real_hover_and_on_no_other(browser: Browser, site: EngineSite) -> None:
    google(browser, site, "cat hover")
    link = "return document.querySelectorAll(arguments[0])[4].querySelector('h3 a').getAttribute('href')"
    browser.run(
        f"document.querySelectorAll('{TILE}').forEach(t => ['mouseover', 'mouseenter', 'click'].forEach("
        "k => t.dispatchEvent(new MouseEvent(k, {bubbles: true}))))"
    )
    assert browser.run(link, TILE) is None
    assert site.expected("google", "cat hover")[0] not in browser.driver.page_source
    ActionChains(browser.driver).move_to_element(browser.driver.find_elements("css selector", TILE)[4]).perform()
    browser.wait(lambda: browser.run(link, TILE), "a link")
    assert f"imgurl={quote(site.expected('google', 'cat hover')[4], safe='')}&" in browser.run(link, TILE)


def test_google_viewer_opens_on_a_real_click_and_appends_a_picture_at_each_key(
    browser: Browser, site: EngineSite
) -> None:
    google(browser, site, "cat viewer")
    browser.run(f"document.querySelector('{TILE} img').click()")
    assert not browser.find("#panel")
    tile = browser.find(f"{TILE} img")
    assert tile
    tile.click()
    for number in range(1, 4):
        browser.wait(lambda number=number: count(browser, FULL) == number, f"picture {number}")
        ActionChains(browser.driver).send_keys(Keys.ARROW_RIGHT).perform()
    shown = browser.run(f"return [...document.querySelectorAll('{FULL}')].map(i => i.src)")
    assert shown[:3] == site.expected("google", "cat viewer")[:3]
    assert not browser.run(f"return document.querySelector('{TILE} h3 a').getAttribute('href')")


# That a dialog is rejected, the crawler itself shows.
@pytest.mark.parametrize(("word", "button"), [("consent", "W0wltc"), ("consent", "L2AGLb"), ("dialog", "L2AGLb")])
def test_google_consent_is_told_and_asked_once(browser: Browser, site: EngineSite, word: str, button: str) -> None:
    google(browser, site, f"cat {word}")
    assert count(browser, TILE) == (0 if word == "consent" else 60)
    element = browser.find(f"#{button}")
    assert element
    element.click()
    browser.wait(lambda: site.consents, "an answer")
    browser.wait(lambda: count(browser, TILE) == 60 and not browser.find("#W0wltc"), "the results")
    assert site.consents == ["reject" if button == "W0wltc" else "accept"]
    google(browser, site, f"cat {word}")
    assert count(browser, TILE) == 60
    assert not browser.find("#W0wltc")


def test_a_captcha_lasts_until_a_person_has_solved_it(browser: Browser, host: PictureHost) -> None:
    with EngineSite(host) as site:
        google(browser, site, "cat captcha")
        assert "/sorry/index?continue=" in browser.driver.current_url
        assert browser.find("#captcha-form")
        site.solve()
        browser.wait(lambda: count(browser, TILE) == 60, "the results")


@pytest.mark.parametrize(
    ("path", "word", "status", "text"),
    [
        ("/search?udm=2&q=", "429", 429, "Too Many Requests"),
        ("/search?udm=2&q=", "sorry", 429, "unusual traffic"),
        ("/search?udm=2&q=", "500", 500, "Server Error"),
        ("/search?udm=2&q=", "empty", 200, "did not match any"),
        ("/search?udm=2&q=", "changed", 200, "<c-wiz"),
        ("/search.naver?where=image&query=", "429", 429, "Too Many"),
        ("/search.naver?where=image&query=", "sorry", 403, "비정상적인 검색"),
        ("/search.naver?where=image&query=", "empty", 200, "not_found02"),
        ("/search.naver?where=image&query=", "changed", 200, "__next_f"),
        ("/images/search?q=", "429", 429, "services"),
        ("/images/search?q=", "sorry", 200, "solve the challenge"),
        ("/images/search?q=", "empty", 200, "There are no results"),
        ("/images/search?q=", "changed", 200, "cib-grid"),
        ("/?iax=images&ia=images&q=", "429", 429, "Too Many"),
        ("/?iax=images&ia=images&q=", "sorry", 202, "bots use DuckDuckGo too"),
        ("/v1/images/?q=", "429", 429, "throttled"),
        ("/v1/images/?q=", "empty", 200, '"results": []'),
        ("/v1/images/?page=13&q=", "cat", 401, "page_size"),
        ("/w/api.php?gsrsearch=filetype:bitmap%20", "429", 429, "Too many"),
        ("/w/api.php?gsrsearch=filetype:bitmap%20", "empty", 200, "batchcomplete"),
    ],
)
def test_what_is_no_result_page_says_so(site: EngineSite, path: str, word: str, status: int, text: str) -> None:
    assert get(f"{site.home}{path}cat%20{word}")[0] == status
    assert text in get(f"{site.home}{path}cat%20{word}")[1]


def test_naver_pages_by_start_and_its_literal_is_no_json(browser: Browser, site: EngineSite) -> None:
    query = "고양이 120 pictures escaped"
    expected = site.expected("naver", query)
    read = "return imageSearchTabData.content.items.map(i => i.originalUrl)"
    for start in (1, 51, 101):
        go(browser, site, "/search.naver?where=image&query=", query, f"&start={start}")
        assert browser.run(read) == expected[start - 1 : start + 49]
    text = get(f"{site.home}/search.naver?query={quote(query)}")[1]
    literal = text.partition("imageSearchTabData")[2].partition("=")[2].partition(";</script>")[0]
    with pytest.raises(json.JSONDecodeError):
        json.loads(literal)
    go(browser, site, "/search.naver?where=image&query=", "cat fallback")
    assert browser.run("return typeof imageSearchTabData") == "undefined"
    thumbnail = browser.run("return document.querySelector('#tiles img').src")
    assert f"src={quote(site.expected('naver', 'cat fallback')[0], safe='')}&" in thumbnail


def test_bing_scrolls_and_tells_each_address_twice(browser: Browser, site: EngineSite) -> None:
    site.forget()
    go(browser, site, "/images/search?q=", "고양이 100 pictures escaped")
    assert count(browser, "a.iusc") == 35
    scroll_until(browser, "a.iusc", 100)
    expected = site.expected("bing", "고양이 100 pictures escaped")
    read = "return [...document.querySelectorAll('a.iusc')].map(a => JSON.parse(a.getAttribute('m')).murl)"
    assert browser.run(read) == expected
    read = "return [...document.querySelectorAll('a.iusc')].map(a => new URL(a.href).searchParams.get('mediaurl'))"
    assert browser.run(read) == expected
    assert [request.query["first"] for request in site.asked("/images/async")][:2] == ["36", "71"]


def test_more_button_waits_for_a_real_click(browser: Browser, site: EngineSite) -> None:
    go(browser, site, "/images/search?q=", "cat 60 pictures more")
    browser.run("scrollTo(0, 1e6); document.querySelector('.btn_seemore').click()")
    button = browser.find(".btn_seemore")
    assert button
    assert count(browser, "a.iusc") == 35
    button.click()
    browser.wait(lambda: count(browser, "a.iusc") == 60, "the rest")


def test_duckduckgo_wants_its_token_and_shows_full_addresses_only_in_the_pane(
    browser: Browser, site: EngineSite
) -> None:
    assert get(f"{site.home}/i.js?o=json&q=cat&vqd=4-1")[0] == 403
    go(browser, site, "/?iax=images&ia=images&q=", "cat 105 pictures")
    scroll_until(browser, "figure", 105)
    expected = site.expected("duckduckgo", "cat 105 pictures")
    assert not any(quote(address, safe="") in browser.driver.page_source for address in expected)
    figure = browser.find("figure img")
    assert figure
    browser.run("scrollTo(0, 0)")
    figure.click()
    browser.wait(lambda: browser.find("aside .file"), "the pane")
    assert browser.run("return document.querySelector('aside .file').href") == expected[0]
    go(browser, site, "/?iax=images&ia=images&q=", "cat limited")
    browser.wait(lambda: "went wrong" in browser.text("#say"), "a complaint")


def test_apis_page_and_want_a_name(site: EngineSite) -> None:
    found = []
    for page in (1, 2, 3):
        text = get(f"{site.home}/v1/images/?q=cat%2050%20pictures&page={page}&page_size=20")[1]
        found += [row["url"] for row in json.loads(text)["results"]]
    assert found == site.expected("openverse", "cat 50 pictures")
    commons = f"{site.home}/w/api.php?action=query&gsrsearch=filetype:bitmap%20cat%2070%20pictures&gsrlimit=50"
    first, second = (json.loads(get(commons + more)[1]) for more in ("", "&gsroffset=50"))
    assert first["continue"]["gsroffset"] == 50
    assert "continue" not in second
    pages = sorted(first["query"]["pages"] + second["query"]["pages"], key=lambda page: page["index"])
    assert [page["imageinfo"][0]["url"] for page in pages] == site.expected("commons", "cat 70 pictures")
    assert [page["index"] for page in first["query"]["pages"]] != list(range(1, 51))
    assert get(commons, agent="Mozilla/5.0 (X11)")[0] == 403


def test_a_fault_of_the_imitation_fails_the_test(host: PictureHost) -> None:
    site = EngineSite(host, Manner(slow="no number"))  # type: ignore[arg-type]
    site.start()
    with pytest.raises(OSError, match="closed"):
        get(f"{site.home}/search?q=slow")
    with pytest.raises(TypeError):
        site.__exit__(None)
