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


_shared: list[tuple[LightningNetwork, int]] = []
"""The one network that runs, with the number of fixtures that use it."""


@pytest.fixture(scope="session")
def lnd_network() -> Iterator[LightningNetwork]:
    """One network for the whole run; `network.shop` is ours, `network.driver` the customer's wallet.

    pytest makes a fixture of its own wherever this one is imported; all of them share the one network.
    """
    require_lnd()
    network, users = _shared.pop() if _shared else (LightningNetwork().__enter__(), 0)
    _shared.append((network, users + 1))
    yield network
    network, users = _shared.pop()
    if users > 1:
        _shared.append((network, users - 1))
        return
    network.stop()
    assert not network.directory.exists()
    assert not [program.name for program in (network.chain, network.driver, network.shop) if program.pid]
