"""Requests that nobody would think of, made up by schemathesis from our own description: never a server error.

It runs as a program of its own: inside pytest it would bring warnings of other packages, which are errors here. What
a route says on purpose (503 with a hint) is no fault; a bug is a 500, and leaves a trace that ends the server's test.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx

from tests.demo_server import Server

CONFIG = "[checks]\nnot_a_server_error.expected-statuses = ['2xx', '3xx', '4xx', '503', '507']\n"
# Starting to teach photographs fetches weights where there is a network, which a test of ours must not.
LEFT_OUT = "/teach/api/sessions"


def test_no_route_of_the_description_ever_fails(demo: Server, tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIG, "utf-8")
    program = str(Path(sys.executable).with_name("st"))
    how = ["--phases", "examples,coverage,fuzzing", "--max-examples", "5", "--seed", "1", "--no-shrink"]
    which = ["--checks", "not_a_server_error", "--exclude-path", LEFT_OUT, "--warnings", "off"]
    command = [program, "run", f"{demo.address}/openapi.json", *how, *which]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    described = httpx.get(f"{demo.address}/openapi.json", trust_env=False).json()["paths"]
    assert {"/predict/", "/predict/batch", "/feedback/", "/explain/", "/models", "/metrics"} <= set(described)
    assert httpx.get(f"{demo.address}/health", trust_env=False).json()["status"] == "ok"
