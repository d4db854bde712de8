"""The sessions of the visitors who teach: each its own classes and pictures, in memory only, bounded in every way.

A session is known by a random name that only its visitor is told; ids of classes and samples mean nothing outside it.
Nothing of one can be reached from another. All of this is changed by the server's event loop alone, so nothing is
locked; what runs in threads is given a `Lesson`, which never changes.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from demo.teach.eyes import Eye
from demo.teach.judgement import told, warnings
from demo.teach.learning import Estimate, Lesson
from demo.teach.samples import Sample
from handwriter_models.errors import UserError
from handwriter_models.labels import LONGEST, as_label
from handwriter_models.networks import Head

Json = dict[str, Any]


@dataclass(frozen=True)
class TeachLimits:
    """How much is kept: sessions, and seconds after which an idle one ends; of a session classes, pictures, bytes."""

    sessions: int = 64
    idle: float = 3600.0
    classes: int = 50
    samples: int = 2000
    bytes: int = 48 * 2**20
    all_bytes: int = 768 * 2**20
    name: int = LONGEST  # characters
    files: int = 64  # a request


@dataclass
class TeachClass:
    """A class: its name may change, its id does not, so a new name needs no new head."""

    id: str
    name: str
    samples: dict[str, Sample] = field(default_factory=dict)


@dataclass(frozen=True)
class Learned:
    """A head, the ids of its classes in the order of its outputs, and the session's version it was learned from."""

    head: Head
    classes: tuple[str, ...]
    version: int


class Session:
    """One visitor's classes, and what was learned from them last.

    `version` counts the changes that ask for a new head; `settled` is the last one that learning has dealt with;
    `bytes` is the memory of all samples.
    """

    def __init__(self, eye: Eye, limits: TeachLimits, now: float) -> None:
        self.eye, self.limits, self.used = eye, limits, now
        self.classes: dict[str, TeachClass] = {}
        self.version = self.settled = self.bytes = 0
        self.learned: Learned | None = None
        self.estimate: Estimate | None = None
        self.fault = ""
        self._ids = 0

    @property
    def count(self) -> int:
        """Number of all samples."""
        return sum(len(one.samples) for one in self.classes.values())

    def get(self, name: str) -> TeachClass:
        """The class with this id."""
        if name not in self.classes:
            raise UserError(f"there is no class {name!r}", "it was removed, or belongs to another session", 404)
        return self.classes[name]

    def add_class(self, name: str) -> TeachClass:
        """A new class, the last one; raises `UserError` when the name is of no use or there are too many."""
        if len(self.classes) >= self.limits.classes:
            raise UserError(f"there are {len(self.classes)} classes already", "remove one first", status=409)
        made = TeachClass(self._new_id("c"), self._free_name(name))
        self.classes[made.id] = made
        return made

    def rename(self, one: TeachClass, name: str) -> None:
        """Another name for a class; what was learned stays."""
        one.name = self._free_name(name, but=one)

    def reorder(self, order: Sequence[str]) -> None:
        """The classes in this order; each must be named once."""
        if sorted(order) != sorted(self.classes):
            raise UserError("the order does not name each class once", "ask for the classes and send all ids", 422)
        self.classes = {name: self.classes[name] for name in order}
        self.version += 1  # labels of a bundle stand in the order of the head

    def remove_class(self, one: TeachClass) -> None:
        """The class goes with its pictures."""
        del self.classes[one.id]
        self.bytes -= sum(sample.bytes for sample in one.samples.values())
        self.version += bool(one.samples)

    def add_sample(self, one: TeachClass, sample: Sample) -> str:
        """The sample's id; a picture that the class has already gets the id it had.

        Raises `UserError` when another class has the picture, or the session is full.
        """
        for other in self.classes.values():
            for name, known in other.samples.items():
                if known.sha256 == sample.sha256 and other is one:
                    return name
                if known.sha256 == sample.sha256:
                    hint = "a picture has one class; remove it there first"
                    raise UserError(f"the class {other.name!r} has this very picture", hint, status=409)
        if self.count >= self.limits.samples:
            raise UserError(f"there are {self.count} pictures already", "remove some, or save and start over", 409)
        if self.bytes + sample.bytes > self.limits.bytes:
            most = self.limits.bytes // 2**20
            raise UserError(f"the pictures take more than {most} MB", "remove some, or save and start over", 413)
        name = self._new_id("s")
        one.samples[name] = sample
        self.bytes += sample.bytes
        self.version += 1
        return name

    def remove_sample(self, name: str) -> None:
        """Raises `UserError` when there is no such sample."""
        for one in self.classes.values():
            sample = one.samples.pop(name, None)
            if sample:
                self.bytes -= sample.bytes
                self.version += 1
                return
        raise UserError(f"there is no sample {name!r}", "it was removed, or belongs to another session", 404)

    def lesson(self) -> Lesson:
        """All pictures as they are now."""
        taught = [one for one in self.classes.values() if one.samples]
        labels = np.repeat(np.arange(len(taught)), [len(one.samples) for one in taught])
        samples = tuple(sample for one in taught for sample in one.samples.values())
        return Lesson(self.version, tuple(one.id for one in taught), labels.astype(np.int64), samples)

    def current_estimate(self) -> Estimate | None:
        """The estimate, if it is of the head's own classes: its temperature suits no other head."""
        fits = self.estimate and self.learned and self.estimate.classes == self.learned.classes
        return self.estimate if fits else None

    def as_json(self) -> Json:
        """What the page shows."""
        counts = {one.id: len(one.samples) for one in self.classes.values()}
        found = self.current_estimate()
        return {
            "kind": self.eye.kind,
            "version": self.version,
            "learned": self.learned.version if self.learned else None,
            "busy": self.settled != self.version,
            "classes": [{"id": one.id, "name": one.name, "pictures": counts[one.id]} for one in self.classes.values()],
            "estimate": {**told(found), "version": found.version} if found else None,
            "warnings": warnings(counts, found),
            "fault": self.fault,
        }

    def _new_id(self, letter: str) -> str:
        self._ids += 1
        return f"{letter}{self._ids}"

    def _free_name(self, name: str, but: TeachClass | None = None) -> str:
        clean = as_label(name)
        if any(one.name == clean for one in self.classes.values() if one is not but):
            raise UserError(f"there is a class {clean!r} already", "give another name", status=409)
        return clean


class Sessions:
    """All sessions by name, the least recently used first."""

    def __init__(self, limits: TeachLimits | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits, self._clock = limits or TeachLimits(), clock
        self._all: dict[str, Session] = {}

    def open(self, eye: Eye) -> tuple[str, Session]:
        """A new session and its name; when there are too many, that which was idle longest ends, empty ones first."""
        self.sweep()
        while len(self._all) >= self.limits.sessions:
            empty = (name for name, session in self._all.items() if not session.count)
            self.end(next(empty, next(iter(self._all))))
        name = secrets.token_urlsafe(24)
        self._all[name] = Session(eye, self.limits, self._clock())
        return name, self._all[name]

    def get(self, name: str) -> Session:
        """The session; raises `UserError` (404) when it has ended or never was."""
        self.sweep()
        session = self._all.pop(name, None)
        if session is None:
            raise UserError(
                "this server knows no such session",
                f"it was idle for {self.limits.idle / 60:g} minutes or the server was restarted: open a new one and "
                "send the pictures again",
                status=404,
            )
        session.used = self._clock()
        self._all[name] = session
        return session

    def end(self, name: str) -> None:
        """Forgets a session, if it is there."""
        session = self._all.pop(name, None)
        if session:
            session.version += 1  # what is still being learned from it is outdated

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._all)

    def make_room(self, keep: Session) -> None:
        """Ends sessions, the longest idle first, until all of them together are small enough again."""
        total = sum(session.bytes for session in self._all.values())
        for name, session in list(self._all.items()):
            if total <= self.limits.all_bytes:
                return
            if session is not keep:
                total -= session.bytes
                self.end(name)

    def close(self) -> None:
        """Ends all."""
        for name in list(self._all):
            self.end(name)

    def sweep(self) -> None:
        """Ends those that were idle for too long."""
        now = self._clock()
        for name in [name for name, session in self._all.items() if now - session.used > self.limits.idle]:
            self.end(name)
