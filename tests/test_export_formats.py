"""Image folders, Parquet and WebDataset, read back as others read them; hostile names, labels and texts in all."""

from __future__ import annotations

import json
import os
import tarfile
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from PIL import Image

from curation.export import parquet, shards
from curation.export.links import markdown, plain, web_address
from curation.export.selection import present, select
from curation.records import Found
from curation.verdicts import Action
from tests.picture_files import picture
from tests.test_export import crawled, exported, folder_of_pictures, scanned

HOSTILE = [
    "new\nline.jpg",
    'quo"te<b>.jpg',
    "\u202egnp.jpg",
    "가" * 80 + ".jpg",  # 244 bytes
    "=cmd|' !A0.jpg",
    "con.jpg",
    "a\\..\\b.jpg",
    "-rf.jpg",
    "up.JPG",
    "up.jpg",
    "really a png.jpeg",
]
HOSTILE_LABELS = ["x\\..\\..\\y", 'l"<script>alert(1)<\u2215script>', "right\u200fleft", "__hidden", "Test", "test"]
ODD = Found(
    "https://x.example/a b.jpg",
    page="javascript:alert(1)",
    title="**bold** [x](javascript:y) <img src=x> | 제목",
    author='"; <b>A</b> `tick`',
    licence="CC BY 4.0",
    licence_address="https://creativecommons.org/licenses/by/4.0/",
)


def hostile_folder(root: Path) -> Path:
    number = 0
    for label in [*HOSTILE_LABELS, "고양이"]:
        folder = root / label
        folder.mkdir(parents=True)
        for name in HOSTILE if label == "고양이" else ["a.jpg"]:
            number += 1
            (folder / name).write_bytes(picture(number, "png" if "png" in name else "jpg", 40, 30))
    (root / "고양이" / "below").mkdir()
    (root / "고양이" / "below" / "con.jpg").write_bytes(picture(99, "jpg", 40, 30))
    return root


def rows_of(folder: Path) -> dict[str, list[dict[str, object]]]:
    """The lines of metadata.jsonl by part."""
    lines = {file.parent.name: file.read_text("utf-8").split("\n")[:-1] for file in folder.glob("*/metadata.jsonl")}
    return {part: [json.loads(line) for line in those] for part, those in lines.items()}


def test_image_folder_is_read_by_torchvision(tmp_path: Path) -> None:
    from handwriter_models.torchvision_import import torchvision

    root = folder_of_pictures(tmp_path / "data")
    came = exported(root, tmp_path / "out", "imagefolder", split=True)
    assert came.pictures == {
        part: dict.fromkeys(("강아지", "고양이"), count)
        for part, count in (("train", 2), ("validation", 1), ("test", 1))
    }
    train = torchvision.datasets.ImageFolder(str(tmp_path / "out" / "train"))
    assert train.classes == ["강아지", "고양이"]
    assert [number for _, number in train.samples] == [0, 0, 1, 1]
    assert train[0][0].size == (48, 32)


def test_image_folder_can_be_scanned_again_with_its_parts(tmp_path: Path) -> None:
    exported(folder_of_pictures(tmp_path / "data"), tmp_path / "out", "imagefolder", split=True)
    with scanned(tmp_path / "data") as dataset, scanned(tmp_path / "out") as again:
        both = [{(row.sha256, row.label, row.part) for row in one.pictures.rows()} for one in (dataset, again)]
    assert both[0] == both[1]


def test_metadata_has_the_same_fields_in_every_line_and_the_right_digest(tmp_path: Path) -> None:
    root = folder_of_pictures(tmp_path / "data")
    exported(root, tmp_path / "out", "imagefolder", split=True)
    rows = rows_of(tmp_path / "out")
    assert {part: len(those) for part, those in rows.items()} == {"train": 4, "validation": 2, "test": 2}
    fields = ["file_name", "label", "page", "address", "title", "author", "licence", "licence_address", "sha256"]
    for part, those in rows.items():
        for row in those:
            assert list(row) == [*fields, "width", "height"]
            data = (tmp_path / "out" / part / str(row["file_name"])).read_bytes()
            assert sha256(data).hexdigest() == row["sha256"]
            assert Image.open(BytesIO(data)).size == (row["width"], row["height"])


def test_files_are_second_names_and_copies_when_asked_for(tmp_path: Path) -> None:
    root = folder_of_pictures(tmp_path / "data")
    exported(root, tmp_path / "linked", "imagefolder")
    exported(root, tmp_path / "copied", "imagefolder", copy=True)
    name = "고양이/google_0000.jpg"
    assert (root / "images" / name).samefile(tmp_path / "linked" / "train" / name)
    assert not (root / "images" / name).samefile(tmp_path / "copied" / "train" / name)
    assert (root / "images" / name).read_bytes() == (tmp_path / "copied" / "train" / name).read_bytes()


def test_files_are_copied_to_another_disk(tmp_path: Path) -> None:
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK) or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system")
    root = folder_of_pictures(tmp_path / "data")
    with TemporaryDirectory(dir=memory) as folder:
        assert exported(root, Path(folder) / "out", "imagefolder").count == 8
        name = "고양이/google_0000.jpg"
        assert (Path(folder) / "out" / "train" / name).read_bytes() == (root / "images" / name).read_bytes()


def test_hostile_names_and_labels_stay_inside_and_apart(tmp_path: Path) -> None:
    root = hostile_folder(tmp_path / "data")
    count = len(HOSTILE) + len(HOSTILE_LABELS) + 1
    came = exported(root, tmp_path / "out", "imagefolder")
    assert came.count == count
    files = [file for file in (tmp_path / "out").rglob("*") if file.suffix in {".jpg", ".jpeg", ".png"}]
    assert len(files) == count
    names = [file.relative_to(tmp_path / "out").as_posix() for file in files]
    assert len({name.casefold() for name in names}) == count
    for name in names:
        assert name.startswith("train/")
        assert name.count("/") == 2
        assert not set(name) & set('\n"<>\\|\u202e')
        assert "/." not in name
        assert not name.startswith("train/__")
        assert max(len(part.encode()) for part in name.split("/")) <= 90
    assert sum(name.endswith(".png") for name in names) == 1  # the extension tells the truth
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out"]
    assert {row["label"] for row in rows_of(tmp_path / "out")["train"]} == {*HOSTILE_LABELS, "고양이"}
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert '  - split: train\n    path: "train/**"\n---\n' in card


def test_label_that_is_a_path_cannot_leave_the_folder(tmp_path: Path) -> None:
    root = folder_of_pictures(tmp_path / "data")
    labels = ("../../x", "/etc/x", "..", "a/b")
    with scanned(root) as dataset:
        for row, label in zip(dataset.pictures.rows(), labels, strict=False):
            dataset.pictures.judge([row.id], Action.RELABEL, "me", label)
    for form in ("imagefolder", "parquet", "webdataset"):
        exported(root, tmp_path / "out" / form, form)
        table = json.loads((tmp_path / "out" / form / "labels.json").read_text("utf-8"))
        assert {one["label"] for one in table} == {*labels, "고양이"}
        assert all("/" not in one["folder"] and not one["folder"].startswith(".") for one in table)
    assert len(list((tmp_path / "out" / "imagefolder" / "train").glob("*/*"))) == 8
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out"]


def test_attribution_groups_by_licence_and_means_nothing_but_text(tmp_path: Path) -> None:
    plain_one = Found("https://x.example/b.jpg", page="https://x.example/p?q=(1)", title="둘")
    root = crawled(tmp_path / "data", [plain_one, ODD])
    came = exported(root, tmp_path / "out", "imagefolder")
    assert any("known licence: 1 of 2" in one for one in came.warnings)
    text = (tmp_path / "out" / "ATTRIBUTION.md").read_text("utf-8")
    known, unknown = text.index("## [CC BY 4\\.0](<https://creativecommons.org/"), text.index("## Licence not known")
    assert known < unknown
    assert r"\*\*bold\*\* \[x\]\(javascript\:y\) \<img src\=x\> \| 제목](<https://x.example/a%20b.jpg>)" in text
    assert r'by "; \<b\>A\</b\> \`tick\`' in text
    assert "[둘](<https://x.example/p?q=%281%29>)" in text
    assert "javascript:" not in text


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("https://x.example/가?q=1#a", "https://x.example/%EA%B0%80?q=1#a"),
        ("http://x.example/%20(1)'\"<>", "http://x.example/%20%281%29%27%22%3C%3E"),
        ("javascript:alert(1)", ""),
        (" data:text/html,x", ""),
        ("JavaScript://x.example/%0aalert(1)", ""),
        ("https:///x", ""),
        ("http://[", ""),
        ("", ""),
    ],
)
def test_only_web_addresses_become_links(address: str, safe: str) -> None:
    assert web_address(address) == safe


def test_text_is_one_line_that_turns_nothing() -> None:
    assert plain("a\nb\0\tc \u202edcba\u2069  e") == "a b c dcba e"
    assert plain("가" * 400, 10) == "가" * 9 + "…"
    assert markdown("1. a_b") == r"1\. a\_b"


def test_parquet_has_pictures_class_names_and_sources(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    root = folder_of_pictures(tmp_path / "data")
    exported(root, tmp_path / "out", "parquet", split=True)
    names = sorted(file.name for file in (tmp_path / "out" / "data").iterdir())
    assert names == [f"{part}-00000-of-00001.parquet" for part in ("test", "train", "validation")]
    table = pq.read_table(tmp_path / "out" / "data" / "train-00000-of-00001.parquet")
    features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    assert features["image"] == {"_type": "Image"}
    assert features["label"] == {"names": ["강아지", "고양이"], "_type": "ClassLabel"}
    assert list(features) == table.schema.names
    rows = table.to_pylist()
    assert [sha256(row["image"]["bytes"]).hexdigest() for row in rows] == sorted(row["sha256"] for row in rows)
    for row in rows:
        assert row["image"]["path"].startswith(features["label"]["names"][row["label"]] + "/google_")
        assert Image.open(BytesIO(row["image"]["bytes"])).size == (row["width"], row["height"])


def test_parquet_shards_and_row_groups_stay_small(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    with scanned(folder_of_pictures(tmp_path / "data", each=60)) as dataset:
        rows = dataset.pictures.rows()
        chosen = select(dataset.root, rows, lambda *_: None)
        out = tmp_path / "out"
        out.mkdir()
        parquet.write(chosen, out, shard=200_000)
        assert chosen.counts["train"].total() == 120
    files = sorted((out / "data").glob("*.parquet"))
    count = len(files)
    assert count > 1
    assert [file.name for file in files] == [f"train-{number:05d}-of-{count:05d}.parquet" for number in range(count)]
    shapes = [pq.ParquetFile(file).metadata for file in files]
    assert sum(one.num_rows for one in shapes) == 120
    assert all(one.row_group(0).num_rows <= parquet.GROUP_ROWS for one in shapes)
    assert max(file.stat().st_size for file in files) < 260_000


def test_webdataset_keeps_what_belongs_together_together(tmp_path: Path) -> None:
    root = folder_of_pictures(tmp_path / "data")
    exported(root, tmp_path / "out", "webdataset", split=True)
    assert sorted(file.name for file in (tmp_path / "out").glob("*.tar")) == [
        f"{part}-000000.tar" for part in ("test", "train", "validation")
    ]
    labels = json.loads((tmp_path / "out" / "labels.json").read_text("utf-8"))
    with tarfile.open(tmp_path / "out" / "train-000000.tar") as tar:
        members = tar.getmembers()
        assert len(members) == 12
        for at in range(0, 12, 3):
            keys, endings = zip(*(one.name.split(".") for one in members[at : at + 3]), strict=True)
            assert len(set(keys)) == 1
            assert endings == ("jpg", "cls", "json")  # whatever the format: one kind of sample
            image, number, facts = (tar.extractfile(one).read() for one in members[at : at + 3])  # type: ignore[union-attr]
            told = json.loads(facts)
            assert told["format"] == Image.open(BytesIO(image)).format
            assert told["sha256"] == sha256(image).hexdigest()
            assert labels[int(number)]["label"] == told["label"]
        assert {(one.mtime, one.uid, one.gid, one.uname, one.mode) for one in members} == {(0, 0, 0, "", 0o644)}


def test_webdataset_shards_stay_small(tmp_path: Path) -> None:
    with scanned(folder_of_pictures(tmp_path / "data", each=30)) as dataset:
        there, missed = present(dataset.root, dataset.pictures.rows())
        assert not missed
        chosen = select(dataset.root, there, lambda *_: None)
        shards.write(chosen, tmp_path, shard=100_000)
    files = sorted(tmp_path.glob("*.tar"))
    assert len(files) > 1
    keys = []
    for file in files:
        assert file.stat().st_size < 120_000
        with tarfile.open(file) as tar:
            keys += [name for name in tar.getnames() if name.endswith(".cls")]
    assert len(keys) == len(set(keys)) == 60
