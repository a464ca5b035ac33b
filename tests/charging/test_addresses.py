"""Where change may go by itself: only where this site could ask for an invoice."""

import pytest

from commonwatt.charging.addresses import usable_address
from commonwatt.charging.errors import AddressUnusable
from commonwatt.protocols.lnurl import encode_lnurl

PUBLIC = encode_lnurl("https://wallet.example/pay/ada")
HERE = encode_lnurl("http://localhost:8080/pay/ada")


@pytest.mark.parametrize("typed", ["ada@wallet.example", " ada@wallet.example:8443 ", PUBLIC, PUBLIC.lower()])
@pytest.mark.parametrize("sandbox", [False, True])
def test_a_public_address_is_kept_as_it_was_typed(typed, sandbox):
    assert usable_address(typed, sandbox=sandbox) == typed.strip()


@pytest.mark.parametrize("typed", ["", "  "])
def test_none_is_none(typed):
    assert usable_address(typed, sandbox=False) == ""


@pytest.mark.parametrize("typed", ["ada@localhost:8080", "ada@127.0.0.1:8080", HERE])
def test_this_machine_is_asked_only_in_a_sandbox(typed):
    assert usable_address(typed, sandbox=True) == typed
    with pytest.raises(AddressUnusable):
        usable_address(typed, sandbox=False)


@pytest.mark.parametrize(
    "typed",
    [
        *("foo", "http://x", "https://wallet.example/pay", "ada@", "ada@localhost", "ada@intranet", "ada@10.0.0.1"),
        *("a@b@c.d", "ada@hidden.onion", "ada@wallet.example:0", "lnurl1qqqq", "x" * 300),
        encode_lnurl("http://10.0.0.1/x"),
    ],
)
@pytest.mark.parametrize("sandbox", [False, True])
def test_what_nobody_can_be_asked_at_is_refused(typed, sandbox):
    with pytest.raises(AddressUnusable) as refused:
        usable_address(typed, sandbox=sandbox, field="change_address")
    assert refused.value.fields == {"field": "change_address"}
