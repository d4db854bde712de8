"""The rows of a dataset as the rest of the program sees them. Plain values; the database is behind `Dataset`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why an address did not become a picture. The list is fixed: programs read it."""

    DUPLICATE = "duplicate"
    NOT_FOUND = "not-found"
    HTTP_ERROR = "http-error"
    TIMEOUT = "timeout"
    TOO_SLOW = "too-slow"
    TOO_LARGE = "too-large"
    TOO_MANY_PIXELS = "too-many-pixels"
    TOO_SMALL = "too-small"
    NOT_AN_IMAGE = "not-an-image"
    TRUNCATED = "truncated"
    PRIVATE_ADDRESS = "private-address"
    ROBOTS = "robots"
    OPTED_OUT = "opted-out"
    NOML = "noml"  # the site does not want machine learning from it
    TDM = "tdm"  # the site reserves text and data mining (TDMRep)
    REDIRECT_LOOP = "redirect-loop"
    UNSUPPORTED_SCHEME = "unsupported-scheme"
    BAD_ADDRESS = "bad-address"
    UNREACHABLE = "unreachable"
    THUMBNAIL = "thumbnail"
    NOT_NEEDED = "not-needed"  # enough pictures were kept before its turn; fetched when more are wanted


TRANSIENT = frozenset({Reason.HTTP_ERROR, Reason.TIMEOUT, Reason.TOO_SLOW, Reason.UNREACHABLE})


class SearchState(StrEnum):
    """What asking one engine for one keyword came to."""

    OK = "ok"
    EMPTY = "empty"
    BLOCKED = "blocked"
    CHANGED = "changed"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Found:
    """A picture's address as an engine gave it, with what the engine says about it. Sizes in pixels, 0 unknown."""

    address: str
    page: str = ""
    title: str = ""
    author: str = ""
    licence: str = ""
    licence_address: str = ""
    width: int = 0
    height: int = 0
    thumbnail: bool = False  # the full-size address was not to be had


@dataclass(frozen=True, slots=True)
class Job:
    """One keyword at one engine: pictures of `label`, searched with the words `keyword`."""

    label: str
    keyword: str
    engine: str


@dataclass(frozen=True, slots=True)
class Claim:
    """An address that this process, and no other, is to fetch."""

    id: int
    job: Job
    address: str
    page: str
    thumbnail: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """A fetched and checked picture, waiting in `Dataset.incoming` to be taken in. Width and height in pixels."""

    id: int  # of the claim
    file: str  # its name in `Dataset.incoming`
    sha256: str  # of the bytes in the file
    original_sha256: str  # of the bytes that were fetched; differs after --convert or --max-side
    extension: str  # jpg, png, webp, gif, bmp, tiff
    width: int
    height: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A claim that did not become a picture; `detail` is one line for people (a status, a size, a header)."""

    id: int
    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SearchRecord:
    """How far a search has come; `exhausted` when the engine had no more to give."""

    job: Job
    state: SearchState
    detail: str = ""
    exhausted: bool = False


@dataclass(frozen=True, slots=True)
class JobCounts:
    """Where the addresses of one job stand: found = kept + sum(refused) + pending + claimed."""

    found: int
    kept: int
    refused: dict[Reason, int]
    pending: int
    claimed: int
