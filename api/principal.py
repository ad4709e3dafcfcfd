"""Whose request it is."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address

from starlette.requests import Request

LOCAL_CLIENT = "local"
"""Everybody, where clients have no keys."""
_IPV6_OF_ONE = 64
"""Bits of an IPv6 address that whoever has one cannot choose."""


def client_id_of(request: Request) -> str:
    """The client that whoever checked its key put into ``request.state.client_id``."""
    return str(getattr(request.state, "client_id", LOCAL_CLIENT))


def address_of(request: Request) -> str:
    """Where a request comes from: an IPv4 address, or the network of an IPv6 one.

    Behind a proxy whose word is not taken that is the proxy, for everybody.
    """
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(IPv6Network((int(address), _IPV6_OF_ONE), strict=False))
    return host
