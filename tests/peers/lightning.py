"""The practice network for tests: two real lnd nodes and a chain, or a skip that says what is missing.

`LightningNetwork` itself is part of the product (`commonwatt demo --lnd` starts the same one).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from commonwatt.adapters.payment.lnd.binaries import missing, peers_directory
from commonwatt.adapters.payment.lnd.regtest import LightningNetwork, Node

__all__ = ["LightningNetwork", "Node", "lnd_network", "require_lnd"]


def require_lnd() -> None:
    """Skip the calling test unless lnd and btcd are built."""
    if absent := missing():
        pytest.skip(f"{' and '.join(absent)} not built in {peers_directory()}: run `make peers`")


@pytest.fixture(scope="session")
def lnd_network() -> Iterator[LightningNetwork]:
    """One network for the whole run; `network.shop` is ours, `network.driver` the customer's wallet."""
    require_lnd()
    with LightningNetwork() as network:
        yield network
