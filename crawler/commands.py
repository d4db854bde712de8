"""The command `python crawler`: reads the options, then leaves the work to `crawler.crawl`.

Everything heavy (browser, network, pictures) is imported inside the command, so that `--help` answers at once. There is
never a question on standard input: a crawl must run unattended.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from handwriter_models.errors import UserError

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_show_locals=False)
NAMES = "google, naver, bing, duckduckgo, openverse, commons"
Network, Pictures, Browser = "Downloads", "Which pictures", "Browser"


@app.command(no_args_is_help=True)
def crawl(
    keywords: Annotated[
        Path | None, typer.Option(help="text file, UTF-8, one keyword a line: `words` or `label = words`")
    ] = None,
    dataset: Annotated[
        Path | None, typer.Option(help="folder of the dataset (default: data/NAME for NAME.txt)", show_default=False)
    ] = None,
    engines: Annotated[str, typer.Option(help=f"which searches to ask, with commas; all: {NAMES}")] = "google,naver",
    limit: Annotated[int, typer.Option(help="pictures to keep of each keyword from each engine", min=1)] = 100,
    status: Annotated[
        Path | None, typer.Option(help="show what a dataset holds and what is going on in it, and stop")
    ] = None,
    filters: Annotated[
        list[str] | None,
        typer.Option(
            "--filter", help="size=large, type=face, colour=gray, age=week, licence=any-cc …; may be repeated"
        ),
    ] = None,
    thumbnails: Annotated[
        bool, typer.Option(help="keep a thumbnail, flagged, where the full picture's address is not to be had")
    ] = True,
    min_side: Annotated[int, typer.Option(help="refuse pictures with a shorter side, in pixels", min=1)] = 32,
    max_bytes: Annotated[int, typer.Option(help="refuse files larger than this, in bytes", min=1)] = 20 * 2**20,
    convert: Annotated[str, typer.Option(help="save all pictures as jpeg or png")] = "",
    max_side: Annotated[int, typer.Option(help="scale larger pictures down to this longer side (0: never)", min=0)] = 0,
    concurrency: Annotated[int, typer.Option(help="downloads at once", min=1, max=1024)] = 64,
    per_host: Annotated[int, typer.Option(help="downloads at once from one host", min=1, max=256)] = 4,
    timeout: Annotated[float, typer.Option(help="seconds a download may take altogether", min=1)] = 60,
    contact: Annotated[
        str, typer.Option(help="address or page to name in the User-Agent, so that sites can reach you")
    ] = "",
    ignore_robots: Annotated[bool, typer.Option("--ignore-robots", help="fetch what robots.txt forbids")] = False,
    ignore_opt_out: Annotated[
        bool, typer.Option("--ignore-opt-out", help="keep pictures whose X-Robots-Tag says noai, noindex …")
    ] = False,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="let addresses of this machine and network be fetched")
    ] = False,
    browsers: Annotated[int, typer.Option(help="browsers at work at once", min=1, max=32)] = 2,
    grid: Annotated[str, typer.Option(help="address of a Selenium Grid whose browsers are used")] = "",
    show_browser: Annotated[
        bool, typer.Option("--show-browser", help="show the browser, to solve a captcha by hand")
    ] = False,
    engine_urls: Annotated[
        list[str] | None,
        typer.Option("--engine-url", help="another address for an engine: google=http://host:port; may be repeated"),
    ] = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="ask the engines again, for what is new")] = False,
    retry: Annotated[
        str, typer.Option(help="refusals to try once more, with commas: timeout,http-error … or transient")
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="print the summary as JSON, all else on standard error")
    ] = False,
) -> None:
    """Gathers pictures for a list of keywords: one class a keyword, each picture with where it came from.

    Ctrl-C or a crash loses nothing: the same command goes on where it stopped and downloads nothing twice.

    python crawler --keywords keywords.txt --engines google,naver,openverse --limit 50

    python crawler --status data/keywords
    """
    from crawler import plan, run

    if status is not None:
        raise typer.Exit(run.show_status(status, as_json))
    if keywords is None:
        raise UserError("there are no keywords", "give --keywords FILE, or --status DATASET to look at one")
    wishes = plan.PictureWishes(
        filters=tuple(filters or ()), thumbnails=thumbnails, min_side=min_side, convert=convert, max_side=max_side
    )
    manners = plan.Manners(
        concurrency=concurrency,
        per_host=per_host,
        timeout=timeout,
        max_bytes=max_bytes,
        contact=contact,
        obey_robots=not ignore_robots,
        obey_opt_out=not ignore_opt_out,
        allow_private=allow_private,
    )
    order = plan.made(
        plan.Asked(
            keywords=keywords,
            dataset=dataset,
            engines=engines,
            engine_urls=tuple(engine_urls or ()),
            limit=limit,
            retry=retry,
            refresh=refresh,
        ),
        wishes,
        manners,
        plan.Browsers(count=browsers, grid=grid, show=show_browser),
    )
    raise typer.Exit(run.run(order, as_json))
