"""`python curation publish DATASET --repo user/name`: the kept pictures as a dataset on the Hugging Face Hub.

It is the export of `curation.export` in a folder that goes away again, pushed by `handwriter_models.hub`: Parquet,
which the Hub shows and `load_dataset` reads, or an image folder, each with the source and licence of every picture. The
same pictures give the same files, so a second push sends nothing. Pictures of which nobody knows the licence are not
made public by accident, and no split that copies straddle.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curation.export.order import Exported, export
from curation.export.selection import PARTS
from curation.leaks import straddling
from curation.pictures import Pictures
from curation.progress import Bar
from handwriter_models.errors import UserError
from handwriter_models.hub.connection import Tell, say

if TYPE_CHECKING:
    from handwriter_models.hub.contents import Listed
    from handwriter_models.hub.push import Published

FORMATS = ("parquet", "imagefolder")
_BESIDE = ("ATTRIBUTION.md", "labels.json")


@dataclass(frozen=True)
class PublishOrder:
    """What is asked for. `unlicensed`: pictures without a known licence may become public.

    `keep_metadata`: the files go out as they are, with the positions that cameras wrote into them.
    """

    repo: str
    form: str = "parquet"
    private: bool = False
    force: bool = False
    unlicensed: bool = False
    keep_metadata: bool = False


def publish_dataset(
    pictures: Pictures, order: PublishOrder, token: str | None, tell: Tell = say
) -> tuple[Exported, Published]:
    """What was exported and what came of the push.

    Raises:
        UserError: the form or the pictures' licences or their split forbid it, or as `export` and `publish_folder` do.
    """
    from handwriter_models.hub.push import Target, owned_name, publish_folder

    if order.form not in FORMATS:
        raise UserError(f"{order.form!r} is not a form of a dataset on the Hub", f"choose one of {', '.join(FORMATS)}")
    _check(pictures, order)
    repo = owned_name(order.repo, token)  # a wrong token is told before all pictures are read
    with tempfile.TemporaryDirectory(prefix="handwriter-publish-") as work:
        out = Path(work) / repo.split("/")[1]
        with Bar("exporting") as bar:
            written = export(pictures, out, order.form, tell=bar.tell, keep_metadata=order.keep_metadata)
        for warning in written.warnings:
            tell(f"note: {warning}")
        _state_leaks(out / "README.md", pictures)
        target = Target(repo, "dataset", order.private, belongs=_belongs(order.form), objection=_no_dataset_of_ours)
        return written, publish_folder(out, target, token=token, force=order.force, tell=tell)


def told(written: Exported, published: Published) -> dict[str, Any]:
    """For `--json`."""
    return {**published.to_json(), "count": written.count, **asdict(written)}


def _check(pictures: Pictures, order: PublishOrder) -> None:
    rows = [row for row in pictures.rows() if not row.dropped]
    leaking = straddling(rows, lambda row: row.part)
    if leaking:
        path = next(iter(leaking.values()))[0].path
        raise UserError(
            f"copies of {len(leaking)} pictures, such as {path}, lie on two sides of the split",
            "split again before others measure with it: python curation split DATASET --anew",
        )
    unknown = sum(not row.licence for row in rows)
    if unknown and not (order.private or order.unlicensed):
        raise UserError(
            f"the licence of {unknown} of {len(rows)} pictures is not known",
            "publish it with --private, or, when they are yours to give away, with --unlicensed",
        )


def _state_leaks(card: Path, pictures: Pictures) -> None:
    """Adds to the card what `_check` has made sure of."""
    if any(row.part for row in pictures.rows() if not row.dropped):
        with card.open("a", encoding="utf-8", newline="\n") as file:
            file.write(
                "\nNo copy of a picture, also mirrored, turned or inverted, lies in two parts (perceptual hashes).\n"
            )


def _belongs(form: str) -> Callable[[str], bool]:
    """Which paths of the repository may be of an earlier push in this form."""

    def belongs(path: str) -> bool:
        if path in _BESIDE:
            return True
        first, _, rest = path.partition("/")
        if form == "parquet":
            return first == "data" and rest.endswith(".parquet") and rest.partition("-")[0] in PARTS
        return first in PARTS and bool(rest)

    return belongs


def _no_dataset_of_ours(there: Mapping[str, Listed], _: Callable[[str], bytes]) -> str:
    """Why what lies there is no dataset of ours; "" for one, and for a repository that is empty but for a README."""
    others = sorted(path for path in there if "/" in path)
    lacking = [name for name in _BESIDE if name not in there]
    return f"it has {others[0]!r} without {lacking[0]}" if others and lacking else ""
