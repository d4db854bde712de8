"""How long a visitor waits who teaches: `python benchmarks/teach.py [--data FOLDER]`.

Five classes of twenty pictures each. Through a real socket: from the moment at which the last of 100 pictures is sent
to the first live answer of a head that has learned all of them. In this process: the head alone, and the estimate that
comes after it, beside scikit-learn's logistic regression and our head by gradient steps, on the same vectors, with the
share right of pictures that were set apart. Photographs need FOLDER/photos and the weights in ../weights beside it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parent.parent)

import httpx
import numpy as np
import torch

from benchmarks.servers import server
from benchmarks.table import Figure, print_table
from demo.teach.eyes import HANDWRITING, PHOTOGRAPHS, VARIABLE, Eye, Eyes
from demo.teach.learning import HEAD, Lesson, estimate
from demo.teach.samples import Sample, read_samples
from handwriter_models.images import Limits
from handwriter_models.learning.heads import Vectors, train_head
from handwriter_models.learning.linear import linear_head
from handwriter_models.learning.options import HeadOptions, TrainOptions
from tests.teach_client import Visitor, drawings

CLASSES, SHOTS, APART, ROUNDS = 5, 20, 10, 7
MOST = 1.0  # seconds, for the head and for the first live answer
WEIGHTS = "mobilenet_v2_imagenet_1001.safetensors"
STEPS = TrainOptions(optimizer="adamw", rate=4e-3, batch=256, epochs=40, schedule="one-cycle", weight_decay=0.1, seed=1)
Pictures = list[list[bytes]]  # by class


@dataclass(frozen=True)
class Task:
    """Pictures of a kind: by class those to learn, and those that are set apart."""

    kind: str
    train: Pictures
    apart: Pictures


def handwriting() -> Task:
    """Digits as drawn by another hand each time."""
    every = [drawings(str(digit), SHOTS + APART) for digit in range(CLASSES)]
    return Task(HANDWRITING, [own[:SHOTS] for own in every], [own[SHOTS:] for own in every])


def photographs(folder: Path) -> Task:
    """Real photographs, five kinds; of one there are fewer than twenty."""
    every = [[path.read_bytes() for path in sorted(own.iterdir())] for own in sorted(folder.iterdir()) if own.is_dir()]
    apart = [own[-APART // 2 :] for own in every]
    train = [own[: -(APART // 2)] for own in every]
    return Task(PHOTOGRAPHS, [own[:SHOTS] for own in train], apart)


def waited(port: int, task: Task) -> float:
    """Seconds from sending the last picture to the first answer that knows it."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120, trust_env=False) as client:
        visitor = Visitor(client, task.kind)
        ids = [visitor.add_class(f"class {number}") for number in range(len(task.train))]
        last = task.train[-1][-1]
        for place, pictures in enumerate(task.train):
            for picture in pictures if place < len(ids) - 1 else pictures[:-1]:
                visitor.add(ids[place], [picture])
        started = time.perf_counter()
        visitor.add(ids[-1], [last])
        version = visitor.state()["version"]
        while visitor.predict(task.apart[0][0])["version"] != version:
            time.sleep(0.005)
        return time.perf_counter() - started


def lesson_of(eye: Eye, pictures: Pictures) -> Lesson:
    read = [[one for one in read_samples(eye, own, "", Limits()) if isinstance(one, Sample)] for own in pictures]
    labels = np.repeat(np.arange(len(read)), [len(own) for own in read]).astype(np.int64)
    classes = tuple(f"c{number}" for number in range(len(read)))
    return Lesson(1, classes, labels, tuple(one for own in read for one in own))


def ours(train: Vectors, outputs: int) -> Callable[[torch.Tensor], Any]:
    head = linear_head(train, outputs, HEAD)
    return lambda vectors: head(vectors).argmax(1).numpy()


def steps(train: Vectors, outputs: int) -> Callable[[torch.Tensor], Any]:
    nothing = Vectors(train.values[:0, :1], train.labels[:0])
    head = train_head(train, nothing, outputs, (HeadOptions(hidden=0, mixup=0.0, patience=0), STEPS))
    return lambda vectors: head.logits(vectors).argmax(1).numpy()


def sklearn(train: Vectors, _: int) -> Callable[[torch.Tensor], Any]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    views = train.values.shape[1]
    whole = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    whole.fit(train.values.flatten(0, 1).numpy(), train.labels.repeat_interleave(views).numpy())
    return lambda vectors: whole.predict(vectors.numpy())


PEERS = {"ours": ours, "scikit-learn's logistic regression": sklearn, "our head by gradient steps, 40 epochs": steps}


def head_figures(eye: Eye, task: Task) -> list[Figure]:
    """Seconds and share right of each way, and the seconds of the estimate."""
    lesson, apart = lesson_of(eye, task.train), lesson_of(eye, task.apart)
    train, truth = lesson.vectors(), apart.labels
    plain = apart.vectors().values[:, 0]
    figures = []
    for name, way in PEERS.items():
        seconds, right = [], 0.0
        for _ in range(ROUNDS):
            started = time.perf_counter()
            answer = way(train, len(lesson.classes))
            seconds.append(time.perf_counter() - started)
            with torch.inference_mode():
                right = float((answer(plain) == truth).mean())
        middle = median(seconds)
        target = (f"≤ {MOST:g} s", middle <= MOST) if name == "ours" else ("", None)
        said = f"{1000 * middle:.0f} ms, {right:.0%} of {len(truth)} right"
        figures.append(Figure(f"{task.kind}: head of {len(train.labels)} pictures, {name}", said, *target))
    started = time.perf_counter()
    found = estimate(lesson)
    took = time.perf_counter() - started
    held = float((found.probabilities.argmax(axis=1) == found.labels).mean()) if found else float("nan")
    figures.append(Figure(f"{task.kind}: estimate ({held:.0%} right, held out)", f"{1000 * took:.0f} ms"))
    return figures


def main(data: Path | None) -> bool:
    """Prints the table."""
    torch.set_num_threads(1)
    tasks: list[Task] = [handwriting()]
    weights = data.parent / "weights" / WEIGHTS if data else None
    if data and weights and weights.is_file() and (data / "photos").is_dir():
        os.environ[VARIABLE] = f"mobilenet_v2_tf:{weights}"
        tasks.append(photographs(data / "photos"))
    else:
        print("photographs are left out: they need --data FOLDER with photos, and weights beside it", file=sys.stderr)
    figures: list[Figure] = []
    with server(["app.py", "--model", "digits"]) as (port, _):
        for task in tasks:
            times: Sequence[float] = [waited(port, task) for _ in range(4)][1:]  # the first loads the network
            count = sum(map(len, task.train))
            what = f"{task.kind}: from sending the last of {count} pictures to the first live answer (worst of 3)"
            said = f"{median(times):.2f} s ({max(times):.2f} s)"
            figures.append(Figure(what, said, f"≤ {MOST:g} s", max(times) <= MOST))
    eyes = Eyes(None)  # type: ignore[arg-type] # the variable names the network: no shelf is asked
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for task in tasks:
            figures += head_figures(eyes.of(task.kind), task)
    return print_table("Teaching five classes of twenty pictures", figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a folder with photos/")
    sys.exit(not main(parser.parse_args().data))
