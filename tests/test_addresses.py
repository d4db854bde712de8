"""Only public addresses are reached, however they are written and wherever a name leads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from crawler.addresses import Refusal, Rule, check_ip, joined, normal, resolve_public
from curation.records import Reason

PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.127.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.5",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "fc00::1",
    "fd12::1",
    "ff02::1",
    "2001:db8::1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2001:0:7f00:1::",
    "168.63.129.16",
    "100.100.100.200",
]
PUBLIC = [
    "8.8.8.8",
    "93.184.216.34",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_address_is_refused_unless_allowed(address: str) -> None:
    assert check_ip(address, 80, Rule())
    assert check_ip(address, 80, Rule(allow_private=True)) is None


@pytest.mark.parametrize("address", PUBLIC)
def test_public_address_passes(address: str) -> None:
    assert check_ip(address, 80, Rule()) is None


def test_exception_is_for_one_address_and_port() -> None:
    rule = Rule(also=frozenset({("127.0.0.1", 8000)}))
    assert check_ip("127.0.0.1", 8000, rule) is None
    assert check_ip("127.0.0.1", 8001, rule)
    assert check_ip("127.0.0.2", 8000, rule)


def answering(*addresses: str) -> Callable[[str, int], Awaitable[list[str]]]:
    async def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    return resolve


def resolved(host: str, *addresses: str) -> list[str]:
    return asyncio.run(resolve_public(host, 80, Rule(), answering(*addresses)))


def test_name_is_as_good_as_the_worst_address_it_stands_for() -> None:
    assert resolved("example.org", "8.8.8.8", "2606:4700::1111") == ["8.8.8.8", "2606:4700::1111"]
    for addresses in (["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::1"]):
        with pytest.raises(Refusal) as caught:
            resolved("example.org", *addresses)
        assert caught.value.reason is Reason.PRIVATE_ADDRESS


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost"])
def test_number_in_disguise_is_seen_through_by_the_systems_resolver(host: str) -> None:
    with pytest.raises(Refusal) as caught:
        asyncio.run(resolve_public(host, 80, Rule()))
    assert caught.value.reason in (Reason.PRIVATE_ADDRESS, Reason.UNREACHABLE)


def test_name_without_an_address_is_unreachable() -> None:
    async def fails(host: str, port: int) -> list[str]:
        raise OSError(-2, "Name or service not known")

    for resolver in (fails, answering()):
        with pytest.raises(Refusal) as caught:
            asyncio.run(resolve_public("nowhere.invalid", 80, Rule(), resolver))
        assert caught.value.reason is Reason.UNREACHABLE


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("HTTP://Example.COM:80/A b?c=d e#f", "http://example.com/A%20b?c=d%20e"),
        ("https://example.com:443", "https://example.com/"),
        ("//example.com/x", "https://example.com/x"),
        ("http://한국.kr/고양이.jpg", "http://xn--3e0b707e.kr/%EA%B3%A0%EC%96%91%EC%9D%B4.jpg"),
        ("http://a.b/%EA%B3%A0?u=x%3D1", "http://a.b/%EA%B3%A0?u=x%3D1"),
        ("http://a.b/50% off%?q=%&r=%zz%41", "http://a.b/50%25%20off%25?q=%25&r=%25zz%41"),
        ("http://user:secret@a.b/x", "http://a.b/x"),
        (" http://a.b/\n\tx ", "http://a.b/x"),
        ("http://a.b./x", "http://a.b/x"),
        ("http://[2606:4700:0::1111]:8080/x", "http://[2606:4700::1111]:8080/x"),
        ("data:image/png;base64,AA==", "data:image/png;base64,AA=="),
    ],
)
def test_address_has_one_way_to_be_written(written: str, meant: str) -> None:
    assert normal(written) == meant
    assert normal(meant) == meant


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("ftp://a.b/x", Reason.UNSUPPORTED_SCHEME),
        ("file:///etc/passwd", Reason.UNSUPPORTED_SCHEME),
        ("javascript:alert(1)", Reason.UNSUPPORTED_SCHEME),
        ("a.b/x.jpg", Reason.UNSUPPORTED_SCHEME),
        ("", Reason.UNSUPPORTED_SCHEME),
        ("http:///x", Reason.BAD_ADDRESS),
        ("http://a b/x", Reason.BAD_ADDRESS),
        ("http://[::1/x", Reason.BAD_ADDRESS),
        ("http://a.b:99999/", Reason.BAD_ADDRESS),
        ("http://a.b:x/", Reason.BAD_ADDRESS),
        ("http://" + "é" * 300 + ".com/", Reason.BAD_ADDRESS),
        ("http://a.b/" + "x" * 9000, Reason.BAD_ADDRESS),
    ],
)
def test_what_is_no_address_of_a_picture_says_so(written: str, reason: Reason) -> None:
    with pytest.raises(Refusal) as caught:
        normal(written)
    assert caught.value.reason is reason


def test_redirect_is_joined_to_where_it_came_from() -> None:
    assert joined("http://a.b/c/d?e", "../x y") == "http://a.b/x%20y"
    with pytest.raises(Refusal):
        joined("http://a.b/", "http://[bad/")
