"""The guide's macaroon is enough for everything the rail does, and for nothing more; its Python runs."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
from tests.adapters.lnd.lightning_steps import issue, pay, terms, until

from commonwatt.adapters.payment.lnd import LndConfig, LndRail
from commonwatt.adapters.payment.lnd.binaries import find
from commonwatt.kernel import Done
from commonwatt.payments.ports import InvoiceState

GUIDE = (Path(__file__).parents[3] / "docs" / "guides" / "connect-a-wallet-node.md").read_text()


@pytest.fixture
def guided(lnd_network, tmp_path):
    """Bake the macaroon with the guide's own command line on the shop's node."""
    command = re.search(r"^lncli (bakemacaroon .*)$", GUIDE, re.MULTILINE).group(1)
    shop, path = lnd_network.shop, tmp_path / "commonwatt.macaroon"
    reach = [f"--lnddir={shop.home}", "--network=regtest", f"--rpcserver=127.0.0.1:{shop.rpc_port}"]
    words = [str(path) if word == "commonwatt.macaroon" else word for word in shlex.split(command)]
    subprocess.run([find("lncli"), *reach, *words], check=True, capture_output=True, stdin=subprocess.DEVNULL)
    return LndConfig.from_files(shop.rest_url, path, shop.tls_cert_path)


@pytest.mark.lnd
async def test_the_guides_macaroon_can_do_all_that_the_rail_does(guided, driver):
    shop = LndRail(guided)
    for hold in (False, True):
        wanted = terms(hold=hold)
        paying = pay(driver, await issue(shop, wanted))
        if hold:
            await until(shop, wanted.payment_hash, InvoiceState.ACCEPTED)
            assert await shop.settle_invoice(wanted.preimage) == Done(None)
        assert isinstance(await paying, Done)
    unpaid = terms(hold=True)
    await issue(shop, unpaid)
    assert await shop.cancel_invoice(unpaid.payment_hash) == Done(None)
    change = terms()
    assert isinstance(await pay(shop, await issue(driver, change)), Done)
    assert isinstance(await shop.look_up_payment(change.payment_hash), Done)
    assert isinstance(await shop.balance(), Done)
    await shop.close()


@pytest.mark.lnd
async def test_the_guides_macaroon_cannot_touch_coins_channels_or_keys(guided):
    shop = LndRail(guided)
    for method, path, body in (
        ("GET", "/v1/newaddress", None),
        ("GET", "/v1/balance/blockchain", None),
        ("POST", "/v1/transactions", {"addr": "x", "amount": "1"}),
        ("POST", "/v1/macaroon", {"permissions": []}),
    ):
        reply = await shop.client.call(method, path, body)
        assert reply.denied, reply
    await shop.close()


def test_the_guides_settings_are_settings():
    read = tomllib.loads(re.search(r"```toml\n(.*?)```", GUIDE, re.DOTALL).group(1))
    assert read["payments"]["rails"] == ["lnd"]
    assert LndConfig(read["lnd"]["url"], "00ff", Path(read["lnd"]["tls_cert_path"])).url == read["lnd"]["url"]
    assert set(read["lnd"]) == {"url", "macaroon_path", "tls_cert_path"}


@pytest.mark.lnd
def test_the_guides_python_speaks_of_things_that_are(lnd_network):
    body = re.search(r"```python\n(.*?)```", GUIDE, re.DOTALL).group(1)
    steps = body.partition("as network:")[2].partition("\n")[2]
    lines = "\n".join(line.strip() for line in steps.splitlines())
    before = lnd_network._chain_call("getblockcount")
    exec(compile(lines, "the guide", "exec"), {"network": lnd_network})  # noqa: S102 (our own guide)
    assert lnd_network._chain_call("getblockcount") == before + 1
