"""What the image is made of is there and is enough; Docker itself is not needed to see that."""

from __future__ import annotations

import re
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

import yaml

from tests.source_rules import OURS, imports, sources
from tests.test_requirements import pins, plain

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


def copied() -> list[str]:
    """What is copied out of the repository."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


def left_out() -> set[str]:
    found = re.search(r'^ARG LEFT_OUT="(.+)"$', DOCKERFILE, re.MULTILINE)
    assert found
    return {plain(name) for name in found[1].split("|")}


@cache
def reached(start: str) -> tuple[set[str], set[str]]:
    """Modules of ours and packages of others that a module may ever import, however late."""
    known = {source.module: source for source in sources(ROOT)}
    ours: set[str] = set()
    others: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in known or name in ours:
            continue
        ours.add(name)
        for found in imports(known[name]):
            if found.top in OURS:
                waiting += [found.module, f"{found.module}.{found.name}"]
            elif found.top not in sys.stdlib_module_names:
                others.add(found.top)
    return ours, others


def test_everything_that_is_copied_is_there_and_is_sent_to_the_builder() -> None:
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    assert copied()
    for name in copied():
        assert (ROOT / name).exists(), name
        assert name in sent, name


def test_every_module_that_the_demo_imports_is_in_the_image() -> None:
    ours, _ = reached("app")
    assert {module.partition(".")[0] for module in ours} - {"app"} <= set(copied())


def test_no_package_that_the_demo_imports_is_left_out() -> None:
    _, others = reached("app")
    assert {"torch", "gradio", "fastapi"} <= others
    packages = metadata.packages_distributions()
    needed = {plain(package) for name in others for package in packages.get(name, [name])}
    assert needed & left_out() == set()
    assert left_out() <= set(pins("requirements.txt")), "nothing is left out that is not there"


def test_image_runs_as_a_plain_user_and_is_asked_for_its_health() -> None:
    assert re.search(r"^USER 1000$", DOCKERFILE, re.MULTILINE)
    assert "/health" in DOCKERFILE
    assert DOCKERFILE.index("USER 1000") < DOCKERFILE.index("ENTRYPOINT")
    assert "fonts-nanum" in DOCKERFILE


def test_compose_publishes_to_this_machine_only_and_keeps_data_in_a_volume() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    service = compose["services"]["handwriter"]
    assert service["ports"] == ["${HANDWRITER_PUBLISH:-127.0.0.1:7860}:7860"]
    assert service["volumes"] == ["data:/data"]
    assert "data" in compose["volumes"]
    assert service["read_only"] is True
    assert any(mount.startswith("/tmp") for mount in service["tmpfs"])


def test_compose_names_only_variables_that_the_program_reads() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    program = "".join((ROOT / "demo" / name).read_text("utf-8") for name in ("commands.py", "auth.py"))
    assert [name for name in compose["services"]["handwriter"]["environment"] if name not in program] == []
