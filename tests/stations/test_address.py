"""The address that an owner types into a charger: one that a charger can use."""

from types import SimpleNamespace

import pytest

from commonwatt.kit.web import Site
from commonwatt.stations.address import stations_address

EVERYWHERE = ".".join("0000")


@pytest.mark.parametrize(
    ("bound", "site", "address"),
    [
        (EVERYWHERE, "https://charge.example", "ws://charge.example:8180/ocpp/"),
        ("::", "https://charge.example", "ws://charge.example:8180/ocpp/"),
        ("", "http://[2001:db8::7]:8080", "ws://[2001:db8::7]:8180/ocpp/"),
        ("127.0.0.1", "http://localhost:8080", "ws://127.0.0.1:8180/ocpp/"),
        ("192.168.1.5", "http://localhost:8080", "ws://192.168.1.5:8180/ocpp/"),
        ("::1", "http://localhost:8080", "ws://[::1]:8180/ocpp/"),
    ],
)
def test_where_stations_are_heard(bound, site, address):
    told = SimpleNamespace(tls_certificate=None, public_url="", bind=SimpleNamespace(host=bound, port=8180))
    config = SimpleNamespace(stations=told)
    assert stations_address(config, Site("Test", site)) == address
    told.tls_certificate = "there.pem"
    assert stations_address(config, Site("Test", site)) == address.replace("ws:", "wss:")
    told.public_url = "wss://stations.example"
    assert stations_address(config, Site("Test", site)) == "wss://stations.example/ocpp/"
