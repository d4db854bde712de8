"""What a crawl is to do, checked: the options of the command made into one value that `crawl` follows.

Everything that can be wrong with an option is found here, before a browser starts or a folder is made.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from crawler import engines, filters
from crawler.addresses import PORTS, Rule, check_ip
from crawler.driver_paths import NOBODY, Named
from crawler.keywords import Keyword, read_file
from curation.records import TRANSIENT, Job, Reason
from handwriter_models.errors import UserError
from handwriter_models.labels import told_alike


@dataclass(frozen=True)
class PictureWishes:
    """Which pictures are wanted and in what form they are kept."""

    filters: tuple[str, ...] = ()
    thumbnails: bool = True
    min_side: int = 32
    convert: str = ""
    max_side: int = 0
    max_bytes: int = 20 * 2**20


@dataclass(frozen=True)
class Rules:
    """What is obeyed; all of it unless somebody says otherwise by name."""

    obey_robots: bool = True
    obey_opt_out: bool = True
    allow_private: bool = False
    check_pages: bool = False


RULES = Rules()


@dataclass(frozen=True)
class Manners:
    """How picture hosts are treated; `timeout` in seconds."""

    concurrency: int = 64
    per_host: int = 4
    timeout: float = 60
    contact: str = ""
    rules: Rules = RULES


@dataclass(frozen=True)
class Browsers:
    """Which browsers do the searching: so many local ones (found, or named), or those of a Grid."""

    count: int = 2
    grid: str = ""
    show: bool = False
    named: Named = NOBODY


@dataclass(frozen=True)
class Asked:
    """What is searched, where, and into which folder, as the command was given it."""

    keywords: Path
    dataset: Path | None = None
    engines: str = "google,naver"
    engine_urls: tuple[str, ...] = ()
    limit: int = 100
    retry: str = ""
    refresh: bool = False
    since: str = ""
    until: str = ""


@dataclass(frozen=True)
class Plan:
    """A crawl to be done; every value in it is valid."""

    keywords: tuple[Keyword, ...]
    dataset: Path
    engines: tuple[str, ...]
    homes: Mapping[str, str]
    limit: int
    filters: Mapping[str, str]
    wishes: PictureWishes
    manners: Manners
    browsers: Browsers
    retry: frozenset[Reason] = frozenset()
    refresh: bool = False
    notes: tuple[str, ...] = ()

    def jobs(self) -> tuple[Job, ...]:
        """Every keyword at every engine, keyword by keyword."""
        return tuple(self.words())

    def words(self) -> dict[Job, str]:
        """The words that each job searches. The dataset keeps them with the filters: others are another question."""
        return {
            Job(keyword.label, keyword.words + self._narrowed(engine), engine): keyword.words
            for keyword in self.keywords
            for engine in self.engines
        }

    def _narrowed(self, name: str) -> str:
        """What narrows the search at this engine, as people read it."""
        taken = [f"{key}={value}" for key, value in sorted(self.filters.items()) if _takes(name, key, value)]
        return f" ({' '.join(taken)})" if taken else ""


def made(asked: Asked, wishes: PictureWishes, manners: Manners, browsers: Browsers) -> Plan:
    """The plan for these options; raises `UserError` for the first that cannot be followed."""
    read = read_file(asked.keywords)
    names = _engines(asked.engines)
    wanted = filters.read(list(wishes.filters))
    days = filters.dates(asked.since, asked.until)
    if days and "age" in wanted:
        raise UserError("--filter age and --since or --until both limit the time", "leave one out")
    if wishes.convert not in ("", "jpeg", "png"):
        raise UserError(f"cannot convert to {wishes.convert!r}", "give --convert jpeg or --convert png")
    if browsers.grid:
        _checked_address(browsers.grid, "--grid")
        if browsers.named != NOBODY:
            raise UserError(
                "--browser and --driver name programs of this machine, --grid uses those of others", "leave one out"
            )
    notes = [f"{line!r} stands more than once in {asked.keywords}; it is searched once" for line in read.repeated]
    notes += told_alike(keyword.label for keyword in read.wanted)
    for name in names:
        lacking = [key for key in wanted if not _takes(name, key, wanted[key])]
        notes += [f"{name} has no filter {key}={wanted[key]}: its pictures are not filtered by it" for key in lacking]
        if days and not engines.engine(name).dated:
            options = " and ".join(f"--{key}" for key in days)
            notes.append(f"{name} cannot be asked for dates: its pictures are not filtered by {options}")
    return Plan(
        keywords=read.wanted,
        dataset=asked.dataset or Path("data") / (asked.keywords.stem or "keywords"),
        engines=names,
        homes=_homes(asked.engine_urls, names, manners.rules.allow_private),
        limit=asked.limit,
        filters=wanted | days,
        wishes=wishes,
        manners=manners,
        browsers=browsers,
        retry=_reasons(asked.retry),
        refresh=asked.refresh,
        notes=tuple(notes),
    )


def _takes(name: str, key: str, value: str) -> bool:
    """Whether the engine can be asked for this filter."""
    engine = engines.engine(name)
    return engine.dated if key in (filters.SINCE, filters.UNTIL) else value in engine.filters.get(key, ())


def _engines(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in engines.ENGINES]
    if unknown or not names:
        raise UserError(
            f"there is no engine {unknown[0]!r}" if unknown else "no engine is named",
            f"choose from: {', '.join(engines.ENGINES)}",
        )
    return names


def _homes(pairs: tuple[str, ...], names: tuple[str, ...], allow_private: bool) -> dict[str, str]:
    """Where each engine is: its own address, or the one `--engine-url` gives."""
    homes = {name: engines.engine(name).home for name in names}
    for pair in pairs:
        name, equals, address = pair.partition("=")
        if not equals or name not in engines.ENGINES:
            raise UserError(
                f"--engine-url {pair!r} names no engine", f"write ENGINE=URL with one of: {', '.join(engines.ENGINES)}"
            )
        if name in homes:
            homes[name] = _checked_address(address, f"--engine-url {name}")
            if not allow_private:
                _check_is_public(homes[name])
    return homes


def _check_is_public(address: str) -> None:
    """A name that leads nowhere is no error here: its search will say `unreachable`."""
    parts = urlsplit(address)
    with suppress(OSError, UnicodeError):
        for entry in socket.getaddrinfo(parts.hostname, parts.port or PORTS[parts.scheme], type=socket.SOCK_STREAM):
            if fault := check_ip(str(entry[4][0]), 0, Rule()):
                raise UserError(
                    f"{address} is in this network: {fault}", "add --allow-private if you mean it; its pictures, too"
                )


def _checked_address(address: str, option: str) -> str:
    hint = "write it as http://host:port or https://host"
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018 - raises on a port that is no number
    except ValueError as error:
        raise UserError(f"{option} is {address!r}: {error}", hint) from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(f"{option} is {address!r}, not the address of a web server", hint)
    return address.rstrip("/")


def _reasons(text: str) -> frozenset[Reason]:
    reasons: set[Reason] = set()
    for name in filter(None, (part.strip() for part in text.split(","))):
        if name == "transient":
            reasons |= TRANSIENT
        elif name in set(Reason):
            reasons.add(Reason(name))
        else:
            raise UserError(f"--retry {name!r} is no reason of refusal", f"choose from: transient, {', '.join(Reason)}")
    return frozenset(reasons)
