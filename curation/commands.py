"""The commands of `python curation`: reads the options, then leaves the work to `curation.tasks`.

Everything heavy is imported inside the commands, so that `--help` answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handwriter_models.errors import UserError
from handwriter_models.paths import name_or_path, user_path

if TYPE_CHECKING:
    from curation.links import Thresholds

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_show_locals=False,
    help="Cleans a dataset: finds copies and doubtful pictures, has people review them, splits without leaks, exports.",
)


def _option(text: str, *names: str, **rules: Any) -> Any:  # noqa: ANN401 - typer's own untyped value
    return typer.Option(*names, help=text, **rules)


Folder = Annotated[
    Path,
    typer.Argument(
        metavar="DATASET", help="folder of a crawl, or of pictures in a folder for each class", parser=user_path
    ),
]
AsJson = Annotated[bool, _option("print the result as JSON, all else on standard error", "--json")]
Identity = Annotated[int, _option("bits in which the hashes of copies may differ", min=0, max=12)]
Variants = Annotated[int, _option("the same for mirrored, turned and inverted copies", min=0, max=8)]
Network = Annotated[
    str, _option("network whose features tell which pictures are odd (default: quality only)", parser=name_or_path)
]
KeepMetadata = Annotated[bool, _option("leave EXIF, XMP and texts in the files, positions too", "--keep-metadata")]
Weights = Annotated[str, _option("its weights: imagenet, none, or a .safetensors file", parser=name_or_path)]


@app.command()
def scan(
    dataset: Folder,
    identity: Identity = 8,
    variants: Variants = 4,
    workers: Annotated[int, _option("threads that decode (0: one a core)", min=0, max=256)] = 0,
    as_json: AsJson = False,
) -> None:
    """Reads new and changed pictures once, measures them, and finds copies.

    python curation scan data/pets
    """
    from curation import tasks

    raise typer.Exit(tasks.scan(dataset, _thresholds(identity, variants), workers, as_json))


@app.command()
def groups(dataset: Folder, identity: Identity = 8, variants: Variants = 4, as_json: AsJson = False) -> None:
    """Lists the copies, group by group: which picture to keep, and how each other one is related to it.

    python curation groups data/pets --json
    """
    from curation import tasks

    raise typer.Exit(tasks.groups(dataset, _thresholds(identity, variants), as_json))


@app.command()
def suspects(
    dataset: Folder,
    network: Network = "",
    weights: Weights = "imagenet",
    most: Annotated[int, _option("how many are listed", min=1)] = 50,
    as_json: AsJson = False,
) -> None:
    """Lists doubtful pictures, most suspicious first: wrong labels, outliers, blurred or dark ones, two labels for one.

    python curation suspects data/pets --network resnet50
    """
    from curation import suspicion_task

    raise typer.Exit(suspicion_task.run(dataset, network, weights, most, as_json))


@app.command()
def review(
    dataset: Folder,
    host: Annotated[str, _option("address to listen on; 0.0.0.0 lets the whole network in")] = "127.0.0.1",
    port: Annotated[int, _option("port, or the next free one after it", min=1, max=65535)] = 7861,
    browser: Annotated[bool, _option("open the page in the browser")] = True,
) -> None:
    """Opens the review grid in the browser: drop, relabel and compare pictures with the keyboard.

    python curation review data/pets
    """
    from curation import tasks

    tasks.review(dataset, host, port, browser)


@app.command()
def drop(
    dataset: Folder,
    paths: Annotated[list[str] | None, typer.Argument(help="pictures, below the dataset's folder")] = None,
    copies: Annotated[bool, _option("all copies but the one to keep of each group", "--copies")] = False,
    conflicts: Annotated[bool, _option("with --copies: also in groups under two labels", "--conflicts")] = False,
    as_json: AsJson = False,
) -> None:
    """Takes pictures out of the dataset; they lie in its folder `dropped` and can be restored.

    python curation drop data/pets --copies
    """
    from curation import tasks

    if not paths and not copies:
        raise UserError("nothing to drop was named", "give paths of pictures, or --copies")
    raise typer.Exit(tasks.drop(dataset, paths or [], copies, conflicts, as_json))


@app.command()
def relabel(
    dataset: Folder,
    paths: Annotated[list[str], typer.Argument(help="pictures, below the dataset's folder")],
    to: Annotated[str, _option("the label that they are to have")],
    as_json: AsJson = False,
) -> None:
    """Gives pictures another label; their files move to its folder.

    python curation relabel data/pets cat/google_0007.jpg --to dog
    """
    from curation import tasks

    raise typer.Exit(tasks.relabel(dataset, paths, to, as_json))


@app.command()
def restore(
    dataset: Folder,
    paths: Annotated[list[str] | None, typer.Argument(help="dropped pictures, as `stats` names them")] = None,
    everything: Annotated[bool, _option("every dropped picture", "--all")] = False,
    as_json: AsJson = False,
) -> None:
    """Takes dropped pictures back to where they were.

    python curation restore data/pets --all
    """
    from curation import tasks

    if not paths and not everything:
        raise UserError("nothing to restore was named", "give paths of dropped pictures, or --all")
    raise typer.Exit(tasks.restore(dataset, paths or [], as_json))


@app.command()
def split(
    dataset: Folder,
    shares: Annotated[str, _option("of train, validation and test")] = "0.8,0.1,0.1",
    seed: Annotated[int, _option("another seed deals another way")] = 0,
    by: Annotated[str, _option("also keep together: site, author, engine, keyword or page")] = "",
    pattern: Annotated[str, _option(r"also keep together what this finds in the path: '_(\d+)\.'")] = "",
    anew: Annotated[bool, _option("deal everything again, also what has a place", "--anew")] = False,
    as_json: AsJson = False,
) -> None:
    """Makes train, validation and test, stratified by label, with no copy on two sides.

    python curation split data/pets --by site
    """
    from curation import tasks
    from curation.split import SplitOrder

    raise typer.Exit(tasks.split(dataset, SplitOrder(_shares(shares), seed, by, pattern, anew), as_json))


@app.command()
def stats(dataset: Folder, as_json: AsJson = False) -> None:
    """Shows what a dataset holds, and warns of copies on two sides of a split that somebody else made.

    python curation stats data/pets
    """
    from curation import tasks

    raise typer.Exit(tasks.stats(dataset, as_json))


@app.command()
def export(
    dataset: Folder,
    out: Annotated[Path, typer.Argument(help="new folder for the export", parser=user_path)],
    form: Annotated[str, _option("imagefolder, parquet, webdataset, csv or html", "--format")] = "imagefolder",
    copy: Annotated[bool, _option("copy files where a second name for them would do", "--copy")] = False,
    keep_metadata: KeepMetadata = False,
    as_json: AsJson = False,
) -> None:
    """Writes the kept pictures for other programs, with sources and licences, without what cameras wrote into them.

    python curation export data/pets pets-parquet --format parquet
    """
    from curation import tasks

    raise typer.Exit(tasks.export(dataset, out, form, copy, keep_metadata, as_json))


@app.command()
def publish(
    dataset: Folder,
    repo: Annotated[str, _option("user/name on the Hub, or name for your own")],
    form: Annotated[str, _option("parquet or imagefolder", "--format")] = "parquet",
    private: Annotated[bool, _option("make a new repository private", "--private")] = False,
    unlicensed: Annotated[bool, _option("also pictures whose licence is not known", "--unlicensed")] = False,
    force: Annotated[bool, _option("also into a repository that holds something else", "--force")] = False,
    keep_metadata: KeepMetadata = False,
    token_file: Annotated[
        Path | None, _option("file that holds your token; else HF_TOKEN or your log-in", parser=user_path)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Publishes the kept pictures on the Hugging Face Hub, with sources and licences; a second time, what has changed.

    python curation publish data/pets --repo user/pets
    """
    from curation import publish_task
    from curation.publish import PublishOrder

    order = PublishOrder(repo, form, private, force, unlicensed, keep_metadata)
    raise typer.Exit(publish_task.run(dataset, order, token_file, as_json))


def _thresholds(identity: int, variants: int) -> Thresholds:
    from curation.links import Thresholds

    return Thresholds(identity, variants)


def _shares(text: str) -> tuple[float, float, float]:
    try:
        train, validation, test = (float(share) for share in text.split(","))
    except ValueError as error:
        raise UserError(
            f"the shares {text!r} are not three numbers", "give for example --shares 0.8,0.1,0.1"
        ) from error
    return train, validation, test
