"""Where notifications may be sent: anywhere on the public internet, and else only to what the operator has named.

Whoever may subscribe chooses where Moorage posts to, and Moorage may reach what they cannot: the machine's own
services, its neighbours, a cloud's metadata. So private addresses take a decision of the operator's, the setting
`notification_hosts`.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from moorage.core.notifications.topic import ForbiddenAddress

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_PORTS: Final = {"http": 80, "https": 443}
_HOST_NAME: Final = re.compile(
    r"([a-z0-9_]([a-z0-9_-]*[a-z0-9])?\.)*[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(?<=[a-z])", re.IGNORECASE
)
"""Its last character is a letter: an address in decimals is none."""
_TRANSLATED: Final = ipaddress.ip_network("64:ff9b::/96")
"""Of IPv4 addresses, by NAT64."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the operator has named: host names, and networks or addresses."""

    names: frozenset[str] = frozenset()
    networks: tuple[_Network, ...] = ()

    def check(self, host: str, address: str) -> None:
        """Whether a request for `host` may go to `address`, which it was resolved to. Raises ForbiddenAddress."""
        if host.lower() in self.names:
            return
        found = _unwrapped(ipaddress.ip_address(address.partition("%")[0]))
        if any(found in network for network in self.networks if network.version == found.version):
            return
        if not found.is_global or found.is_multicast or found.is_reserved:
            # Not where it is: names inside a network are none of the caller's business.
            raise ForbiddenAddress(
                f"{host} is not at a public address. Name it in the setting notification_hosts to have notifications "
                "sent there"
            )


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an http or https subscription leads."""

    host: str
    port: int
    is_encrypted: bool
    target: str
    """Path and query."""

    @property
    def authority(self) -> str:
        """For the Host field."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS["https" if self.is_encrypted else "http"] else f"{host}:{self.port}"


def parse_allowed(text: str) -> Allowed:
    """The setting: names, addresses and networks with commas between. Raises ValueError, naming the wrong one."""
    names, networks = set(), []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        if _HOST_NAME.fullmatch(entry):
            names.add(entry.lower())
            continue
        try:
            networks.append(ipaddress.ip_network(entry))
        except ValueError:
            raise ValueError(f"{entry!r} is neither a host name nor an address nor a network") from None
    return Allowed(frozenset(names), tuple(networks))


def parse_endpoint(url: str) -> Endpoint:
    """Take a subscription's URL apart. Raises ValueError for anything but plain http and https URLs."""
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("it must be printable ASCII without spaces")
    parts = urlsplit(url)
    if parts.scheme not in _PORTS:
        raise ValueError("it must begin with http:// or https://")
    if not parts.hostname:
        raise ValueError("it must have a host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("it must not contain a user or a password")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Endpoint(parts.hostname, parts.port or _PORTS[parts.scheme], parts.scheme == "https", target)


def _unwrapped(address: _Address) -> _Address:
    """The IPv4 address in an IPv6 one that only stands for it."""
    if address.version == 6:
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address in _TRANSLATED:
            return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
