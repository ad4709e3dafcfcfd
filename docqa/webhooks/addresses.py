"""Which addresses a webhook may be sent to: public ones, and networks that the operator allows.

Only what a host name resolved to is judged, and only a judged address is connected to: a name can
be written in many ways and resolve to another address a moment later.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import urlsplit

from docqa.errors import DocqaError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LONGEST_URL_CHARACTERS = 2000
_GLOBAL_IPV6 = IPv6Network("2000::/3")
"""Nothing outside of it was ever given to anybody on the internet."""
NOT_PUBLIC: tuple[Network, ...] = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by a carrier's customers (CGNAT)
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, where clouds keep their metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT relays
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
        "2001::/23",  # protocol assignments, among them Teredo, which holds an IPv4 address
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which holds an IPv4 address
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)


class UnusableAddress(DocqaError):
    """A webhook cannot go there; ``str(error)`` says why, for the operator."""


def is_usable(address: Address, allowed: Sequence[Network] = (), *, encrypted: bool = True) -> bool:
    """Whether a webhook may be sent to ``address``.

    Args:
        address: what a host name resolved to. IPv6 forms that hold an IPv4 address (mapped,
            6to4, NAT64, Teredo) are never public, whatever they hold.
        allowed: networks of the operator's own to which webhooks may go as well.
        encrypted: whether it is https: plain http may go to ``allowed`` networks only.
    """
    if any(address in network for network in allowed):
        return getattr(address, "scope_id", None) is None
    if not encrypted or any(address in network for network in NOT_PUBLIC):
        return False
    return isinstance(address, IPv4Address) or (
        address in _GLOBAL_IPV6 and address.scope_id is None
    )


def usable(
    addresses: Sequence[str], allowed: Sequence[Network], *, encrypted: bool
) -> tuple[Address, ...]:
    """Those of ``addresses`` that may be connected to. Raises UnusableAddress when there is none.

    What it says names no address: a receiver's internal network is nobody else's business.
    """
    judged = [ip_address(address) for address in addresses]
    found = tuple(one for one in judged if is_usable(one, allowed, encrypted=encrypted))
    if not found:
        raise UnusableAddress(
            "the host is not on the public internet, or not encrypted (http); "
            "add its network to DOCQA_WEBHOOK_ALLOWED_NETWORKS if that is intended"
        )
    return found


def check_url(url: str, allowed: Sequence[Network] = ()) -> None:
    """Refuse a URL to which no webhook could ever go. Nothing is looked up.

    Raises:
        UnusableAddress: it is no http(s) URL of a host, it holds a password or a fragment, it is
            http although no network is allowed, or its host is an address that is not usable.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UnusableAddress("this is not a URL") from error
    if len(url) > LONGEST_URL_CHARACTERS or not re.fullmatch(r"[!-~]+", url):
        raise UnusableAddress("a URL has at most 2000 visible ASCII characters")
    if parts.scheme not in ("https", "http") or not host or port == 0:
        raise UnusableAddress("a webhook needs an https URL with a host")
    if "@" in parts.netloc or parts.fragment:
        raise UnusableAddress("the URL holds a user name, a password or a fragment; leave it out")
    if parts.scheme == "http" and not allowed:
        raise UnusableAddress("only https; http is for networks in DOCQA_WEBHOOK_ALLOWED_NETWORKS")
    try:
        ip_address(host)
    except ValueError:
        return
    usable([host], allowed, encrypted=parts.scheme == "https")
