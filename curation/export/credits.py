"""What goes with pictures wherever they go: `README.md`, `ATTRIBUTION.md` by licence, and `labels.json`.

The head of the README tells Hugging Face which files are which part. Without it, a label named "test" or "dev" would be
taken for a part of a split.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from curation.export.links import markdown, web_address, web_source
from curation.export.selection import PARTS, Label, Sample

UNKNOWN = "Licence not known"
_FRONT_MATTER = (
    "license: other",
    "license_name: of-each-picture",
    "license_link: ATTRIBUTION.md",
    "task_categories:\n- image-classification",
    "tags:\n- handwriter",
)
Counts = Mapping[str, Mapping[str, int]]  # part → label → pictures


def write_card(folder: Path, name: str, counts: Counts, paths: str, bare: bool) -> None:
    """A README with the number of pictures by label and part, and what `sha256` is of.

    `paths` is where a part's files are: `data/{part}-*`. `bare`: metadata was taken out of the pictures.
    """
    parts = [part for part in PARTS if counts.get(part)]
    labels = sorted({label for part in parts for label in counts[part]})
    lines = ["---", *_FRONT_MATTER, "configs:", "- config_name: default", "  data_files:"]
    for part in parts:
        lines += [f"  - split: {part}", f'    path: "{paths.format(part=part)}"']
    lines += ["---", "", f"# {markdown(name)}", "", "| label | " + " | ".join(parts) + " |"]
    lines += ["|---|" + "---:|" * len(parts)]
    for label in labels:
        numbers = " | ".join(str(counts[part].get(label, 0)) for part in parts)
        lines.append(f"| {markdown(label)} | {numbers} |")
    lines += ["", "Sources and licences are in [ATTRIBUTION.md](ATTRIBUTION.md)."]
    if bare:
        lines.append("EXIF, XMP, IPTC and texts were taken out of the pictures; `sha256` is of each file before that.")
    lines.append("")
    (folder / "README.md").write_text("\n".join(lines), "utf-8", newline="\n")


def write_labels(folder: Path, labels: Iterable[Label]) -> None:
    """Number, text and folder of each class."""
    table = [{"number": one.number, "label": one.text, "folder": one.folder} for one in labels]
    (folder / "labels.json").write_text(json.dumps(table, ensure_ascii=False, indent=1) + "\n", "utf-8")


def write_attribution(folder: Path, samples: Iterable[Sample]) -> None:
    """Title, author, source and licence of every picture; those that nothing is known of come last."""
    groups: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    for sample in samples:
        groups[sample.row.licence, sample.row.licence_address].append(sample)
    with (folder / "ATTRIBUTION.md").open("w", encoding="utf-8", newline="\n") as file:
        file.write("# Sources of the pictures\n")
        for (licence, address), members in sorted(groups.items(), key=lambda item: (not item[0][0], item[0])):
            file.write(f"\n## {_linked(licence or UNKNOWN, address)}\n\n")
            if not licence:
                file.write("Ask for permission, or look the pictures up, before you hand these on.\n\n")
            file.writelines(_line(sample) for sample in members)


def _line(sample: Sample) -> str:
    row = sample.row
    title = _linked(row.title or row.path.rpartition("/")[2], web_source(row.page, row.address))
    author = f" by {markdown(row.author)}" if row.author else ""
    return f"- {title}{author} ({markdown(f'{sample.part}/{sample.place}')})\n"


def _linked(text: str, address: str) -> str:
    safe = web_address(address)
    return f"[{markdown(text)}](<{safe}>)" if safe else markdown(text)
