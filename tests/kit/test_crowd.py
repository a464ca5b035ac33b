"""A port has room for many, and one stranger never takes all of it."""

import resource
from ipaddress import ip_network

import pytest

from commonwatt.kit.crowd import CROWD_LEAST, FILES_KEPT, Crowd, open_more_files, room


def fill(crowd, address):
    count = 0
    while crowd.enter(address):
        count += 1
    return count


def test_one_address_gets_a_quarter_and_the_others_the_rest():
    crowd = Crowd(100)
    assert fill(crowd, "198.51.100.1") == 25
    assert fill(crowd, "198.51.100.2") == 25
    crowd.leave("198.51.100.1")
    assert fill(crowd, "198.51.100.1") == 1
    assert crowd.count == 50


@pytest.mark.parametrize("proxy", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.1.2.3", "::ffff:10.1.2.3"])
def test_a_proxy_may_bring_as_many_as_there_is_room_for(proxy):
    crowd = Crowd(100, spared=[ip_network("10.0.0.0/8")])
    assert fill(crowd, proxy) == 100
    assert not crowd.enter("198.51.100.1")
    crowd.leave(proxy)
    assert crowd.enter("198.51.100.1")


def test_a_household_of_ipv6_addresses_counts_as_one_and_mapped_addresses_as_their_own():
    crowd = Crowd(100)
    assert fill(crowd, "2001:db8:1:2:aaaa::1") == 25
    assert not crowd.enter("2001:db8:1:2:bbbb::2")
    assert crowd.enter("2001:db8:1:3::1")
    assert fill(crowd, "::ffff:198.51.100.1") == 25
    assert crowd.enter("::ffff:198.51.100.2")


def test_who_has_left_is_forgotten():
    crowd = Crowd(100)
    for number in range(1000):
        assert crowd.enter(f"198.51.{number // 256}.{number % 256}")
        crowd.leave(f"198.51.{number // 256}.{number % 256}")
    assert crowd.count == 0
    assert crowd._here == {}


def test_open_files_bound_the_room_of_both_ports():
    assert room(4096, 1 << 20) == 4096
    assert room(4096, 1024) == (1024 - FILES_KEPT) // 2
    assert room(4096, 100) == CROWD_LEAST


def test_the_limit_of_open_files_is_raised_to_what_the_system_allows():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = min(256, before[0]) if before[0] != resource.RLIM_INFINITY else 256
    resource.setrlimit(resource.RLIMIT_NOFILE, (low, before[1]))
    try:
        files = open_more_files()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert soft == hard == before[1]
        assert files == (1 << 20 if soft == resource.RLIM_INFINITY else soft)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
