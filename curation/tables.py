"""The summaries of the commands as people read them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from curation.listing import PictureRow
from curation.split import PARTS

SHOWN = 20  # groups, leaks and unreadable files that are printed; --json has them all
_BAR = 30


def scanned(console: Console, root: Path, told: dict[str, Any]) -> None:
    """What a scan came to."""
    _left_out(console, told)
    for note in told["notes"]:
        console.print(f"[yellow]{escape(note)}")
    console.print(
        f"{escape(str(root))}: {told['images']} pictures, {told['read']} of them read now ({told['seconds']:.1f} s), "
        f"{told['redundant']} redundant copies in {told['groups']} groups"
    )
    if told["crowded"]:
        console.print(
            f"{told['crowded']} pictures have very many like them (blank pages, lines, one placeholder): each of these "
            "was compared with the nearest only"
        )
    if told["gone"]:
        console.print(f"{told['gone']} pictures are not there any more; what was decided about them is kept")
    if told["groups"]:
        console.print("next: `python curation review` shows them, `python curation drop --copies` drops the copies")


def groups(console: Console, told: Sequence[dict[str, Any]]) -> None:
    """Groups of copies."""
    for number, group in enumerate(told[:SHOWN], 1):
        conflict = " [bold red]two labels[/]" if group["conflict"] else ""
        console.print(f"{number}. keep {escape(group['keep'])}{conflict}")
        for member in group["members"]:
            console.print(f"     {member['relation']:<20} {member['distance']:>2} bits  {escape(member['path'])}")
    if len(told) > SHOWN:
        console.print(f"… and {len(told) - SHOWN} more; --json prints all")
    conflicts = sum(group["conflict"] for group in told)
    copies = sum(len(group["members"]) for group in told)
    console.print(f"{copies} copies in {len(told)} groups" + (f", {conflicts} under two labels" if conflicts else ""))


def split(console: Console, told: dict[str, Any]) -> None:
    """The parts by label."""
    table = Table("class", *PARTS, box=None)
    labels = sorted({label for part in PARTS for label in told["labels"][part]})
    for label in labels:
        table.add_row(escape(label), *(str(told["labels"][part].get(label, 0)) for part in PARTS))
    table.add_row("[bold]all", *(f"[bold]{told[part]}" for part in PARTS))
    console.print(table)
    console.print(f"groups of copies on two sides: {told['groups_straddling']} (seed {told['seed']})")
    if told["moved"]:
        console.print(f"{told['moved']} pictures changed sides, because a new copy joined two groups")
    missing = [label for label in labels if told["validation"] and not told["labels"]["validation"].get(label)]
    if missing:
        console.print(f"[yellow]too few pictures for a validation part: {escape(', '.join(missing))}")


def counted(rows: Sequence[PictureRow]) -> dict[str, Any]:
    """The figures of `stats`."""
    kept = [row for row in rows if not row.dropped]
    clusters = Counter(row.cluster for row in kept if row.cluster is not None)
    return {
        "images": len(kept),
        "dropped": len(rows) - len(kept),
        "labels": dict(Counter(row.label for row in kept).most_common()),
        "parts": dict(sorted(Counter(row.part for row in kept if row.part).items())),
        "engines": dict(Counter(row.engine for row in kept if row.engine).most_common()),
        "licences": dict(Counter(row.licence or "unknown" for row in kept).most_common()),
        "formats": dict(Counter(row.format for row in kept).most_common()),
        "groups": sum(count > 1 for count in clusters.values()),
        "redundant": sum(count - 1 for count in clusters.values()),
        "judged": sum(row.judged for row in rows),
        "flagged": sum(bool(row.flags) for row in kept),
    }


def stats(console: Console, root: Path, told: dict[str, Any]) -> None:
    """What a dataset holds, and leaks."""
    most = max(told["labels"].values(), default=1)
    table = Table("class", "pictures", "", box=None)
    for label, count in told["labels"].items():
        table.add_row(escape(label) or "(no class)", str(count), "█" * max(1, round(_BAR * count / most)))
    console.print(table)
    for name in ("parts", "engines", "licences", "formats"):
        if told[name]:
            listed = ", ".join(f"{escape(key)} {count}" for key, count in told[name].items())
            console.print(f"{name}: {listed}")
    console.print(
        f"{escape(str(root))}: {told['images']} pictures, {told['dropped']} dropped, {told['redundant']} redundant "
        f"copies in {told['groups']} groups, {told['flagged']} flagged, {told['judged']} judged"
    )
    _left_out(console, told)
    _leaks(console, told["leaks"])


def exported(console: Console, told: dict[str, Any]) -> None:
    """What was written."""
    for warning in told.get("warnings", ()):
        console.print(f"[yellow]{escape(warning)}")
    console.print(f"{told['count']} pictures are in {escape(told['out'])}")


def suspects(console: Console, told: Sequence[dict[str, Any]], most: int) -> None:
    """Doubtful pictures, most suspicious first."""
    for one in told[:most]:
        console.print(f"{one['score']:.2f}  {escape(one['path'])}: {escape('; '.join(one['reasons']))}")
    if len(told) > most:
        console.print(f"… and {len(told) - most} more; --most or --json shows them")
    console.print(f"{len(told)} doubtful pictures" + ("; `python curation review` shows them first" if told else ""))


def _leaks(console: Console, found: Sequence[dict[str, Any]]) -> None:
    if not found:
        return
    console.print(f"[bold red]{len(found)} pairs of copies lie on two sides of the split:[/] figures would be too good")
    for leak in found[:SHOWN]:
        (one, other), (part, other_part) = leak["paths"], leak["parts"]
        relation = f"{leak['relation']}, {leak['distance']} bits"
        console.print(f"  {escape(one)} ({part})  =  {escape(other)} ({other_part}): {relation}")
    if len(found) > SHOWN:
        console.print(f"  … and {len(found) - SHOWN} more; --json prints all")
    console.print("`python curation split` deals them again without leaks")


def _left_out(console: Console, told: dict[str, Any]) -> None:
    files = told["faults"]
    for one in files[:SHOWN]:
        console.print(f"[yellow]cannot read[/] {escape(one['path'])}: {escape(one['reason'])}")
    if len(files) > SHOWN:
        console.print(f"… and {len(files) - SHOWN} more; --json prints all")
    counts = [f"{len(files)} that cannot be read"] if files else []
    counts += [f"{told['others']} that are no pictures"] if told["others"] else []
    if counts:
        console.print(f"files left out: {', '.join(counts)}")
