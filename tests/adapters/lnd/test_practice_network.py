"""The practice network keeps what it is told to keep, and leaves nothing behind."""

from __future__ import annotations

import os
import time

import pytest
from tests.peers.lightning import require_lnd

from commonwatt.adapters.payment.lnd.regtest import LightningNetwork, PracticeNetworkDown

pytestmark = [pytest.mark.lnd, pytest.mark.slow]


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            time.sleep(0.05)
    return False


def test_a_network_in_a_folder_goes_on_with_its_channel_even_after_its_parent_was_killed(tmp_path):
    require_lnd()
    with LightningNetwork(tmp_path) as network:
        invoice = network.shop.call("POST", "/v1/invoices", {"value_msat": "5000"})
        channel = network.driver.call("GET", "/v1/channels")["channels"][0]["channel_point"]
        pubkey = network.shop.pubkey
    assert network.shop.pid is None
    abandoned = LightningNetwork(tmp_path)
    abandoned.__enter__()
    pids = [program.pid for program in (abandoned.chain, abandoned.driver, abandoned.shop)]
    with LightningNetwork(tmp_path) as network:  # as after a kill -9 of the parent: nobody stopped the children
        assert all(gone(pid) for pid in pids)
        assert network.shop.pubkey == pubkey
        assert network.driver.call("GET", "/v1/channels")["channels"][0]["channel_point"] == channel
        network.driver.call("GET", f"/v1/payreq/{invoice['payment_request']}")
        assert network.shop.call("GET", "/v1/invoices")["invoices"][0]["value_msat"] == "5000"


def test_a_refusal_names_the_node_and_the_path(lnd_network):
    with pytest.raises(PracticeNetworkDown, match="shop answered 404 to /v1/nothing"):
        lnd_network.shop.call("GET", "/v1/nothing")
