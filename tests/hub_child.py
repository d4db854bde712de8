"""One process that speaks to the Hub of `hub_site`, told what to do line by line.

huggingface_hub reads HF_ENDPOINT when it is imported, and some other test has imported it before; so what is tested
runs in a child that was started with it. It stays for a whole file of tests: it loads torch once, and faults of the Hub
can be set between its steps. It tells when it asks anybody but this machine. As a script, this module is that child.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
Json = dict[str, Any]


class HubChild:
    """The child, as seen from the test."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, step: str, **arguments: Any) -> Json:
        """What came of a step: its values, or `error`, `hint` and `status`; `said` holds the lines it told."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"step": step, **arguments}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the child has ended: see its standard error"
        answer: Json = json.loads(line)
        assert answer.pop("elsewhere") == [], "only the Hub of the test may be asked"
        return answer


@contextmanager
def hub_child(environment: dict[str, str]) -> Iterator[HubChild]:
    """A child with these variables added; its standard error is the test's."""
    command = [sys.executable, "-W", "error", "-m", "tests.hub_child"]
    variables = {**os.environ, **environment}
    process = subprocess.Popen(
        command, cwd=ROOT, env=variables, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield HubChild(process)
    finally:
        process.communicate(timeout=20)


def _publish(bundle: str, repo: str, token: str | None, said: list[str], **how: bool) -> Json:
    from handwriter_models.hub.publish import publish_bundle

    return publish_bundle(Path(bundle), repo, token=token, tell=said.append, **how).to_json()


def _publish_folder(folder: str, repo: str, kind: Any, token: str, said: list[str], **how: Any) -> Json:
    from handwriter_models.hub.push import Target, publish_folder

    force, sdk = how.get("force", False), how.get("sdk", "")
    return publish_folder(
        Path(folder), Target(repo, kind, sdk=sdk), token=token, force=force, tell=said.append
    ).to_json()


def _publish_space(bundle: str, model: Json, kind: Any, token: str, said: list[str]) -> Json:
    from handwriter_models.hub.push import Published
    from handwriter_models.hub.space import SpaceOrder, publish_space

    order = SpaceOrder(kind, Path(bundle), Published(**model))
    return publish_space(order, token=token, tell=said.append).to_json()


def _download(reference: str, said: list[str], token: str | None = None) -> Json:
    from handwriter_models.hub.download import download
    from handwriter_models.hub.refs import reference as parsed

    return download(parsed(reference), token=token, tell=said.append).to_json()


def _predict(name: str, picture: str, said: list[str]) -> Json:
    from handwriter_models import load

    return {"probabilities": load(name).predict(picture).probabilities}


def _command(stage: str, words: list[str], folder: str, said: list[str]) -> Json:
    """A whole command, as `tests.called` calls it; `said` stays empty."""
    from tests.called import called

    return asdict(called(stage, *words, folder=Path(folder)))


def _serve(bundle: str, publishing: Json, token: str, said: list[str]) -> Json:
    """The routes for publishing alone, on a port of this machine, until the child ends."""
    import threading

    import uvicorn
    from fastapi import FastAPI

    from demo.api import Service
    from demo.publish_routes import publish_routes
    from demo.publishing import Publishing
    from demo.shelf import Workers, find_models, load_shelf
    from handwriter_models.errors import UserError
    from handwriter_models.serving import listening

    app = FastAPI()
    app.add_exception_handler(UserError, _refuse)
    service = Service(load_shelf(find_models([bundle])), Workers())
    app.include_router(publish_routes(service, Publishing(**publishing, token=lambda: token)))
    opened = listening("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", proxy_headers=True))
    threading.Thread(target=server.run, kwargs={"sockets": [opened]}, daemon=True).start()
    return {"address": f"http://127.0.0.1:{opened.getsockname()[1]}"}


def _refuse(_: Any, error: Exception) -> Any:
    from demo.refusals import refusal
    from handwriter_models.errors import UserError

    assert isinstance(error, UserError)
    return refusal(error)


STEPS: dict[str, Callable[..., Json]] = {
    "publish": _publish,
    "publish_folder": _publish_folder,
    "publish_space": _publish_space,
    "download": _download,
    "predict": _predict,
    "command": _command,
    "serve": _serve,
}


def main() -> None:
    from handwriter_models.errors import UserError

    elsewhere: list[str] = []

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect" and str(arguments[1][0]) not in ("127.0.0.1", "::1"):
            elsewhere.append(str(arguments[1]))
        if event == "socket.getaddrinfo" and str(arguments[0]) not in ("127.0.0.1", "localhost"):
            elsewhere.append(str(arguments[0]))

    sys.addaudithook(watch)
    for line in sys.stdin:
        order, said = json.loads(line), list[str]()
        try:
            answer = STEPS[order.pop("step")](said=said, **order)
        except UserError as error:
            answer = {"error": error.what, "hint": error.hint, "status": error.status}
        print(json.dumps({**answer, "said": said, "elsewhere": elsewhere}), flush=True)


if __name__ == "__main__":
    main()
