"""Webhooks go to the public internet and to allowed networks, and nowhere else."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa.webhooks.addresses import UnusableAddress, check_url, is_usable, usable

PUBLIC = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
    "126.255.255.255", "128.0.0.1", "169.253.255.255", "169.255.0.0", "172.15.255.255",
    "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
    "223.255.255.255", "2001:200::1", "2606:4700::1111", "2a00:1450::1", "2003::1",
]  # fmt: skip
NOT_PUBLIC = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.0", "100.127.255.255",
    "127.0.0.1", "127.255.255.254", "169.254.0.1", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.31.196.1", "192.52.193.1",
    "192.88.99.1", "192.88.99.255", "192.168.0.1", "192.168.255.255", "192.175.48.1",
    "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.7", "203.0.113.255", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "100::1",
    "2001::1", "2001:0:7f00:1::", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1",
    "2002:7f00:1::1", "2002:808:808::1", "2620:4f:8000::1", "3fff::1", "4000::1", "5f00::1",
    "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2606:4700::1%eth0",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_usable_over_https_alone(address: str) -> None:
    assert is_usable(ip_address(address))
    assert not is_usable(ip_address(address), encrypted=False)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert not is_usable(ip_address(address))


@given(st.ip_addresses(v=4))
def test_no_ipv6_form_of_an_ipv4_address_gets_through(inner: IPv4Address) -> None:
    number = int(inner)
    forms = (
        number,
        0xFFFF << 32 | number,
        0xFFFF << 48 | number,
        0x64FF9B << 96 | number,
        0x2002 << 112 | number << 80,
        0x20010000 << 96 | number,
    )
    for form in forms:
        assert not is_usable(IPv6Address(form))


@given(st.ip_addresses())
def test_whatever_python_calls_private_is_refused(address: IPv4Address | IPv6Address) -> None:
    if address.is_private or address.is_loopback or address.is_link_local or address.is_multicast:
        assert not is_usable(address)


def test_an_allowed_network_is_usable_also_without_encryption_and_only_itself() -> None:
    allowed = [ip_network("10.1.0.0/16"), ip_network("fd00:1::/32")]
    for inside in ("10.1.2.3", "fd00:1::5"):
        assert is_usable(ip_address(inside), allowed)
        assert is_usable(ip_address(inside), allowed, encrypted=False)
    for outside in ("10.2.0.1", "::ffff:10.1.2.3", "fd00:2::1", "fd00:1::5%eth0"):
        assert not is_usable(ip_address(outside), allowed)


def test_of_several_addresses_only_the_usable_ones_are_left() -> None:
    found = usable(["127.0.0.1", "8.8.8.8", "::1"], [], encrypted=True)
    assert found == (ip_address("8.8.8.8"),)
    with pytest.raises(UnusableAddress) as refused:
        usable(["127.0.0.1", "10.0.0.9"], [], encrypted=True)
    assert "10.0.0.9" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "", "booking.example", "ftp://booking.example/", "file:///etc/passwd", "https://",
        "https:///hook", "https://user@booking.example/", "https://u:p@booking.example/",
        "https://booking.example/#part", "https://booking.example:0/", "https://a.example:99999/",
        "https://booking.example/\n", "https://booking.example/ x", "https://بوابة.example/",
        "https://[::1", "https://127.0.0.1/", "https://[::1]/", "https://[::ffff:8.8.8.8]/",
        "http://booking.example/", "http://8.8.8.8/", "https://booking.example/" + "x" * 2000,
    ],
)  # fmt: skip
def test_a_url_that_can_never_be_used_is_refused_at_once(url: str) -> None:
    with pytest.raises(UnusableAddress):
        check_url(url)


@pytest.mark.parametrize(
    "url",
    ["https://booking.example/hook?x=1", "https://8.8.8.8:8443/", "https://[2606:4700::1111]/"],
)
def test_a_usable_url_passes(url: str) -> None:
    check_url(url)


def test_http_is_for_allowed_networks() -> None:
    allowed = [ip_network("127.0.0.0/8")]
    check_url("http://127.0.0.1:8080/hook", allowed)
    check_url("http://portal.internal/hook", allowed)
    with pytest.raises(UnusableAddress):
        check_url("http://8.8.8.8/", allowed)
