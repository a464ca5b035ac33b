"""Whatever JSON lnd might send, reading it gives a value or `Odd`, never another exception."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.adapters.payment.lnd.reading import Odd, read_channels, read_invoice, read_payment, read_request, whole

FIELDS = """
    state htlcs amt_msat amt_paid_msat status payment_preimage value_msat fee_msat failure_reason channels local_balance
    remote_balance local_constraints remote_constraints chan_reserve_sat payment_hash num_msat
"""
KEYS = st.sampled_from(FIELDS.split())
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False)
WORDS = st.sampled_from(["ACCEPTED", "SETTLED", "OPEN", "SUCCEEDED", "FAILED", "12", "00" * 32])
JSON = st.recursive(
    SCALARS | WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=12
)


@given(st.dictionaries(KEYS, JSON, max_size=8))
def test_reading_never_raises_anything_but_odd(body):
    for read in (
        lambda: read_invoice(body, b"\0" * 32),
        lambda: read_payment(body, b"\0" * 32),
        lambda: read_channels(body),
        lambda: read_request(body),
    ):
        with contextlib.suppress(Odd):
            read()


@given(st.integers(min_value=0, max_value=2**64 - 1))
def test_numbers_come_as_text_or_as_numbers(value):
    assert whole(value) == whole(str(value)) == value


@pytest.mark.parametrize("value", ["", "-1", "1.0", "1e3", " 1", "٣", "9" * 21, -1, 1.0, True, [], {}])
def test_what_is_no_whole_number_is_odd(value):
    with pytest.raises(Odd):
        whole(value)
