"""Invoices: the published examples, an independent codec as oracle, and hostile text."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.protocols.bolt11 import vectors

from commonwatt.protocols import bech32
from commonwatt.protocols.bolt11 import Bolt11, Bolt11Error, Fallback, Hop, Network, decode, encode, node_id

BITCOIN_MSAT = 10**11
HOPS = (
    Hop(
        bytes.fromhex("029e03a901b85534ff1e92c43c74431f7ce72046060fcf7a95c37e148f78c77255"),
        0x0102030405060708,
        1,
        20,
        3,
    ),
    Hop(
        bytes.fromhex("039e03a901b85534ff1e92c43c74431f7ce72046060fcf7a95c37e148f78c77255"),
        0x030405060708090A,
        2,
        30,
        4,
    ),
)


@pytest.mark.parametrize("name", vectors.VALID)
def test_published_examples_are_read(name):
    invoice = decode(vectors.VALID[name])
    assert invoice.timestamp == (1572468703 if name == "pico" else 1496314658)
    if name != "pico":
        assert invoice.payee.hex() == vectors.NODE
        assert invoice.payment_hash.hex() == vectors.PAYMENT_HASH


@pytest.mark.parametrize("name", vectors.INVALID)
def test_published_broken_examples_are_refused_with_a_reason(name):
    text, reason = vectors.INVALID[name]
    with pytest.raises(Bolt11Error, match=reason):
        decode(text)


def test_what_the_examples_say():
    donation, coffee, nonsense = (decode(vectors.VALID[name]) for name in ("donation", "coffee", "nonsense"))
    assert (donation.amount_msat, donation.expiry_s) == (None, 3600)
    assert donation.description == "Please consider supporting this project"
    assert (coffee.amount_msat, coffee.description, coffee.expiry_s) == (250_000_000, "1 cup coffee", 60)
    assert coffee.expires_s == 1496314718
    assert nonsense.description == "ナンセンス 1杯"
    cake = decode(vectors.LIST)
    assert (cake.amount_msat, cake.description) == (2_000_000_000, None)
    assert cake.description_hash == hashlib.sha256(vectors.CAKE.encode()).digest()
    testnet = decode(vectors.TESTNET_P2PKH)
    assert (testnet.network, testnet.fallbacks[0].version) == (Network.TESTNET, 17)
    assert decode(vectors.ROUTED).routes == (HOPS,)
    assert [decode(text).fallbacks[0].version for text in (vectors.P2SH, vectors.P2WPKH, vectors.P2WSH)] == [18, 0, 0]
    assert len(decode(vectors.P2WSH).fallbacks[0].program) == 32
    pico = decode(vectors.PICO)
    assert (pico.amount_msat, pico.min_final_cltv, pico.expiry_s) == (967_878_534, 10, 604_800)
    assert pico.routes[0][0].fee_proportional_millionths == 2500
    beans = decode(vectors.BEANS)
    assert beans.payment_secret == b"\x11" * 32
    assert beans.features == 1 << 99 | 1 << 15 | 1 << 9
    assert decode(vectors.IGNORED) == beans


@pytest.mark.parametrize("name", vectors.VALID)
def test_what_was_read_is_written_so_that_it_says_the_same(name):
    invoice = replace(decode(vectors.VALID[name]), payee=b"")
    again = decode(encode(invoice, vectors.KEY))
    assert replace(again, payee=b"") == invoice
    assert again.payee.hex() == vectors.NODE == node_id(vectors.KEY)


@pytest.mark.parametrize("name", [name for name in vectors.VALID if name not in {"pico", "upper case"}])
def test_signatures_are_the_published_ones_to_the_bit(name):
    prefix, values = bech32.decode(vectors.VALID[name], 4296)
    assert _signed(prefix, values[:-104]) == vectors.VALID[name]


def test_uri_and_white_space_are_understood():
    assert decode("  lightning:" + vectors.COFFEE + "\n") == decode(vectors.COFFEE)
    assert decode("LIGHTNING:" + vectors.COFFEE.upper()) == decode(vectors.COFFEE)


invoices = st.builds(
    Bolt11,
    network=st.sampled_from(list(Network)),
    amount_msat=st.one_of(st.none(), st.integers(1, 10**15)),
    timestamp=st.integers(0, 2**35 - 1),
    payment_hash=st.binary(min_size=32, max_size=32),
    payment_secret=st.binary(min_size=32, max_size=32),
    description=st.text(max_size=150),
    expiry_s=st.integers(0, 2**40),
    min_final_cltv=st.integers(1, 5000),
    routes=st.sampled_from([(), (HOPS,), (HOPS[:1], HOPS[1:])]),
    fallbacks=st.sampled_from([(), (Fallback(17, b"\x01" * 20), Fallback(1, b"\x02" * 32))]),
    metadata=st.one_of(st.none(), st.binary(min_size=1, max_size=40)),
)


@given(invoices, st.binary(min_size=32, max_size=32).filter(lambda key: 0 < int.from_bytes(key, "big") < 2**255))
def test_what_is_written_is_read(invoice, key):
    text = encode(invoice, key)
    assert replace(decode(text), payee=b"") == invoice
    assert decode(text).payee.hex() == node_id(key)


@given(
    st.integers(1, 10**15),
    st.integers(0, 2**33),
    st.text(min_size=1, max_size=100).filter(lambda text: "\0" not in text),
    st.integers(1, 10**6),
)
@example(1, 0, "x", 1)
@example(5000 * BITCOIN_MSAT, 0, "x", 1)
def test_an_independent_codec_agrees(amount_msat, timestamp, description, expiry_s):
    oracle = pytest.importorskip("bolt11")
    invoice = Bolt11(
        Network.REGTEST, amount_msat, timestamp, b"\x01" * 32, b"\x02" * 32, description, expiry_s=expiry_s
    )
    theirs = oracle.decode(encode(invoice, vectors.KEY))
    assert (theirs.amount_msat, theirs.date, theirs.expiry) == (amount_msat, timestamp, expiry_s)
    assert (theirs.description, theirs.payment_hash, theirs.payee) == (description, "01" * 32, vectors.NODE)
    if amount_msat % (10 * BITCOIN_MSAT) == 0:
        return  # it reads 5000 bitcoins well, and writes them as 5
    back = decode(oracle.encode(theirs, vectors.KEY.hex()))
    assert replace(back, payee=b"") == invoice


def test_a_node_that_is_named_must_have_signed():
    prefix, values = bech32.decode(vectors.BEANS, 4296)
    body, signature = values[:-104], values[-104:]
    named = [19, 1, 21, *bech32.to_values(bytes.fromhex(vectors.NODE))]
    with pytest.raises(Bolt11Error, match="not that of the node"):
        decode(bech32.encode(prefix, body + named + signature))
    with pytest.raises(Bolt11Error):
        decode(bech32.encode(prefix, [*body, 19, 1, 21, *bech32.to_values(b"\xff" * 33), *signature]))


def test_a_named_node_is_verified_without_the_recovery_flag():
    from commonwatt.protocols.bolt11 import codec

    prefix, values = bech32.decode(vectors.BEANS, 4296)
    body = [*values[:-104], 19, 1, 21, *bech32.to_values(bytes.fromhex(vectors.NODE))]
    signature = codec._key(vectors.KEY).sign_recoverable(codec._signed_content(prefix, body))
    wrong_flag = signature[:64] + bytes([3])
    assert decode(bech32.encode(prefix, body + bech32.to_values(wrong_flag))).payee.hex() == vectors.NODE


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"amount_msat": 0}, "cannot be asked"),
        ({"amount_msat": 21_000_001 * 10**11}, "cannot be asked"),
        ({"description": None}, "either"),
        ({"description_hash": b"\x01" * 32}, "either"),
        ({"description": "x" * 640}, "639"),
    ],
)
def test_what_cannot_be_said_is_not_signed(changes, reason):
    invoice = Bolt11(Network.REGTEST, 1000, 1, b"\x01" * 32, b"\x02" * 32, "x")
    with pytest.raises(Bolt11Error, match=reason):
        encode(replace(invoice, **changes), vectors.KEY)


def _signed(prefix, values):
    from commonwatt.protocols.bolt11 import codec

    signature = codec._key(vectors.KEY).sign_recoverable(codec._signed_content(prefix, values))
    return bech32.encode(prefix, values + bech32.to_values(signature))


@pytest.mark.parametrize(
    ("prefix", "values", "reason"),
    [
        ("lnbcrt", [0] * 7, "payment hash"),
        ("lnbcrt", [0] * 7 + [1], "ends inside"),
        ("lnbcrt", [0] * 7 + [1, 31, 31, 1], "longer than"),
        ("lnbcrt", [0] * 7 + [13, 0, 2, 31, 31], "UTF-8"),
        ("lnbcrt0u", [0] * 7, "amount is malformed"),
        ("lnbcrt99999999999999999", [0] * 7, "more bitcoin"),
        ("lnxx", [0] * 7, "begin like"),
    ],
)
def test_malformed_but_signed_invoices_are_refused(prefix, values, reason):
    with pytest.raises(Bolt11Error, match=reason):
        decode(_signed(prefix, values))


@given(st.text(max_size=400))
def test_any_text_is_read_or_refused(text):
    with pytest.raises(Bolt11Error):
        decode(text)


@given(st.integers(0, len(vectors.PICO) - 1), st.sampled_from(bech32.CHARSET))
def test_a_changed_letter_never_passes(place, letter):
    changed = vectors.PICO[:place] + letter + vectors.PICO[place + 1 :]
    if changed != vectors.PICO:
        with pytest.raises(Bolt11Error):
            decode(changed)


def test_oversized_text_is_refused_before_it_is_read():
    with pytest.raises(Bolt11Error, match="at most"):
        decode("lnbc1" + "q" * 1_000_000)
