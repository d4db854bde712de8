"""From a folder of photographs and a recipe to a bundle: the stages in their order, and what all networks share.

`datasets` gives the pictures in parts, `frozen` a new head on a network that exists, `finetune` trains on the pictures
themselves; here the result is calibrated, measured, drawn and written.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from curation.backbone_weights import IMAGENET, NONE
from curation.features import content_picture
from curation.listing import PictureRow
from handwriter_models.bundle import (
    BundleConfig,
    NetworkConfig,
    Preprocessing,
    Rejection,
    find_bundle,
    read_config,
    write_bundle,
)
from handwriter_models.classifier import Classifier
from handwriter_models.errors import UserError
from handwriter_models.images import PictureError
from handwriter_models.learning.calibration import fit_temperature, probability_threshold
from handwriter_models.learning.card import write_card
from handwriter_models.learning.learned import with_parent
from handwriter_models.learning.options import Epoch
from handwriter_models.networks import arguments_as_json
from handwriter_models.photograph import Photograph
from training import frozen
from training.checkpoint import remove_checkpoint, run_folder
from training.datasets import Photographs, photographs
from training.evaluate import Answers, metrics_of
from training.figures import draw_figures
from training.fit import finished_metrics, public_name
from training.held_out_photographs import prints_of_rows
from training.progress import messages
from training.recipes import Recipe
from training.samples import Samples
from training.stopwatch import Stopwatch

if TYPE_CHECKING:
    from training.finetune import PhotoMaterial
    from training.fit import Order

_THUMBNAIL = Photograph(112, 112)
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Trained:
    """A network that has learned, in evaluation mode on the CPU, and its logits on two parts of the dataset.

    `rows` are those of training, validation and test that could be read.
    """

    network: nn.Module
    network_config: NetworkConfig
    preprocessing: Preprocessing
    validation: Tensor
    test: Tensor
    rows: dict[str, list[PictureRow]]
    history: list[Epoch]
    parent: dict[str, Any] | None = None


def fit_photographs(order: Order) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Trains and writes the bundle `order.out`; its metrics, and path and reason of what could not be read."""
    watch = Stopwatch()
    recipe = order.recipe
    with ExitStack() as stack:
        with watch.stage("read"), order.ranks.first_alone():
            dataset = stack.enter_context(photographs(order.source, recipe.data, recipe.train.seed))
        counts = ", ".join(f"{part} {count:,}" for part, count in dataset.counts().items())
        messages.print(
            f"{order.source}: {counts} pictures, {len(dataset.names)} labels ({dataset.divided})", markup=False
        )
        finished = finished_metrics(order, _told(order).as_json(), dataset.fingerprint())
        if finished is not None:
            return finished, dataset.unreadable
        if order.recipe.is_transfer:
            trained, unreadable = _transferred(order, dataset, watch)
        else:
            trained, unreadable = _from_nothing(order, dataset, watch)
        if not order.ranks.main:
            return {}, []
        metrics = _finish(order, dataset, trained, watch)
    return metrics, sorted({*dataset.unreadable, *unreadable})


def _transferred(order: Order, dataset: Photographs, watch: Stopwatch) -> tuple[Trained, list[tuple[str, str]]]:
    recipe, outputs = order.recipe, len(dataset.names)
    with watch.stage("load"), order.ranks.first_alone():  # weights are downloaded once
        backbone, parent = frozen.chosen_backbone(recipe.backbone, order.start, order.device)
    with watch.stage("features"):
        found = frozen.seen(dataset, backbone, recipe, order.ranks)
    with watch.stage("head"):
        trained = frozen.learned_head(found, outputs, recipe, order.device)
    network = frozen.joined(backbone.on("cpu"), trained.head, recipe, outputs)
    arguments = frozen.arguments_of(backbone, recipe, outputs)
    assert isinstance(backbone.prepare, Photograph)  # noqa: S101 - tells the type
    way = backbone.prepare
    result = Trained(
        network,
        NetworkConfig("transfer", arguments),
        way.preprocessing(),
        trained.logits(found.parts["validation"].values[:, 0]),
        trained.logits(found.parts["test"].values[:, 0]),
        found.rows,
        trained.history,
        parent,
    )
    if not recipe.finetune.unfreeze:
        return result, found.unreadable
    from training.finetune import finetuned, material_of

    material = material_of(dataset, found.rows, way, recipe, order.start)
    try:
        with watch.stage("finetune"):
            history = finetuned(order, network, material)
            result = replace(result, history=[*result.history, *history])
            result = _answered(result, material, order.device) if order.ranks.main else result
    finally:
        material.close()
    return result, [*found.unreadable, *material.unreadable.items()]


def _from_nothing(order: Order, dataset: Photographs, watch: Stopwatch) -> tuple[Trained, list[tuple[str, str]]]:
    """A whole network trained on the pictures, from random weights or those of a bundle with the same network."""
    from training.finetune import material_of, trained
    from training.start_weights import first_network

    recipe, outputs = order.recipe, len(dataset.names)
    if order.start == IMAGENET:
        raise UserError(
            f"recipe {recipe.name!r} begins from nothing", "for ImageNet's weights: --recipe frozen-resnet50"
        )
    way = Photograph(round(recipe.data.size * 8 / 7), recipe.data.size)
    arguments = arguments_as_json(recipe.network.name, {**recipe.network.arguments, "outputs": outputs})
    network_config = NetworkConfig(recipe.network.name, arguments)
    config = BundleConfig(recipe.name, "photographs", tuple(dataset.names), network_config, way.preprocessing())
    start = None if order.start in (None, NONE) else order.start
    torch.manual_seed(recipe.train.seed)
    network = first_network(config, start)
    Classifier(config, network)  # a network that takes no photographs is refused now, not after hours
    material = material_of(dataset, dataset.parts, way, recipe, order.start)
    try:
        with watch.stage("train"):
            history = trained(order, network, recipe, material)
        nothing = torch.empty(0, outputs)
        parent = {"name": public_name(start)} if start else None
        result = Trained(network, network_config, way.preprocessing(), nothing, nothing, dataset.parts, history, parent)
        result = _answered(result, material, order.device) if order.ranks.main else result
    finally:
        material.close()
    return result, list(material.unreadable.items())


def _answered(trained: Trained, material: PhotoMaterial, device: str) -> Trained:
    """With the network's own answers to the pictures; those that can no longer be read have none, and no row."""
    gone = set(material.unreadable)
    rows = {part: [row for row in of if row.path not in gone] for part, of in trained.rows.items()}
    network = trained.network.to(device)
    validation, test = (material.logits(network, rows[part], device) for part in ("validation", "test"))
    network.to("cpu")
    return replace(trained, rows=rows, validation=validation, test=test)


def _told(order: Order) -> Recipe:
    """The recipe as the bundle stores it."""
    return frozen.told(order.recipe, order.start) if order.recipe.is_transfer else order.recipe


def _config(order: Order, dataset: Photographs, trained: Trained) -> BundleConfig:
    recipe = _told(order)
    seen = [*trained.rows["train"], *trained.rows["validation"]]
    learned = prints_of_rows(dataset, seen, public_name(order.source)).learned()
    data = {
        "source": public_name(order.source),
        "fingerprint": dataset.fingerprint(),
        "splits": {part: len(rows) for part, rows in trained.rows.items()},
        "divided": dataset.divided,
        "learned": with_parent(learned, _learned_before(order.start)),
    }
    return BundleConfig(
        name=recipe.name,
        kind="photographs",
        labels=tuple(dataset.names),
        network=trained.network_config,
        preprocessing=trained.preprocessing,
        description=recipe.description,
        parent=trained.parent,
        recipe=recipe.as_json(),
        data=data,
    )


def _learned_before(start: str | None) -> dict[str, Any] | None:
    """What the bundle that the training began with had learned from."""
    if start in (None, IMAGENET, NONE) or str(start).endswith(".safetensors"):
        return None
    return read_config(find_bundle(str(start))).data.get("learned")


def _finish(order: Order, dataset: Photographs, trained: Trained, watch: Stopwatch) -> dict[str, Any]:
    """Calibrates, measures, draws and writes."""
    config = _config(order, dataset, trained)
    with watch.stage("calibrate"):
        config = _calibrated(config, order, trained, dataset)
    with watch.stage("evaluate"):
        answers = _answers(config, dataset, trained)
        metrics = metrics_of(Classifier(config, trained.network), answers)
    with watch.stage("draw"):
        figures = draw_figures(answers, trained.history)
    labels = dataset.labels(trained.rows["validation"])
    right = float((trained.validation.argmax(1).numpy() == labels).mean())
    metrics |= {"validation_accuracy": round(right, 6), "seconds": watch.seconds}
    config = replace(config, metrics=metrics)
    whole = replace(config, metrics={**metrics, "history": [asdict(epoch) for epoch in trained.history]})
    order.out.parent.mkdir(parents=True, exist_ok=True)
    try:
        write_bundle(order.out, whole, trained.network.state_dict(), write_card(config, list(figures)), figures)
    except OSError as error:
        raise UserError(
            f"cannot write the bundle {order.out}: {error.strerror or error}",
            "make room, or give another --out; vectors and checkpoints are kept, the same command goes on",
        ) from error
    remove_checkpoint(run_folder(order.out))
    return metrics


def _calibrated(config: BundleConfig, order: Order, trained: Trained, dataset: Photographs) -> BundleConfig:
    """The config with temperature and threshold found on the validation pictures."""
    logits = trained.validation.numpy()
    config = replace(config, temperature=fit_temperature(logits, dataset.labels(trained.rows["validation"])))
    rule = order.recipe.rejection
    if rule.score == "none":
        return config
    best = _probabilities(config, trained.validation).max(axis=1)
    threshold = rule.threshold or probability_threshold(best, rule.target)
    return replace(config, rejection=Rejection("max_probability", threshold))


def _probabilities(config: BundleConfig, logits: Tensor) -> Floats:
    probabilities: Floats = torch.softmax(logits.float() / config.temperature, 1).numpy()
    return probabilities


def _answers(config: BundleConfig, dataset: Photographs, trained: Trained) -> Answers:
    """To the test pictures, with what was computed already; the pictures themselves are only for drawing."""
    rows = trained.rows["test"]
    probabilities = _probabilities(config, trained.test)
    nothing = np.zeros(len(rows), np.float32)
    rule = config.rejection
    rejected = rule.refuses(probabilities.max(axis=1), nothing) if rule else np.zeros(len(rows), bool)
    source = str(config.data["source"])
    samples = Samples(
        _thumbnails(dataset, rows), dataset.labels(rows), np.full(len(rows), -1, np.int64), dataset.names, source
    )
    return Answers(samples, probabilities, rejected, config.temperature, prints=prints_of_rows(dataset, rows, source))


def _thumbnails(dataset: Photographs, rows: list[PictureRow]) -> NDArray[np.uint8]:
    """uint8 (n, 112, 112, 3); white where a file has gone meanwhile."""

    def thumbnail(row: PictureRow) -> NDArray[np.uint8]:
        try:
            return _THUMBNAIL(content_picture(dataset.pictures.root / row.path, row.sha256))
        except (PictureError, OSError):
            return np.full((_THUMBNAIL.crop, _THUMBNAIL.crop, 3), 255, np.uint8)

    with ThreadPoolExecutor(4, "thumbnails") as pool:
        return np.stack(list(pool.map(thumbnail, rows)))
