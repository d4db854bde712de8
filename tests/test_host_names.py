"""By which names a server may be asked."""

from __future__ import annotations

import socket

import pytest

from handwriter_models.host_names import HostNames, is_local


@pytest.mark.parametrize("header", ["127.0.0.1:7860", "localhost", "LOCALHOST:1", "localhost.", "[::1]:7860"])
def test_a_local_server_answers_to_the_names_of_this_machine(header: str) -> None:
    assert HostNames("127.0.0.1").has(header)


@pytest.mark.parametrize(
    "header", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "192.0.2.7", "", "[::2]"]
)
def test_a_local_server_answers_to_no_other(header: str) -> None:
    assert not HostNames("127.0.0.1").has(header)


def test_names_that_were_given_are_known_and_a_star_stands_for_what_is_below() -> None:
    names = HostNames("127.0.0.1", ["Demo.example.org", "*.gradio.live"])
    assert names.has("demo.example.org:443")
    assert names.has("0123abcd.gradio.live")
    assert not names.has("gradio.live.evil.example")
    assert not names.has("xgradio.live")
    assert HostNames("127.0.0.1", ["*"]).has("anything.example")


def test_a_server_for_all_answers_to_numbers_and_to_the_name_of_the_machine() -> None:
    names = HostNames("0.0.0.0")
    assert names.has("192.0.2.7:7860")
    assert names.has(socket.gethostname())
    assert not names.has("evil.example")


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("127.0.0.2", True), ("::1", True), ("localhost", True), ("0.0.0.0", False)],
)
def test_local_is_what_only_this_machine_reaches(host: str, local: bool) -> None:
    assert is_local(host) is local
