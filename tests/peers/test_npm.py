"""The npm test partners are what the lock file says, and load."""

from __future__ import annotations

import json
import subprocess

import pytest
from tests.peers import npm

pytestmark = pytest.mark.npm
LOCK = json.loads((npm.MANIFEST / "package-lock.json").read_text())
WANTED = json.loads((npm.MANIFEST / "package.json").read_text())["dependencies"]


def test_the_lock_file_names_no_package_host():
    assert not [name for name, entry in LOCK["packages"].items() if "resolved" in entry]
    assert all("integrity" in entry for name, entry in LOCK["packages"].items() if name)


@pytest.mark.parametrize("name", WANTED)
def test_a_partner_is_installed_in_the_locked_version(name):
    npm.require_npm()
    assert json.loads((npm.partner(name) / "package.json").read_text())["version"] == WANTED[name]


@pytest.mark.parametrize(
    ("name", "offers"),
    [("ocpp-rpc", "RPCClient"), ("@getalby/lightning-tools", "LightningAddress"), ("axe-core", "run")],
)
def test_a_partner_loads_in_our_node(name, offers):
    npm.require_npm()
    script = (
        "const require = require_from('node:module').createRequire(process.env.COMMONWATT_PARTNERS);"
        "console.log(typeof require(process.argv[1])[process.argv[2]], process.version)"
    ).replace("require_from", "process.getBuiltinModule")
    done = subprocess.run(
        [npm.node(), "-e", script, "--", name, offers],
        env=npm.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    kind, version = done.stdout.split()
    assert kind == "function"
    assert int(version.removeprefix("v").partition(".")[0]) >= 22


def test_the_ocpp_tester_starts():
    npm.require_npm()
    done = subprocess.run(
        [npm.node(), npm.program("ocpp"), "--version"],
        env=npm.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip()


def test_an_uninstalled_partner_is_named_with_what_to_do():
    with pytest.raises(FileNotFoundError, match="make peers"):
        npm.partner("no-such-partner")
    with pytest.raises(FileNotFoundError, match="make peers"):
        npm.program("no-such-program")
