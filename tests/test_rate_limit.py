"""Tokens by address: what may come at once, how they come back, and whose they are."""

from __future__ import annotations

import pytest

from demo.rate_limit import Buckets, Rate, address_of, read_rate
from handwriter_models.errors import UserError


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_and_then_one_token_comes_back_at_a_time() -> None:
    clock = Clock()
    buckets = Buckets(Rate(a_second=2, burst=3), clock)
    for _ in range(3):
        assert buckets.wait("a") == 0
        buckets.take("a")
    assert buckets.wait("a") == pytest.approx(0.5)
    assert buckets.wait("b") == 0, "another address has its own"
    clock.now += 0.5
    assert buckets.wait("a") == 0
    buckets.take("a")
    assert buckets.wait("a") > 0


def test_saved_tokens_never_exceed_the_burst() -> None:
    clock = Clock()
    buckets = Buckets(Rate(1, 2), clock)
    clock.now += 1000
    buckets.take("a", 2)
    assert buckets.wait("a") == pytest.approx(1)


def test_a_large_request_leaves_a_debt_that_is_waited_for() -> None:
    buckets = Buckets(Rate(1, 10), Clock())
    buckets.take("a", 32)
    assert buckets.wait("a") == pytest.approx(23)


def test_ten_thousand_addresses_are_remembered_and_the_quietest_is_forgotten() -> None:
    buckets = Buckets(Rate(1, 1), Clock())
    for number in range(10_001):
        buckets.take(str(number))
    assert buckets.wait("0") == 0
    assert buckets.wait("1") > 0


@pytest.mark.parametrize(
    ("text", "a_second", "burst"), [("20/s", 20, 40), ("120/m", 2, 10), ("3600/h", 1, 10), (" 0.5 / S", 0.5, 10)]
)
def test_rates_are_read_as_they_are_written(text: str, a_second: float, burst: float) -> None:
    assert read_rate(text) == Rate(a_second, burst)


def test_off_means_no_limit() -> None:
    assert read_rate("off") is None


@pytest.mark.parametrize("text", ["", "20", "0/s", "20/d", "-1/s", "many"])
def test_what_is_no_rate_is_named(text: str) -> None:
    with pytest.raises(UserError, match="is not a rate") as refused:
        read_rate(text)
    assert "20/s" in refused.value.hint


@pytest.mark.parametrize(
    ("host", "address"),
    [("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("", ""), ("unix", "unix")],
)
def test_an_ipv6_visitor_is_known_by_the_network_and_not_by_one_of_its_addresses(host: str, address: str) -> None:
    assert address_of({"client": (host, 1)} if host else {}) == address
