"""What a search is asked for and what it came to, the same for pages in a browser and for APIs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from curation.records import Found, Job, SearchState

# How the detail of a search begins that is `ok` and yet worth a look
GENERIC = "read in the generic way"
THUMBNAILS = "thumbnails only"

Take = Callable[[Sequence[Found]], bool]  # gets the findings as they appear; False when they are enough


@dataclass(frozen=True)
class Order:
    """One job at one engine. `want` is how many new addresses are hoped for; `report` where a bad page is saved."""

    job: Job
    home: str  # scheme://host[:port] of the engine
    filters: Mapping[str, str] = field(default_factory=dict)
    want: int = 100
    thumbnails: bool = True
    report: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """How a search ended; `found` counts the addresses handed on, `exhausted` says that the engine has no more."""

    state: SearchState
    detail: str = ""
    exhausted: bool = False
    found: int = 0
