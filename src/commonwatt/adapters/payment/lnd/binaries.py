"""Where the programs of a practice network live: built once by `make peers`, found again by version."""

from __future__ import annotations

import os
from pathlib import Path

from commonwatt.kernel import Missing

LND_VERSION = "v0.21.2-beta"
"""The release that the adapter is tested against; its tag is also the Go module's version."""
BTCD_VERSION = "v0.26.0"

_HOMES = {
    "lnd": f"lnd-{LND_VERSION}",
    "lncli": f"lnd-{LND_VERSION}",
    "btcd": f"btcd-{BTCD_VERSION}",
    "btcctl": f"btcd-{BTCD_VERSION}",
}


class PeerMissing(Missing):
    """A program of the practice network has not been built yet."""

    slug = "peer-missing"
    title = "A program of the practice network is missing"


def peers_directory() -> Path:
    """Return the folder that keeps built peers: `$COMMONWATT_PEERS`, or `~/.cache/commonwatt/peers`."""
    named = os.environ.get("COMMONWATT_PEERS")
    return Path(named).expanduser().resolve() if named else Path.home() / ".cache" / "commonwatt" / "peers"


def home_of(name: str) -> Path:
    """Return the folder of one version of a program, whether it is built or not."""
    return peers_directory() / _HOMES[name]


def find(name: str) -> Path:
    """Return the program `lnd`, `lncli`, `btcd` or `btcctl`; raises PeerMissing, which says how to build it."""
    path = home_of(name) / name
    if not os.access(path, os.X_OK):
        raise PeerMissing(
            f"{name} {_HOMES[name].partition('-')[2]} is not at {path}. Run `make peers` in a clone of Commonwatt; "
            "it builds lnd and btcd once and keeps them there.",
            program=name,
        )
    return path


def missing() -> list[str]:
    """Return the names of the programs a practice network needs that are not built."""
    return [name for name in ("lnd", "btcd") if not os.access(home_of(name) / name, os.X_OK)]
