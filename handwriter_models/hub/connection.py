"""The connection to the Hub: who asks, how long it may take, and what its errors mean to a person.

Every call is made with a token or with none, never with "whatever lies around": a server must not spend its owner's.
Telemetry is off before huggingface_hub is first imported; with it, its user agent would name other packages and it
would ask the Hub for a registry of programs. Messages are made here out of what we know, and a token in a server's own
words is blacked out.
"""

from __future__ import annotations

import os

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # read when huggingface_hub is imported

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from traceback import walk_tb
from typing import TYPE_CHECKING, Any

from handwriter_models.disk import disk_fault
from handwriter_models.errors import UserError

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

TIMEOUT = 10.0  # seconds for a first answer: a network that swallows packets is noticed, and the cache is used
_PATIENCE = {"connect": TIMEOUT, "read": 120.0, "write": 120.0, "pool": TIMEOUT}
Tell = Callable[[str], None]
_LOG_IN = "log in (hf auth login), set HF_TOKEN, or give --token-file"
_BE_KNOWN = "log in (hf auth login), or set HF_TOKEN"


def say(text: str) -> None:
    """One line on standard error, where progress belongs."""
    print(text, file=sys.stderr, flush=True)


def hub(token: str | None = None) -> HfApi:
    """The Hub as the owner of `token` sees it; with None, as a stranger does."""
    from huggingface_hub import HfApi
    from huggingface_hub.utils.tqdm import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()
    _bound_waiting()
    return HfApi(token=token or False, library_name="handwriter", library_version="0.1")


@cache
def _bound_waiting() -> None:
    """Most calls of huggingface_hub wait for ever; here a silent Hub ends them."""
    import httpx2
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils._http import default_client_factory

    def bound(request: httpx2.Request) -> None:
        given = request.extensions.get("timeout") or {}
        request.extensions["timeout"] = {**_PATIENCE, **{name: time for name, time in given.items() if time}}

    def client() -> httpx2.Client:
        made = default_client_factory()
        made.event_hooks = {**made.event_hooks, "request": [*made.event_hooks["request"], bound]}
        return made

    set_client_factory(client)


def own_token() -> str | None:
    """The token of whoever runs this program: HF_TOKEN, or that of `hf auth login`; None when there is none."""
    from huggingface_hub import get_token

    return get_token()


class UnreachableError(UserError):
    """The Hub gave no answer, none of its own, or is out of order; a copy in the cache may stand in."""


@contextmanager
def told(place: str, token: str | None = None, reads: bool = False) -> Iterator[None]:
    """Turns errors of huggingface_hub about `place` (such as "model user/repo") into `UserError`.

    `reads`: nothing is written there, so that a refusal is not about the right to write.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        found = _explained(error, place, token, reads)
        if found is None:
            raise
        raise found from None


def _explained(error: BaseException, place: str, token: str | None, reads: bool) -> UserError | None:
    """What an error means; None for one that neither the Hub, the network nor this machine is the cause of."""
    import httpx2
    from huggingface_hub import errors

    # A file's own error, or that of an upload in a thread, wraps what happened.
    chain = [one for one in (error, error.__cause__) if one is not None]
    answered = next((one for one in chain if isinstance(one, errors.HfHubHTTPError)), None)
    if answered:
        return _of_answer(answered, place, token, reads)
    if any(isinstance(one, httpx2.TooManyRedirects) for one in chain):
        return _of_strangers(place, "it redirects in a circle")
    if any(isinstance(one, errors.FileMetadataError) for one in chain):
        return _of_strangers(place, "a file comes without what the Hub says about each")
    if any(isinstance(one, httpx2.UnsupportedProtocol | httpx2.RemoteProtocolError) for one in chain):
        return _of_strangers(place, _without(f"{type(chain[-1]).__name__}: {chain[-1]}", token))
    if isinstance(error, errors.OfflineModeIsEnabled | errors.LocalEntryNotFoundError) or any(
        isinstance(one, httpx2.TransportError) for one in chain
    ):
        return _of_network(error, place)
    if fault := disk_fault(error):  # of the cache
        return fault
    if isinstance(error, OSError | RuntimeError):
        what = _without(f"{type(error).__name__}: {error}", token)
        return UserError(f"{place}: {what}", "what was finished is kept; run it again", 502)
    if isinstance(error, ValueError) or _is_of_hub(error):
        return _of_strangers(place, "what it says is not in the Hub's form")
    return None


def _is_of_hub(error: BaseException) -> bool:
    """Whether it was raised where huggingface_hub reads an answer: our own faults stay faults."""
    frames = list(walk_tb(error.__traceback__))
    return bool(frames) and frames[-1][0].f_globals.get("__name__", "").startswith("huggingface_hub")


def _of_strangers(place: str, why: str) -> UnreachableError:
    from huggingface_hub import constants

    hint = "a network that wants you to log in first answers so; check HF_ENDPOINT and the proxy, and run it again"
    return UnreachableError(f"{place}: the answer of {constants.ENDPOINT} is not the Hub's: {why}", hint, 502)


def _of_network(error: BaseException, place: str) -> UnreachableError:
    from huggingface_hub import constants

    if constants.is_offline_mode():
        return UnreachableError(f"{place}: HF_HUB_OFFLINE is set", "unset it to reach the Hub", 503)
    cause = error.__cause__ or error
    why = f"{type(cause).__name__}: {cause}".strip(": ") or type(error).__name__
    hint = "check the network, and run it again; what was finished is kept"
    return UnreachableError(f"{place}: no connection to {constants.ENDPOINT} ({why})", hint, 503)


def _of_answer(error: HfHubHTTPError, place: str, token: str | None, reads: bool) -> UserError:
    from huggingface_hub import errors

    status = error.response.status_code
    if isinstance(error, errors.GatedRepoError):
        return UserError(f"{place} is gated", f"ask for access on its page, then {_LOG_IN}", 403)
    if isinstance(error, errors.RevisionNotFoundError):
        return UserError(f"{place}: there is no such revision", "its page lists branches, tags and commits", 404)
    if isinstance(error, errors.RepositoryNotFoundError):
        more = "" if token else f"; if it is private, {_LOG_IN}"
        return UserError(f"{place} was not found", f"check the name: user/repo{more}", 404)
    if isinstance(error, errors.RemoteEntryNotFoundError):
        return UserError(f"{place} lacks a file that it listed", "it was changed just now; run it again", 404)
    if status >= 500:
        return UnreachableError(f"{place}: the Hub is out of order ({status})", "run it again in a few minutes", 503)
    refusals = {**_REFUSALS, **(_TO_READ if token else _TO_STRANGERS)} if reads else _REFUSALS
    what, hint = refusals.get(status, ("the Hub refused", "see its words, or its page"))
    words = _without(error.server_message or "", token)
    kind = UnreachableError if status == _TOO_MANY else UserError
    return kind(f"{place}: {what} ({status}){f': {words}' if words else ''}", hint, status)


_REFUSALS: dict[int, tuple[str, str]] = {
    400: ("the Hub takes it for wrong", "see its words"),
    401: ("the token is not valid", f"make a new one at huggingface.co/settings/tokens, then {_LOG_IN}"),
    402: ("the Hub wants a subscription", "a static Space is free for everyone: --space static"),
    403: ("the token may not do this", "it needs the right to write there: see huggingface.co/settings/tokens"),
    409: ("there is one already", "choose another name"),
    412: ("somebody else changed it at the same time", "run it again"),
    429: ("the Hub has had too many questions", "run it again in a few minutes"),
}


_TO_READ = {
    403: ("the owner of the token may not read it", "ask for access on its page, or give the token the right to read"),
    404: ("it was not found", "check the name: user/repo"),
    410: ("it is no longer there", "its page may say why"),
    451: ("the Hub may not give it away, for legal reasons", "its page may say why"),
}
_TO_STRANGERS = {
    **_TO_READ,
    401: ("the Hub gives it only to people it knows", f"if you may read it, {_BE_KNOWN}"),
    403: ("the Hub does not give it to everybody", f"ask for access on its page, then {_BE_KNOWN}"),
    404: ("it was not found", f"check the name: user/repo; if it is private, {_BE_KNOWN}"),
}
_TOO_MANY = 429


def _without(text: str, token: str | None) -> str:
    return text.replace(token, "***") if token else text


def account(token: str, place: str) -> dict[str, Any]:
    """Whose token it is: `name`, `orgs`, `auth`; raises `UserError` when it is not valid."""
    with told(place, token):
        answer: dict[str, Any] = hub(token).whoami(token)
        return answer
