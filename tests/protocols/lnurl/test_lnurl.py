"""LNURL: links of every spelling, messages that the strictest client accepts, and hostile answers."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.protocols import lnurl
from commonwatt.protocols.bolt11 import Bolt11, Network, encode
from commonwatt.protocols.lnurl import (
    LnurlError,
    Message,
    PayAnswer,
    PayRequest,
    ServiceError,
    UrlAction,
    Verification,
    WithdrawRequest,
)

URL = "https://service.com/api?q=3fc3645b439ce8e7f2553a69e5267081d96dcd340693afabe04be7b0ccd178df"
BECH32 = (
    "LNURL1DP68GURN8GHJ7UM9WFMXJCM99E3K7MF0V9CXJ0M385EKVCENXC6R2C35XVUKXEFCV5MKVV34X5EKZD3EV56NYD3HXQURZEPEXEJXXEPNXSCRV"
    "WFNV9NXZCN9XQ6XYEFHVGCXXCMYXYMNSERXFQ5FNS"
)
"""The example of LUD-01."""
INVOICE = encode(Bolt11(Network.REGTEST, 1000, 1, b"\x01" * 32, b"\x02" * 32, "x"), b"\x03" * 32)


def test_the_published_link_is_written_and_read():
    assert lnurl.encode_lnurl(URL) == BECH32
    assert lnurl.decode_lnurl(BECH32.lower()) == URL


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (BECH32, URL),
        ("lightning:" + BECH32.lower(), URL),
        ("  LIGHTNING:" + BECH32 + " \n", URL),
        ("https://charge.example.com/c/cp-1-1?lightning=" + BECH32, URL),
        ("lnurlp://charge.example.com/pay/1", "https://charge.example.com/pay/1"),
        ("LNURLW://charge.example.com/w?k=1", "https://charge.example.com/w?k=1"),
        ("lnurlp://localhost:8080/pay/1", "http://localhost:8080/pay/1"),
        ("lnurlp://abc.onion/pay/1", "http://abc.onion/pay/1"),
        ("cp-1-1@charge.example.com", "https://charge.example.com/.well-known/lnurlp/cp-1-1"),
        ("cp-1-1@Charge.Example.com", "https://charge.example.com/.well-known/lnurlp/cp-1-1"),
        ("cp@localhost:8080", "http://localhost:8080/.well-known/lnurlp/cp"),
        ("https://charge.example.com/pay/1", "https://charge.example.com/pay/1"),
    ],
)
def test_whatever_is_scanned_leads_to_one_address(text, url):
    assert lnurl.read_link(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        BECH32[:-1] + "Q",
        "lnurl1" + "q" * 10_000,
        "javascript:alert(1)",
        "ftp://host/x",
        "lnurlp://",
        "lnurlp://user:secret@host/x",
        "https://user@host/x",
        "Name@host.com",
        "a b@host.com",
        "a@@host.com",
        "a@host.com/path",
        "https://host:99999/",
        "https://ho st/",
        "https://host/\x00",
        lnurl.encode_lnurl("file:///etc/passwd"),
    ],
)
def test_what_leads_nowhere_is_refused(text):
    with pytest.raises(LnurlError):
        lnurl.read_link(text)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text):
    try:
        url = lnurl.read_link(text)
    except LnurlError:
        return
    assert url.startswith(("http://", "https://"))


def test_page_links_serve_cameras_and_wallets():
    link = lnurl.page_link("https://charge.example.com/c/cp-1-1", URL)
    assert link == f"https://charge.example.com/c/cp-1-1?lightning={BECH32}"
    assert lnurl.in_scheme(URL, "lnurlp").startswith("lnurlp://service.com/api?q=3fc")
    assert lnurl.with_query("https://h/p?a=1", amount=5, comment="B-CW 1") == "https://h/p?a=1&amount=5&comment=B-CW+1"


def test_identifiers_never_carry_a_port():
    assert lnurl.address_identifier("cp-1-1", "localhost:8080") == "cp-1-1@localhost"
    assert lnurl.address_identifier("cp-1-1", "charge.example.com") == "cp-1-1@charge.example.com"
    with pytest.raises(LnurlError):
        lnurl.address_identifier("CP 1", "h")


METADATA = lnurl.compose_metadata("Charge at Ä", identifier="cp-1-1@h.example", long_description="0.45 EUR/kWh")


def test_metadata_are_hashed_to_the_byte():
    assert json.loads(METADATA)[1] == ["text/identifier", "cp-1-1@h.example"]
    models = pytest.importorskip("lnurl.types")
    theirs = models.LnurlPayMetadata(METADATA)
    assert theirs.h == lnurl.metadata_hash(METADATA).hex()
    assert theirs.text == lnurl.metadata_text(METADATA) == "Charge at Ä"


def messages():
    call = "https://h.example/cb"
    pay = PayRequest(call, 1000, 10_000_000, METADATA)
    withdraw = WithdrawRequest(call, "k1", "Change", 0, 5000)
    return [
        ("LnurlPayResponse", pay.compose()),
        ("LnurlPayResponse", PayRequest(call, 1, 1, METADATA, comment_allowed=40).compose()),
        ("LnurlPayActionResponse", PayAnswer(INVOICE).compose()),
        ("LnurlPayActionResponse", PayAnswer(INVOICE, Message("x" * 500), False, "https://h.example/v").compose()),
        (
            "LnurlPayActionResponse",
            PayAnswer(INVOICE, UrlAction("Your charge", "https://h.example/s/1"), disposable=True).compose(),
        ),
        ("LnurlWithdrawResponse", withdraw.compose()),
        ("LnurlWithdrawResponse", WithdrawRequest(call, "k", "", 1, 1, "lnurlp://h.example/p").compose()),
        ("LnurlPayVerifyResponse", Verification(INVOICE, settled=False, preimage="00" * 32).compose()),
        ("LnurlPayVerifyResponse", Verification(INVOICE, settled=True, preimage="00" * 32).compose()),
        ("LnurlErrorResponse", lnurl.compose_error("The charge point is busy")),
        ("LnurlSuccessResponse", lnurl.compose_ok()),
    ]


@pytest.mark.parametrize(("model", "message"), messages())
def test_the_strictest_client_accepts_every_message(model, message):
    """Its models forbid every key that the LUDs do not name."""
    models = pytest.importorskip("lnurl.models")
    wire = json.loads(json.dumps(message))
    assert getattr(models, model)(**wire)


def test_messages_are_read_back():
    pay = PayRequest("https://h/cb", 1000, 2000, METADATA, 10)
    assert lnurl.parse_service(json.dumps(pay.compose())) == pay
    withdraw = WithdrawRequest("https://h/cb", "k1", "Change", 1, 5000)
    assert lnurl.parse_service(json.dumps({**withdraw.compose(), "vendor": 1, "status": "OK"})) == withdraw
    answer = PayAnswer(INVOICE, UrlAction("Your charge", "https://h/s/1"), False, "https://h/v")
    assert lnurl.parse_pay_answer(answer.compose(), "https://h/cb") == answer
    verification = Verification(INVOICE, settled=True, preimage="00" * 32)
    assert lnurl.parse_verification(verification.compose()) == verification


def test_the_preimage_stays_secret_until_it_is_settled():
    assert Verification(INVOICE, settled=False, preimage="00" * 32).compose()["preimage"] is None


@pytest.mark.parametrize(
    "action",
    [
        {"tag": "url", "description": "x", "url": "https://evil.example/s"},
        {"tag": "url", "description": "x", "url": "https://[bad"},
        {"tag": "message", "message": "x" * 145},
        {"tag": "aes"},
        "x",
        7,
    ],
)
def test_odd_success_actions_are_left_out(action):
    answer = lnurl.parse_pay_answer({"pr": INVOICE, "successAction": action}, "https://h/cb")
    assert answer == PayAnswer(INVOICE)


def test_a_refusal_carries_the_services_words():
    with pytest.raises(ServiceError, match="busy"):
        lnurl.parse_service('{"status": "error", "reason": "busy"}')
    with pytest.raises(ServiceError, match="no reason"):
        lnurl.parse_service('{"status": "ERROR"}')


GOOD = PayRequest("https://h/cb", 1000, 2000, METADATA).compose()
TAKE = WithdrawRequest("https://h/cb", "k1", "Change", 1, 5000).compose()


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe",
        "[]",
        "[" * 100_000,
        "null",
        "{}",
        '{"tag": "login"}',
        *(json.dumps({**GOOD, **change}) for change in [
            {"callback": "javascript:1"},
            {"callback": None},
            {"minSendable": 3000},
            {"minSendable": 0},
            {"maxSendable": 1.5},
            {"maxSendable": True},
            {"maxSendable": 10**30},
            {"metadata": "nonsense"},
            {"metadata": "[]"},
            {"metadata": '[["text/plain", 5]]'},
            {"metadata": '[["text/plain", "a"], ["text/plain", "b"]]'},
            {"commentAllowed": "long"},
        ]),
        *(json.dumps({**TAKE, **change}) for change in [
            {"k1": ""},
            {"minWithdrawable": 6000},
            {"maxWithdrawable": -1},
        ]),
    ],
)  # fmt: skip
def test_malformed_offers_are_refused(body):
    with pytest.raises(LnurlError):
        lnurl.parse_service(body)


def test_malformed_answers_are_refused():
    with pytest.raises(LnurlError):
        lnurl.parse_pay_answer({"routes": []}, "https://h/cb")
    with pytest.raises(LnurlError):
        lnurl.parse_verification({"pr": INVOICE, "settled": "yes"})


def test_limits_that_nobody_can_meet_are_not_composed():
    with pytest.raises(LnurlError):
        PayRequest("https://h/cb", 2000, 1000, METADATA).compose()
    with pytest.raises(LnurlError):
        WithdrawRequest("https://h/cb", "k1", "", 2, 1).compose()
