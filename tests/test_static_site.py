"""A built site in a real browser: it reads what is drawn and uploaded as the classifier does, and asks nobody else."""

from __future__ import annotations

import gzip
import html
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image
from selenium.webdriver.common.keys import Keys
from sklearn.datasets import load_digits
from typer.testing import CliRunner

from handwriter_models.bundle import find_bundle
from handwriter_models.classifier import load
from handwriter_models.commands import app
from handwriter_models.photograph import Photograph
from tests.axe import violations
from tests.browser import Browser
from tests.characters import encoded, picture_of, strokes_of
from tests.conftest import small_config, write_small_bundle
from tests.small_photos import photo
from tests.static_pages import BLOB, called, served, text_of

pytest.importorskip("onnx", reason="onnx is an extra")
pytest.importorskip("onnxscript", reason="onnxscript is an extra")
pytest.importorskip("onnxruntime", reason="onnxruntime is an extra")

EXAMPLES = sorted((Path(__file__).resolve().parents[1] / "demo" / "examples").glob("*.[jp][pn]g"))
SAME = ("model", "label", "rejected", "category")
SCALE, COLOURS = 0.05, ("빨강", "green", "blue")
READ = (
    BLOB
    + """
const {Reader} = await at('reader.js'), {pixelsOf} = await at('picture.js');
const config = await (await fetch(`models/${given.model}/config.json`)).json();
const reader = new Reader(config), answers = [];
for (const text of given.pictures) answers.push({...await reader.answer(await pixelsOf(blob(text))), seen: ''});
return answers;
"""
)


BUNDLES = {name: find_bundle(name) for name in ("digits", "characters")}
TITLE = 'Écriture "한글" <b>'
WAY = Photograph(72, 64, bicubic=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A site with two models that we ship and one that another person made, and what the command says of it."""
    place = tmp_path_factory.mktemp("static")
    folder = place / "new" / "site"
    (folder / "models" / "old").mkdir(parents=True)  # of an earlier site
    for name in ("index.html", "models.json"):
        (folder / name).write_text("[]")
    theirs = write_small_bundle(place / "숫자", small_config(name="숫자", metrics={"accuracy": 0.5, "n": 4}))
    options = ["--out", str(folder), "--title", TITLE, "--json"]
    done = CliRunner().invoke(app, ["site", *map(str, BUNDLES.values()), str(theirs), *options])
    assert done.exit_code == 0, done.output
    return folder, json.loads(done.stdout)


@pytest.fixture(scope="module")
def site(built: tuple[Path, dict[str, Any]]) -> Iterator[str]:
    """Its address, with one more model, of photographs."""
    add_photographs(built[0])
    with served(built[0]) as address:
        yield address


def add_photographs(folder: Path) -> None:
    """A model that says which colour a photograph has most of: exporting a real one takes a minute."""
    from onnx import TensorProto, helper, numpy_helper

    steps = [
        helper.make_node("Cast", ["pictures"], ["values"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["values", "axes"], ["means"], keepdims=0),
        helper.make_node("Mul", ["means", "scale"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    inputs = [helper.make_tensor_value_info("pictures", TensorProto.UINT8, ["n", 64, 64, 3])]
    outputs = [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 3])]
    numbers = [("axes", np.array([1, 2])), ("scale", np.array(SCALE, np.float32))]
    parts = [numpy_helper.from_array(values, name) for name, values in numbers]
    graph = helper.make_graph(steps, "colours", inputs, outputs, parts)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    config = {
        "name": "colours", "kind": "photographs", "description": {"en": "Colours", "ko": "색"}, "labels": list(COLOURS),
        "preprocessing": WAY.preprocessing().to_json(), "rejection": None, "rejects": False, "parameters": 1,
        "input": {"name": "pictures", "type": "uint8", "shape": ["n", 64, 64, 3]}, "outputs": ["probabilities"],
    }  # fmt: skip
    (folder / "models" / "colours").mkdir()
    (folder / "models" / "colours" / "config.json").write_text(json.dumps(config), "utf-8")
    (folder / "models" / "colours" / "model.onnx.gz").write_bytes(gzip.compress(model.SerializeToString()))
    (folder / "models.json").write_text(json.dumps([*BUNDLES, "colours"]), "utf-8")


def test_folder_holds_page_models_runtime_and_a_card_for_the_space(built: tuple[Path, dict[str, Any]]) -> None:
    folder, told = built
    assert [path.name for path in folder.parent.iterdir()] == ["site"]
    assert {path.name for path in (folder / "models").iterdir()} >= {*BUNDLES, "숫자"}
    assert not (folder / "models" / "old").exists()
    assert [one["name"] for one in told["models"]] == [*BUNDLES, "숫자"]
    assert all(one["difference"] < 0.02 and one["bytes"] < 600_000 for one in told["models"])
    assert told["bytes"] < 4_000_000
    config = json.loads((folder / "models/숫자/config.json").read_text("utf-8"))
    assert (config["accuracy"], config["tested"], config["ece"], config["rejects"]) == (0.5, 4, None, True)
    front = yaml.safe_load((folder / "README.md").read_text("utf-8").split("---\n")[1])
    assert (front["sdk"], front["title"]) == ("static", TITLE)
    assert f"<h1>{html.escape(TITLE)}</h1>" in (folder / "index.html").read_text("utf-8")
    assert "onnxruntime.wasm.zst" in (folder / "runtime/LICENSES.txt").read_text("utf-8")


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Browser]:
    """The page just opened; it must not complain, and must ask nobody but its own host."""
    browser.console_errors()
    browser.requested()
    browser.open(site)
    yield browser
    assert browser.console_errors() == []
    assert [address for address in browser.requested() if not address.startswith(site)] == []


def test_digit_is_read_while_it_is_drawn_and_undone_with_the_keyboard(page: Browser) -> None:
    page.run(
        "window.during = 0; const down = (e) => { window.held = e.type === 'pointerdown'; };"
        "const canvas = document.querySelector('#canvas');"
        "for (const name of ['pointerdown', 'pointerup']) canvas.addEventListener(name, down, true);"
        "new MutationObserver(() => { window.during += window.held; })"
        ".observe(document.querySelector('#result'), {attributeFilter: ['data-answers']});"
    )
    page.draw(strokes_of("7"))
    page.wait_for_answer("7")
    assert list(page.bars()) == list("0123456789")
    assert page.bars()["7"] > 0.9
    assert page.run("return during") > 0
    page.driver.switch_to.active_element.send_keys(Keys.CONTROL + "z")
    page.wait_for_state("blank")
    page.click("#redo")
    page.wait_for_answer("7")
    page.click("#clear")
    page.wait_for_state("blank")
    canvas = page.find("#canvas")
    assert canvas
    canvas.send_keys(" " + Keys.ARROW_DOWN * 20 + " ")
    page.wait(lambda: page.state in ("answer", "rejected"), "an answer to the keyboard's pen")


def test_scribble_is_refused_and_the_other_model_is_asked_about_it(page: Browser) -> None:
    page.draw(strokes_of(":)"))
    page.wait_for_state("rejected")
    assert page.text("#title") == "Not a digit"
    page.click('#models input[value="characters"]')
    page.wait(
        lambda: page.find("#groups li.hw-best") and page.text("#groups li.hw-best").startswith("Pattern"), "group"
    )
    assert violations(page) == []


def test_picture_is_taken_from_a_file_and_what_is_none_is_refused(page: Browser, tmp_path: Path) -> None:
    page.click("#tab-upload")
    (tmp_path / "글.txt").write_text("no picture")
    (tmp_path / "blank.png").write_bytes(encoded(Image.new("RGB", (200, 200), "white")))
    file = page.find("#file")
    assert file
    file.send_keys(str(next(path for path in EXAMPLES if path.stem == "ruled")))
    page.wait_for_state("answer")
    assert page.text("#file-name") == "ruled.jpg"
    file.send_keys(str(tmp_path / "글.txt"))
    page.wait_for_state("error")
    assert "not a picture" in page.text("#detail")
    file.send_keys(str(tmp_path / "blank.png"))
    page.wait(lambda: page.text("#title") == "Nothing is written here", "blank")


def test_page_speaks_korean_and_photographs_are_not_drawn(page: Browser, tmp_path: Path) -> None:
    page.click('[data-language="ko"]')
    page.click('#models input[value="colours"]')
    page.wait(lambda: page.run("return document.querySelector('#tab-draw').hidden"), "no drawing")
    (tmp_path / "사진.png").write_bytes(encoded(photo(4, (300, 200))))
    file = page.find("#file")
    assert file
    file.send_keys(str(tmp_path / "사진.png"))
    page.wait(lambda: page.state != "blank", "an answer")
    assert set(page.bars()) == set(COLOURS)
    assert "그림은 이 기기를 떠나지 않습니다" in page.text("footer")
    page.click('[data-language="en"]')


def handwriting() -> list[bytes]:
    """Drawings by hand and by pen, photographs of paper, scans, and what is no character."""
    names = [(name, width) for name in ("7", "3", "0", "4", ":)") for width in (5, 18)]
    files = [encoded(picture_of(name, width)) for name, width in names]
    files += [path.read_bytes() for path in EXAMPLES]
    scans = np.round(load_digits().images[100:110] * (255 / 16)).astype(np.uint8)
    files += [encoded(Image.fromarray(scan).resize((24, 24), 3).convert("RGB")) for scan in scans]
    return [*files, encoded(Image.new("RGB", (90, 90), "white"))]


@pytest.mark.parametrize("model", list(BUNDLES))
def test_answers_are_those_of_the_classifier(page: Browser, model: str) -> None:
    files = handwriting()
    found = called(page, READ, {"model": model, "pictures": [text_of(data) for data in files]})
    for one, wanted in zip(found, load(BUNDLES[model]).predict_many(files), strict=True):
        said: dict[str, Any] = wanted.to_json()
        assert {key: one.get(key) for key in SAME} == {key: said.get(key) for key in SAME}
        assert one["reason"] == wanted.reason
        assert one["confidence"] == pytest.approx(wanted.confidence, abs=0.02)
        assert one["probabilities"] == pytest.approx(wanted.probabilities, abs=0.02)


def test_photographs_are_answered_from_what_their_preparation_makes_of_them(page: Browser) -> None:
    pictures = [photo(seed, (200, 150)) for seed in range(3)]
    given = {"model": "colours", "pictures": [text_of(encoded(picture)) for picture in pictures]}
    for one, picture in zip(called(page, READ, given), pictures, strict=True):
        logits = WAY(picture).mean(axis=(0, 1)) * SCALE
        shares = np.exp(logits - logits.max())
        wanted = dict(zip(COLOURS, (shares / shares.sum()).tolist(), strict=True))
        assert one["probabilities"] == pytest.approx(wanted, abs=0.002)
        assert (one["label"], one["rejected"]) == (max(wanted, key=wanted.__getitem__), False)
