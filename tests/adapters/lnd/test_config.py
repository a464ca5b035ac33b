"""The settings of an LND node: what is refused, and in which words."""

from __future__ import annotations

import datetime as dt

import pytest

from commonwatt.adapters.payment.lnd import LndConfig, LndRail
from commonwatt.adapters.payment.lnd.config import NodeSettingsRefused
from commonwatt.kernel import Unknown


@pytest.mark.parametrize(
    "url",
    [
        "",
        "node:8080",
        "ftp://node:8080",
        "https://",
        "https://node:8080/v1",
        "https://node:8080/?x=1",
        "http://node.example.com:8080",
        "http://192.168.1.4:8080",
        "https://user:word@node:8080",
        "https://node:99999999",
    ],
)
def test_an_address_that_is_none_or_leaks_the_key_is_refused(url):
    with pytest.raises(NodeSettingsRefused):
        LndConfig(url, "00ff")


@pytest.mark.parametrize(
    "url", ["https://node:8080", "https://node.local:8080/", "http://127.0.0.1:1", "http://[::1]:1"]
)
def test_a_good_address_is_taken(url):
    assert LndConfig(url, "00ff").url == url


@pytest.mark.parametrize("macaroon", ["", "0", "xyz", "00 ff", "\n00ff", "a" * 9000])
def test_a_macaroon_that_is_not_hexadecimal_is_refused_without_showing_it(macaroon):
    with pytest.raises(NodeSettingsRefused) as refused:
        LndConfig("https://node:8080", macaroon)
    assert not macaroon.strip() or macaroon not in refused.value.detail


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(NodeSettingsRefused, match=r"admin\.macaroon"):
        LndConfig.from_files("https://node:8080", tmp_path / "admin.macaroon", None)
    (tmp_path / "admin.macaroon").write_bytes(b"\x02\x01")
    with pytest.raises(NodeSettingsRefused, match=r"tls\.cert"):
        LndConfig.from_files("https://node:8080", tmp_path / "admin.macaroon", tmp_path / "tls.cert")
    config = LndConfig.from_files("https://node:8080", tmp_path / "admin.macaroon", None, route_hints=True)
    assert (config.macaroon_hex, config.route_hints) == ("0201", True)
    assert "0201" not in repr(config)


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
async def test_a_certificate_file_that_goes_away_or_bad_is_unknown_and_named(tmp_path, content):
    certificate = tmp_path / "tls.cert"
    if content is not None:
        certificate.write_bytes(content)
    rail = LndRail(LndConfig("https://127.0.0.1:1", "00ff", certificate))
    answer = await rail.balance()
    assert isinstance(answer, Unknown)
    assert "tls.cert" in answer.reason
    await rail.close()


async def test_a_renewed_certificate_is_read_again(tmp_path):
    certificate = tmp_path / "tls.cert"
    rail = LndRail(LndConfig("https://127.0.0.1:1", "00ff", certificate))
    certificate.write_bytes(self_signed())
    first = rail.client._trust()
    assert rail.client._trust() is first
    certificate.write_bytes(self_signed())
    assert rail.client._trust().fingerprint != first.fingerprint
    await rail.close()


def self_signed() -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "node")])
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )
