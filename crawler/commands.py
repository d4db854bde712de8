"""The command `python crawler`: reads the options, then leaves the work to `crawler.crawl`.

Everything heavy (browser, network, pictures) is imported inside the command, so that `--help` answers at once. There is
never a question on standard input: a crawl must run unattended.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from handwriter_models.errors import UserError
from handwriter_models.paths import name_or_path, user_path

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_show_locals=False)
NAMES = "google, naver, bing, duckduckgo, openverse, commons"


def _option(text: str, *names: str, **rules: Any) -> Any:  # noqa: ANN401 - typer's own untyped value
    return typer.Option(*names, help=text, **rules)


KEYWORDS = "text file, UTF-8, one keyword a line: `words` or `label = words`"
Keywords = Annotated[Path | None, _option(KEYWORDS, parser=user_path)]
FOLDER = "folder of the dataset (default: data/NAME for NAME.txt)"
Folder = Annotated[Path | None, _option(FOLDER, parser=user_path, show_default=False)]
Engines = Annotated[str, _option(f"which searches to ask, with commas; all: {NAMES}")]
Limit = Annotated[int, _option("pictures to keep of each class from each engine", min=1)]
STATUS = "show what a dataset holds and what is going on in it, and stop"
Status = Annotated[Path | None, _option(STATUS, parser=user_path)]
# Which pictures
FILTERS = "size=large, type=face, colour=gray, age=week, licence=any-cc …; may be repeated"
Filters = Annotated[list[str] | None, _option(FILTERS, "--filter")]
DAY = "YYYY-MM-DD; google, naver and commons can be asked for it, the others warn"
Since = Annotated[str, _option(f"only pictures of this day or later, {DAY}", metavar="DATE")]
Until = Annotated[str, _option("only pictures of this day or earlier, likewise", metavar="DATE")]
Thumbnails = Annotated[bool, _option("keep a thumbnail, flagged, where the full picture's address is not to be had")]
MinSide = Annotated[int, _option("refuse pictures with a shorter side, in pixels", min=1)]
MaxSide = Annotated[int, _option("scale larger pictures down to this longer side (0: never)", min=0)]
MaxBytes = Annotated[int, _option("refuse files larger than this, in bytes", min=1)]
Convert = Annotated[str, _option("save all pictures as jpeg or png")]
# Downloads
Concurrency = Annotated[int, _option("downloads at once", min=1, max=1024)]
PerHost = Annotated[int, _option("downloads at once from one host", min=1, max=1024)]
Timeout = Annotated[float, _option("seconds that one download may take", min=1)]
Contact = Annotated[str, _option("address or page to name in the User-Agent, so that sites can reach you")]
IgnoreRobots = Annotated[bool, _option("fetch what robots.txt forbids", "--ignore-robots")]
OPT_OUT = "keep pictures of sites that say noai, noml, noindex … or reserve data mining (TDM)"
IgnoreOptOut = Annotated[bool, _option(OPT_OUT, "--ignore-opt-out")]
PAGES = "ask for the page of each picture, too, and obey what its meta tags say of that"
CheckPages = Annotated[bool, _option(PAGES, "--check-pages")]
AllowPrivate = Annotated[bool, _option("let addresses of this machine and network be fetched", "--allow-private")]
# Searching
Browsers = Annotated[int, _option("browsers at work at once", min=1, max=32)]
Program = Annotated[
    str,
    _option("Chrome or Chromium, where it is not found by itself", "--browser", metavar="PATH", parser=name_or_path),
]
Driver = Annotated[
    str, _option("chromedriver of the same version, likewise", "--driver", metavar="PATH", parser=name_or_path)
]
Grid = Annotated[str, _option("address of a Selenium Grid whose browsers are used")]
ShowBrowser = Annotated[bool, _option("show the browser, to solve a captcha by hand", "--show-browser")]
OTHER = "another address for an engine: google=http://host:port; may be repeated"
EngineUrls = Annotated[list[str] | None, _option(OTHER, "--engine-url")]
Refresh = Annotated[bool, _option("ask the engines again, for what is new", "--refresh")]
Retry = Annotated[str, _option("refusals to try once more, with commas: timeout,http-error … or transient")]
AsJson = Annotated[bool, _option("print the summary as JSON, all else on standard error", "--json")]


@app.command(no_args_is_help=True)
def crawl(
    keywords: Keywords = None,
    dataset: Folder = None,
    engines: Engines = "google,naver",
    limit: Limit = 100,
    status: Status = None,
    filters: Filters = None,
    since: Since = "",
    until: Until = "",
    thumbnails: Thumbnails = True,
    min_side: MinSide = 32,
    max_side: MaxSide = 0,
    max_bytes: MaxBytes = 20 * 2**20,
    convert: Convert = "",
    concurrency: Concurrency = 64,
    per_host: PerHost = 4,
    timeout: Timeout = 60,
    contact: Contact = "",
    ignore_robots: IgnoreRobots = False,
    ignore_opt_out: IgnoreOptOut = False,
    check_pages: CheckPages = False,
    allow_private: AllowPrivate = False,
    browsers: Browsers = 2,
    browser: Program = "",
    driver: Driver = "",
    grid: Grid = "",
    show_browser: ShowBrowser = False,
    engine_url: EngineUrls = None,
    refresh: Refresh = False,
    retry: Retry = "",
    as_json: AsJson = False,
) -> None:
    """Gathers pictures for a list of keywords: one class a keyword, each picture with where it came from.

    Ctrl-C or a crash loses nothing: the same command goes on where it stopped and downloads nothing twice.

    python crawler --keywords keywords.txt --engines google,naver,openverse --limit 50

    python crawler --status data/keywords
    """
    from crawler import plan, run
    from crawler.driver_paths import Named

    if status is not None:
        raise typer.Exit(run.show_status(status, as_json))
    if keywords is None:
        raise UserError("there are no keywords", "give --keywords FILE, or --status DATASET to look at one")
    urls = tuple(engine_url or ())
    asked = plan.Asked(keywords, dataset, engines, urls, limit, retry, refresh, since, until)
    wishes = plan.PictureWishes(tuple(filters or ()), thumbnails, min_side, convert, max_side, max_bytes)
    rules = plan.Rules(not ignore_robots, not ignore_opt_out, allow_private, check_pages)
    manners = plan.Manners(concurrency, per_host, timeout, contact, rules)
    chosen = plan.Browsers(browsers, grid, show_browser, Named(browser, driver))
    order = plan.made(asked, wishes, manners, chosen)
    raise typer.Exit(run.run(order, as_json))
