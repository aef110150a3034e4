"""Where notifications may be sent, and how endpoints are read."""

from __future__ import annotations

import pytest

from moorage.core.notifications.addresses import Endpoint, parse_allowed, parse_endpoint
from moorage.core.notifications.topic import ForbiddenAddress


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"])
def test_public_addresses_are_allowed(address: str) -> None:
    parse_allowed("").check("example.com", address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "2002:7f00:1::",
        "64:ff9b::a9fe:a9fe",
    ],
)
def test_what_is_not_public_takes_a_decision(address: str) -> None:
    with pytest.raises(ForbiddenAddress, match="notification_hosts"):
        parse_allowed("other.internal, 10.9.0.0/16").check("hooks.internal", address)
    parse_allowed("Hooks.Internal").check("hooks.internal", address)


def test_networks_are_allowed_by_address() -> None:
    allowed = parse_allowed("10.0.0.0/8,127.0.0.1 , fd00::/8")
    for address in ("10.1.2.3", "127.0.0.1", "fd00::1", "::ffff:10.1.2.3"):
        allowed.check("anything", address)
    with pytest.raises(ForbiddenAddress):
        allowed.check("anything", "127.0.0.2")


@pytest.mark.parametrize("text", ["10.0.0.1/8", "300.1.1.1", "a:b:c", "*"])
def test_what_names_no_host_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is neither"):
        parse_allowed(text)


def test_endpoints_are_taken_apart() -> None:
    assert Endpoint("example.com", 443, True, "/") == parse_endpoint("https://example.com")
    assert Endpoint("::1", 8080, False, "/a?b=c") == parse_endpoint("http://[::1]:8080/a?b=c#d")
    assert "[::1]:8080" == parse_endpoint("http://[::1]:8080/").authority
    assert "example.com" == parse_endpoint("http://example.com:80/").authority


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com",
        "//example.com",
        "http://",
        "http:///path",
        "http://user:secret@example.com/",
        "http://example.com/a b",
        "http://example.com/\r\nHost: other",
        "http://exämple.com/",
        "http://example.com:99999/",
    ],
)
def test_what_is_no_plain_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_endpoint(url)
