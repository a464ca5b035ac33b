"""Only a proxy that the configuration names is believed about who asks."""

from ipaddress import ip_network

import pytest

from commonwatt.kernel import SeededIds
from commonwatt.kit.clock import SteppedClock
from commonwatt.kit.web import Site
from commonwatt.kit.web.limits import _who
from commonwatt.kit.web.surroundings import Surroundings, client_of

SITE = Site("Test", "https://charge.example")


async def seen(peer, forwarded, trusted, proto=None):
    found = {}

    async def app(scope, receive, send):
        found.update(client=client_of(scope), scheme=scope["scheme"], who=_who(scope))

    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded is not None else []
    if proto is not None:
        headers.append((b"x-forwarded-proto", proto))
    scope = {"type": "http", "method": "GET", "path": "/", "headers": headers, "client": (peer, 1), "scheme": "http"}
    networks = [ip_network(one) for one in trusted]
    await Surroundings(app, SITE, SteppedClock(), SeededIds(), networks)(scope, None, None)
    return found


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "client"),
    [
        ("203.0.113.9", "198.51.100.1", [], "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", ["10.0.0.0/8"], "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1", ["10.0.0.0/8"], "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2", ["10.0.0.0/8"], "198.51.100.1"),
        ("10.0.0.1", "not an address", ["10.0.0.0/8"], "10.0.0.1"),
        ("10.0.0.1", "", ["10.0.0.0/8"], "10.0.0.1"),
        ("10.0.0.1", None, ["10.0.0.0/8"], "10.0.0.1"),
        ("::1", "2001:db8::1", ["::1/128"], "2001:db8::1"),
        ("::ffff:10.0.0.1", "198.51.100.1", ["10.0.0.0/8"], "198.51.100.1"),
    ],
)
async def test_the_client_s_address(peer, forwarded, trusted, client):
    assert (await seen(peer, forwarded, trusted))["client"] == client


@pytest.mark.parametrize(
    ("peer", "share"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("::ffff:198.51.100.2", "198.51.100.2"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
    ],
)
async def test_whoever_comes_over_a_socket_for_both_kinds_of_addresses_has_his_own_share(peer, share):
    assert (await seen(peer, None, []))["who"] == share


async def test_the_scheme_comes_from_a_trusted_proxy_only():
    assert (await seen("10.0.0.1", None, ["10.0.0.0/8"], b"https"))["scheme"] == "https"
    assert (await seen("10.0.0.1", None, ["10.0.0.0/8"], b"gopher"))["scheme"] == "http"
    assert (await seen("192.0.2.1", None, ["10.0.0.0/8"], b"https"))["scheme"] == "http"


async def host_seen(peer, forwarded):
    found = []

    async def app(scope, receive, send):
        found.extend(value for name, value in scope["headers"] if name == b"host")

    headers = [(b"host", b"inner:8080"), (b"x-forwarded-host", forwarded)]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": headers, "client": (peer, 1), "scheme": "http"}
    await Surroundings(app, SITE, SteppedClock(), SeededIds(), [ip_network("10.0.0.0/8")])(scope, None, None)
    return found


async def test_the_host_comes_from_a_trusted_proxy_only():
    assert await host_seen("10.0.0.1", b"charge.example") == [b"charge.example"]
    assert await host_seen("10.0.0.1", b"spoofed.example, charge.example") == [b"charge.example"]
    assert await host_seen("10.0.0.1", b"") == [b"inner:8080"]
    assert await host_seen("192.0.2.1", b"charge.example") == [b"inner:8080"]


async def test_a_household_of_ipv6_addresses_has_one_share():
    one = await seen("2001:db8:1:2:aaaa::1", None, [])
    two = await seen("2001:db8:1:2:bbbb::2", None, [])
    other = await seen("2001:db8:1:3::1", None, [])
    assert one["who"] == two["who"] != other["who"]
