"""The layers around the application, each in a module of its own, and the order in which they stand.

From outside: the prefix of a proxy, headers of answers, counting, whose name was called, who may in, how often, how
large and how slow, and last what of Gradio is let through. So what is refused costs little, and is counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import FastAPI

from demo.auth import Credentials, Locked
from demo.bodies import Bodies
from demo.gradio_gate import GradioGate, Uploads
from demo.headers import SecurityHeaders
from demo.hosts import OurName
from demo.metrics import Counted
from demo.prefix import Prefix
from demo.rate_limit import Buckets, Rate, RateLimit
from handwriter_models.host_names import HostNames

if TYPE_CHECKING:
    from demo.api import Service


@dataclass(frozen=True)
class Guards:
    """Who may ask, by which name, how often, and below which prefix; None or "" where that does not matter."""

    names: HostNames | None = None
    credentials: Credentials | None = None
    rate: Rate | None = None
    prefix: str = ""


def put_around(app: FastAPI, guards: Guards, service: Service, uploads: Uploads) -> None:
    """Adds the layers; the one that is added last stands outermost."""
    app.add_middleware(GradioGate, uploads=uploads, limit=service.limits.bytes)
    app.add_middleware(Bodies)
    if guards.rate:
        app.add_middleware(RateLimit, buckets=Buckets(guards.rate))
    if guards.credentials:
        app.add_middleware(Locked, credentials=guards.credentials)
    app.add_middleware(OurName, names=guards.names)
    app.add_middleware(Counted, metrics=service.metrics)
    app.add_middleware(SecurityHeaders)
    if guards.prefix:
        app.add_middleware(Prefix, prefix=guards.prefix)
