"""Five thousand labels: trained, stored small, loaded, served, and shown in a page and on a card that stay readable."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from selenium.webdriver.common.keys import Keys

from handwriter_models import load
from handwriter_models.bundle import CONFIG_FILE, NetworkConfig, read_config, write_bundle
from handwriter_models.errors import UserError
from handwriter_models.learning.card import write_card
from handwriter_models.learning.confusion import WHOLE, Confusion
from handwriter_models.learning.metrics import confused_pairs, measure
from handwriter_models.networks import build
from tests.api_client import send
from tests.browser import Browser
from tests.characters import encoded, picture_of, strokes_of
from tests.conftest import drawn_seven, small_config, write_small_bundle
from tests.demo_server import Server, running
from tests.training_cases import small_recipe
from training.answers import Answers
from training.figures_confusion import draw_confusion
from training.figures_style import drawable
from training.fit import Order, _finish, augmentation_of, first_config
from training.loop import Material, Trainer
from training.progress import training_progress
from training.samples import Samples, Splits
from training.start_weights import first_network
from training.stopwatch import Stopwatch
from training.summary import print_summary

LABELS = [f"고양이 {n:04d}" if n % 2 else f"golden retriever {n:04d}" for n in range(4998)] + ["free pattern", "</li>"]
TEXTS = "return [...document.querySelectorAll(arguments[0])].map((node) => node.textContent.trim())"
NAMES = "return [...document.querySelectorAll(arguments[0])].map((node) => node.dataset.label)"


def samples(count: int, seed: int) -> Samples:
    """Pictures of noise, the labels in turn."""
    random = np.random.default_rng(seed)
    pictures = random.integers(0, 256, (count, 28, 28), np.uint8)
    return Samples(pictures, np.arange(count) * 7 % len(LABELS), np.full(count, -1, np.int64), LABELS, "noise")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A bundle that was trained on five thousand labels, and its metrics."""
    out = tmp_path_factory.mktemp("trained") / "many"
    order = Order("noise", small_recipe(batch=512, epochs=1), out)
    splits = Splits(samples(len(LABELS), 0), samples(600, 1), samples(600, 2), own_test=True)
    config = first_config(order, splits)
    material = Material(splits.train, splits.validation, augmentation_of(order.recipe), {})
    trainer = Trainer(first_network(config, None), order.recipe, material, out.with_name("run"), "cpu")
    with training_progress(trainer.steps, 0, 1, len(splits.train)) as progress:
        trainer.train(progress)
    return out, _finish(order, config, trainer, splits, Stopwatch())


def test_five_thousand_labels_are_trained_and_loaded(trained: tuple[Path, dict[str, Any]]) -> None:
    folder, metrics = trained
    classifier = load(folder)
    assert classifier.labels == tuple(LABELS)
    assert list(classifier.predict(drawn_seven()).probabilities) == LABELS
    assert (folder / CONFIG_FILE).stat().st_size < 2 * 2**20
    stored = read_config(folder).metrics
    assert stored["confusion"] == json.loads(json.dumps(metrics))["confusion"]
    assert set(stored["confusion"]) == {"shape", "cells", "left_out"}
    assert stored["confusion"]["shape"] == [5000, 5000]
    assert sum(count for _, _, count in stored["confusion"]["cells"]) == stored["n"] == 600
    lines = (folder / CONFIG_FILE).read_text("utf-8").splitlines()
    assert len(lines) < 4 * len(LABELS)


def test_card_and_figures_show_the_worst_labels(
    trained: tuple[Path, dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, metrics = trained
    card = (folder / "README.md").read_text("utf-8")
    assert len(card) < 12_000
    assert "These are the 30 labels with the lowest F1 of" in card
    assert {path.name for path in folder.glob("figures/*.png")} >= {"confusion.png", "confused_pairs.png"}
    print_summary(metrics, "many")
    assert len(capsys.readouterr().out) < 4000


def test_only_the_most_confused_labels_are_drawn() -> None:
    """Fifty pairs that are taken for each other, among labels that are always right."""
    actual = np.repeat(np.arange(5000), 2)
    guesses = actual.copy()
    for label in range(100, 150, 2):
        guesses[2 * label] = label + 1
    probabilities = np.full((len(actual), 5000), 1e-5, np.float32)
    probabilities[np.arange(len(actual)), guesses] = 0.95
    of = Samples(np.zeros((len(actual), 1, 1), np.uint8), actual, np.full(len(actual), -1), LABELS, "made up")
    figure = draw_confusion(Answers(of, probabilities, np.zeros(len(actual), bool)), drawable(LABELS))
    axes = figure.axes[0]
    shown = [text.get_text() for text in axes.get_yticklabels()]
    assert shown == drawable(LABELS[100:140]).names
    assert "the 40 of 5,000 labels" in axes.get_title("left")
    assert "9975 of 10000 right" in axes.get_title("left")


def test_pairs_are_as_the_whole_matrix_has_them() -> None:
    random = np.random.default_rng(0)
    for labels in (2, WHOLE, WHOLE + 1, 300):
        actual, predicted = random.integers(0, labels, (2, 1000))
        matrix = np.zeros((labels, labels), int)
        np.add.at(matrix, (actual, predicted), 1)
        confusion = Confusion.of(actual, predicted, labels)
        assert isinstance(confusion.to_json(), list) is (labels <= WHOLE)
        for stored in (confusion.to_json(), matrix.tolist()):  # and what earlier versions stored of many labels
            again = Confusion.from_json(json.loads(json.dumps(stored)))
            assert (again.matrix(np.arange(labels)) == matrix).all()
        assert (confusion.right == matrix.diagonal()).all()
        assert (confusion.of_actual == matrix.sum(axis=1)).all()
        assert (confusion.of_predicted == matrix.sum(axis=0)).all()
        names = [str(n) for n in range(labels)]
        np.fill_diagonal(matrix, 0)
        counts = [pair["count"] for pair in confused_pairs(confusion, names, 20)]
        assert counts == sorted(matrix[matrix > 0].tolist(), reverse=True)[:20]


def test_pairs_and_rows_that_are_stored_are_bounded() -> None:
    count = 120_000
    stored = Confusion.of(np.arange(count), (np.arange(count) + 1) % count, count).to_json()
    assert (len(stored["cells"]), stored["left_out"]) == (100_000, 20_000)
    labels, names = np.arange(12_000), [str(n) for n in range(12_000)]
    chosen = np.minimum(labels, 3)  # four labels are ever said
    metrics = measure(labels[:300], np.eye(12_000, dtype=np.float32)[chosen[:300]], np.zeros(300, bool), names)
    assert len(metrics["per_label"]) == 300


def test_bundle_of_an_earlier_version_is_loaded_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its confusion matrix is a list of lists, also of many labels, and it has no list of confused pairs."""
    labels = tuple(f"ㄱ{n}" for n in range(150))
    random = np.random.default_rng(0)
    actual, guesses = random.integers(0, 150, (2, 400))
    metrics = measure(actual, np.eye(150)[guesses], np.zeros(400, bool), list(labels))
    matrix = np.zeros((150, 150), int)
    np.add.at(matrix, (actual, guesses), 1)
    commonest = metrics.pop("confused")[0]
    network = NetworkConfig("compact", {"outputs": 150, "members": 1, "widths": [4, 6, 8], "dropout": 0.1})
    old = {**metrics, "confusion": matrix.tolist()}
    config = small_config(background=False, labels=labels, network=network, metrics=old)
    folder = write_small_bundle(tmp_path / "old", config)
    (folder / CONFIG_FILE).write_text(json.dumps(config.to_json(), indent=2), "utf-8")  # a number a line, as it was
    assert load(folder).config == config
    print_summary(read_config(folder).metrics, "old")
    assert f"{commonest['actual']} as {commonest['predicted']}" in capsys.readouterr().out.replace("\n", " ")
    assert "ㄱ" in write_card(replace(config, data={"source": "made up"}), [])


def test_what_would_be_too_large_to_load_is_not_written(tmp_path: Path) -> None:
    count = 99_000
    network = NetworkConfig("mlp", {"outputs": count, "size": 28, "hidden": [1]})
    state = build("mlp", network.arguments).state_dict()
    labels = tuple(f"{n:060d}" for n in range(count))
    row = {"precision": 0.5, "recall": 0.5, "f1": 0.5, "n": 1}
    metrics = {"accuracy": 0.5, "per_label": dict.fromkeys(labels, row), "confusion": [[1, 2]], "labels": list(labels)}
    config = small_config(background=False, labels=labels, network=network, metrics=metrics)
    folder = write_bundle(tmp_path / "large", config, state, "# large\n")
    stored = read_config(folder)
    assert stored.labels == labels
    assert stored.metrics == {
        "accuracy": 0.5,
        "labels": list(labels),
        "left_out_for_size": ["confusion", "per_label"],
    }
    longer = replace(config, labels=tuple(f"{n:0199d}" for n in range(count)), metrics={})
    with pytest.raises(UserError, match="at most 16 are read"):
        write_bundle(tmp_path / "larger", longer, state, "# larger\n")
    assert not (tmp_path / "larger").exists()


def test_a_network_has_as_many_outputs_as_there_may_be_labels() -> None:
    build("mlp", {"outputs": 100_001, "size": 28, "hidden": [1]})
    with pytest.raises(UserError, match="100002"):
        build("mlp", {"outputs": 100_002, "size": 28, "hidden": [1]})
    with pytest.raises(UserError, match="5000"):
        build("mlp", {"outputs": 10, "size": 28, "hidden": [5000]})


# Served


@pytest.fixture(scope="module")
def server(trained: tuple[Path, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    corrections = tmp_path_factory.mktemp("feedback") / "corrections"
    options = ["--model", f"many={trained[0]}", "--feedback", str(corrections)]
    with running(options) as started:
        yield started
    assert "Traceback" not in "".join(started.said), "".join(started.said)


def test_five_thousand_labels_are_served(server: Server) -> None:
    with httpx.Client(base_url=server.address, timeout=60, trust_env=False) as client:
        many = next(model for model in client.get("/models").json() if model["name"] == "many")
        assert many["labels"] == LABELS
        answer = send(client, encoded(picture_of("7")), model="many").json()
        assert list(answer["probabilities"]) == LABELS
        assert answer["label"] in LABELS
        card = client.get("/models/many").text
        assert card.count("<tr>") < 100


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Browser]:
    browser.requested()
    browser.open(server.address)
    browser.use("many")
    yield browser
    assert browser.console_errors() == []


def nodes(page: Browser) -> int:
    return int(page.run("return document.querySelectorAll('*').length"))


def test_of_thousands_ten_are_shown_and_the_others_are_searched_for(page: Browser) -> None:
    page.draw(strokes_of("7"), pause_ms=2)
    page.wait(lambda: page.answers and len(page.bars()) == 10, "ten bars")
    page.wait(lambda: not page.run("return document.querySelector('#wrong').disabled"), "the pen was lifted")
    shares = list(page.bars().values())
    assert shares == sorted(shares, reverse=True)
    assert page.text("#all-title") == "Find one of 5,000 labels"
    summary, field = page.find("#all summary"), page.find("#all input")
    assert summary
    assert field
    summary.send_keys(Keys.ENTER)
    page.wait(lambda: page.run(NAMES, "#all li") == list(page.bars()), "before a search the likeliest")
    field.send_keys("고양이 01")
    page.wait(lambda: all(name.startswith("고양이 01") for name in page.run(NAMES, "#all li")), "those that begin so")
    assert len(page.run(NAMES, "#all li")) == 10
    field.send_keys("99")
    page.wait(lambda: page.run(NAMES, "#all li") == ["고양이 0199"], "the one")
    field.clear()
    field.send_keys("RETRIEVER 1234")
    page.wait(lambda: page.run(NAMES, "#all li") == ["golden retriever 1234"], "found without capitals, anywhere")
    field.clear()
    field.send_keys("</li>")
    page.wait(lambda: page.run(NAMES, "#all li") == ["</li>"], "names are text")
    field.clear()
    field.send_keys("no such label")
    page.wait(lambda: page.run(TEXTS, "#all li") == ["No label has that in its name."], "none")
    page.click('[data-language="ko"]')
    assert page.text("#all-title") == "5,000가지 중에서 찾기"
    page.wait(lambda: page.run(TEXTS, "#all li") == ["그런 이름은 없습니다."], "in Korean")
    field.clear()
    field.send_keys("자유 무늬")
    page.wait(lambda: page.run(NAMES, "#all li") == ["free pattern"], "by the name that is shown")
    page.click('[data-language="en"]')
    assert nodes(page) < 600


def test_what_stands_open_follows_the_language(page: Browser) -> None:
    page.draw(strokes_of("7"), pause_ms=2)
    page.wait(lambda: not page.run("return document.querySelector('#wrong').disabled"), "the pen was lifted")
    page.click("#wrong")
    page.click("#why")
    page.wait(lambda: page.run(TEXTS, "#why-label option"), "what can be explained")
    options = "#right option"
    assert page.run(TEXTS, options)[0] == "choose …"
    field = page.find("#right-search")
    assert field
    field.send_keys("free pat")
    page.wait(
        lambda: page.run(TEXTS, options) == ["choose …", "free pattern", "none of these"], "what was searched for"
    )
    page.choose("#right", "free pattern")
    page.click('[data-language="ko"]')
    assert page.run(TEXTS, options) == ["고르세요 …", "자유 무늬", "이 중에 없음"]
    assert page.run("return document.querySelector('#right').selectedOptions[0].textContent") == "자유 무늬"
    assert page.run(TEXTS, "#why-label option")[0] == "모델의 답"
    for which in ("#right-search", "#why-search", "#all input"):
        named = "const node = document.querySelector(arguments[0]); return [node.placeholder, node.ariaLabel]"
        assert page.run(named, which) == ["찾을 이름의 일부"] * 2
    page.click("#wrong-send")
    page.wait(lambda: "고맙습니다" in page.text("#wrong-note"), "it was taken")
    page.click('[data-language="en"]')
    assert "Thank you" in page.text("#wrong-note")
    field.clear()
    assert page.run("return document.querySelector('#wrong-send').disabled")
    page.click('[data-language="ko"]')
    assert page.run("return document.querySelector('#right').value") == "", "nothing was chosen"
    page.click('[data-language="en"]')


def test_a_correction_and_a_reason_are_chosen_by_searching(page: Browser) -> None:
    page.draw(strokes_of("7"), pause_ms=2)
    page.wait(lambda: not page.run("return document.querySelector('#wrong').disabled"), "the pen was lifted")
    page.click("#wrong")
    options = "return [...document.querySelectorAll('#right option')].map((one) => one.textContent)"
    assert 10 <= len(page.run(options)) <= 12
    field = page.find("#right-search")
    assert field
    field.send_keys("고양이 0011" + Keys.ENTER)
    page.wait(lambda: "고양이 0011" in page.run(options), "what was searched for")
    page.choose("#right", "고양이 0011")
    page.click("#wrong-send")
    page.wait(lambda: "Thank" in page.text("#wrong-note"), "it was taken")
    page.click("#why")
    field = page.find("#why-search")
    assert field
    field.send_keys("고양이 0013")
    page.choose("#why-label", "고양이 0013")
    page.wait(lambda: "고양이 0013" in page.text("#why-note"), "why that label")
    assert nodes(page) < 600
