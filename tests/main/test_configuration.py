"""The configuration: every source, every slip, every key explained."""

import dataclasses
import json
import re
from pathlib import Path

import pytest

from commonwatt.adapters.rates import PUBLIC
from commonwatt.main.config import Address, Config, LogFormat, StationAuth, UnknownStations
from commonwatt.main.configuration import RATE_SOURCES, ConfigRefused, load
from commonwatt.main.explain import reference
from commonwatt.main.keys import DOTS, key_specs, shown

ROOT = Path(__file__).parents[2]
SPECS = list(key_specs())


def test_nothing_set_is_a_working_installation(tmp_path):
    loaded = load({"data.dir": str(tmp_path)}, {})
    assert loaded.config == dataclasses.replace(Config(), data=dataclasses.replace(Config().data, dir=tmp_path))
    assert loaded.config.sandbox
    assert loaded.config.fixed_rate == "60000.00"
    assert loaded.file is None


def test_a_later_source_wins(tmp_path):
    (tmp_path / "commonwatt.toml").write_text(
        '[site]\nname = "File"\n[http]\nbind = "[::1]:81"\ntrusted_proxies = ["10.0.0.0/8"]\n[payments]\nhold_s = 100\n'
        '[stations]\nunknown = "reject"\n'
    )
    env = {"COMMONWATT_DATA": str(tmp_path), "COMMONWATT_SITE_NAME": "Env", "COMMONWATT_PAYMENTS_HOLD_S": "110"}
    loaded = load({"site.name": "Option"}, env)
    config = loaded.config
    assert (config.site.name, config.payments.hold_s, config.http.bind) == ("Option", 110, Address("::1", 81))
    assert config.http.trusted_proxies == ("10.0.0.0/8",)
    assert config.stations.unknown is UnknownStations.REJECT
    assert config.data.database == tmp_path / "commonwatt.sqlite"
    assert loaded.origins["site.name"] == "the command line"
    assert loaded.origins["payments.hold_s"] == "the environment (COMMONWATT_PAYMENTS_HOLD_S)"
    assert loaded.origins["http.bind"] == str(tmp_path / "commonwatt.toml")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://charge.example", "https://charge.example"),
        ("https://Charge.Example", "https://charge.example"),
        ("HTTPS://charge.example:443", "https://charge.example"),
        ("http://LOCALHOST:80", "http://localhost"),
        ("http://charge.example:443", "http://charge.example:443"),
        ("https://charge.example:8443", "https://charge.example:8443"),
        ("https://charge.example?", "https://charge.example"),
        ("https://charge.example:", "https://charge.example"),
        ("https://[2001:DB8:0::1]:443", "https://[2001:db8::1]"),
        ("https://Bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_the_address_is_what_a_browser_calls_the_origin(written, meant):
    """WebAuthn compares origins letter by letter: one capital would make every passkey impossible."""
    loaded = load({"site.base_url": written}, {})
    assert loaded.config.site.base_url == meant
    assert loaded.value("site.base_url") == meant


def test_names_of_the_site_are_names_alone():
    assert load({"http.hosts": "charger.lan, Pay.example,192.0.2.7"}, {}).config.http.hosts == (
        "charger.lan", "Pay.example", "192.0.2.7",
    )  # fmt: skip
    for wrong in ("https://charger.lan", "charger.lan:8080", "charger.lan/x", "a@b", "bücher.example", "[::1]"):
        with pytest.raises(ConfigRefused, match=r"http\.hosts"):
            load({"http.hosts": wrong}, {})


def test_a_host_that_no_browser_opens_is_refused():
    for url in ("https://" + "ü" * 80 + ".example", "https://[::zz]", "https://ü..example", "https://größe.example"):
        with pytest.raises(ConfigRefused, match=r"site\.base_url"):
            load({"site.base_url": url}, {})


def test_every_type_from_the_environment():
    config = load(
        {},
        {
            "COMMONWATT_LND_ROUTE_HINTS": "yes",
            "COMMONWATT_STATIONS_AUTH": "open-for-trial",
            "COMMONWATT_LOG_FORMAT": "json",
            "COMMONWATT_RATES_SOURCES": "kraken, bitstamp",
            "COMMONWATT_HTTP_BIND": ":0",
            "COMMONWATT_LND_TLS_CERT_PATH": "",
            "COMMONWATT_DATA_DIR": "~/x",
            "PATH": "/bin",
        },
    ).config
    assert config.lnd.route_hints is True
    assert config.stations.auth is StationAuth.OPEN_FOR_TRIAL
    assert config.log.format is LogFormat.JSON
    assert config.rates.sources == ("kraken", "bitstamp")
    assert str(config.http.bind) == "0.0.0.0:0"
    assert config.lnd.tls_cert_path is None
    assert config.data.dir == Path.home() / "x"


SLIPS = [
    ({"COMMONWATT_STATION_AUTH": "required"}, "Did you mean COMMONWATT_STATIONS_AUTH?"),
    ({"COMMONWATT_HTTP_BIND": "8080"}, "must look like 127.0.0.1:8080"),
    ({"COMMONWATT_HTTP_BIND": "h:99999"}, "must have a port of 0 to 65535"),
    ({"COMMONWATT_PAYMENTS_HOLD_S": "121"}, "must be at most 120"),
    ({"COMMONWATT_PAYMENTS_HOLD_S": "9"}, "must be at least 10"),
    ({"COMMONWATT_PAYMENTS_HOLD_S": "1e2"}, "must be a whole number"),
    ({"COMMONWATT_LND_ROUTE_HINTS": "maybe"}, "must be true or false"),
    ({"COMMONWATT_STATIONS_UNKNOWN": "accept"}, "must be 'reject' or 'waiting-room'"),
    ({"COMMONWATT_SITE_BASE_URL": "charge.example"}, "must look like https://charge.example"),
    ({"COMMONWATT_SITE_BASE_URL": "https://charge.example/x"}, "without a path"),
    ({"COMMONWATT_SITE_BASE_URL": "https://a:b@charge.example"}, "must look like"),
    ({"COMMONWATT_SITE_BASE_URL": "https://x:999999"}, "must look like"),
    ({"COMMONWATT_STATIONS_PUBLIC_URL": "https://x"}, "must look like wss://"),
    ({"COMMONWATT_SITE_TIMEZONE": "Mars/Olympus"}, "IANA"),
    ({"COMMONWATT_SITE_TIMEZONE": "../../etc/passwd"}, "IANA"),
    ({"COMMONWATT_SITE_CURRENCY": "euro"}, "ISO 4217"),
    ({"COMMONWATT_SITE_CURRENCY": "ABC"}, "ISO 4217"),
    ({"COMMONWATT_SITE_CURRENCY": "WH"}, "ISO 4217"),
    ({"COMMONWATT_SITE_ACCENT": "red"}, "#0b6e4f"),
    ({"COMMONWATT_PAYMENTS_RAILS": "paypal"}, "at least one of sandbox, lnd"),
    ({"COMMONWATT_PAYMENTS_RAILS": ""}, "at least one of sandbox, lnd"),
    ({"COMMONWATT_PAYMENTS_RAILS": "lnd"}, "lnd.url or lnd.macaroon_path is not set"),
    ({"COMMONWATT_LND_MACAROON_HEX": "00", "COMMONWATT_LND_MACAROON_PATH": "x"}, "keep one"),
    ({"COMMONWATT_RATES_FIXED": "-1"}, "decimal number"),
    ({"COMMONWATT_RATES_SOURCES": "kraken,kraken"}, "each once"),
    ({"COMMONWATT_RATES_SOURCES": "my-cousin"}, "rates.sources must name some of"),
    ({"COMMONWATT_CHARGING_START_TIMEOUT_S": "120", "COMMONWATT_PAYMENTS_HOLD_S": "60"}, "would go back before"),
    ({"COMMONWATT_PAYMENTS_AMOUNT_MIN_MSAT": "9000000000"}, "nobody could pay"),
    ({"COMMONWATT_HTTP_TLS_KEY": "x.pem"}, "belong together"),
    ({"COMMONWATT_HTTP_TRUSTED_PROXIES": "proxy.local"}, "networks like 10.0.0.0/8"),
]


@pytest.mark.parametrize(("env", "says"), SLIPS)
def test_a_slip_is_named_with_its_place(env, says):
    with pytest.raises(ConfigRefused) as refused:
        load({}, env)
    assert says in refused.value.detail


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[stations]\nunknwon = 'reject'", "The nearest is stations.unknown."),
        ("[station]\nunknown = 'reject'", "The nearest is stations.unknown."),
        ("[zzz]\nqqq = 1", "config explain"),
        ("name = 'x'", "outside of a section"),
        ("[site]\nname = 7", "must be a text in quotes"),
        ("[payments]\nhold_s = true", "must be a whole number"),
        ("[payments]\nhold_s = 60.5", "must be a whole number"),
        ("[payments]\nrails = 7", "must be a list of words"),
        ("[payments]\nrails = [7]", "must be a list of words"),
        ("[site", "cannot be read"),
        ("[site]\nname = 'x'\n[site]\n", "cannot be read"),
    ],
)
def test_a_slip_in_the_file_is_named(tmp_path, text, says):
    file = tmp_path / "my.toml"
    file.write_text(text)
    with pytest.raises(ConfigRefused) as refused:
        load({}, {}, file)
    assert says in refused.value.detail
    assert str(file) in refused.value.detail


def test_all_slips_are_told_at_once():
    with pytest.raises(ConfigRefused) as refused:
        load({"a.b": "c"}, {"COMMONWATT_X": "1", "COMMONWATT_SITE_ACCENT": "red"})
    assert refused.value.fields["slips"] == 3


def test_a_file_that_is_named_must_exist(tmp_path):
    for attempt in ({"file": tmp_path / "no.toml"}, {"environment": {"COMMONWATT_CONFIG": str(tmp_path / "no.toml")}}):
        with pytest.raises(ConfigRefused, match="There is no file"):
            load({}, **{"environment": {}, **attempt})
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigRefused, match="cannot be read"):
        load({}, {}, tmp_path / "bad.toml")


def test_a_secret_is_never_told():
    loaded = load({}, {"COMMONWATT_LND_MACAROON_HEX": "0201036c"})
    spec = next(spec for spec in SPECS if spec.secret)
    assert loaded.shown(spec) == DOTS
    assert shown("", secret=True) == '""'


@pytest.mark.parametrize("spec", SPECS, ids=[spec.name for spec in SPECS])
def test_every_key_is_documented(spec):
    assert spec.says.strip()
    assert spec.type_text
    assert f"| `{spec.name.partition('.')[2]}` |" in reference()


def test_the_reference_is_the_one_in_the_docs():
    written = (ROOT / "docs" / "reference" / "configuration.md").read_text("utf-8")
    assert written.rstrip("\n") == reference(), (
        "run: commonwatt config explain --markdown > docs/reference/configuration.md"
    )


def test_the_sources_that_may_be_named_exist():
    assert set(RATE_SOURCES) == set(PUBLIC)


def test_the_tree_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().site.name = "x"


def test_what_is_shown_can_be_read_again(tmp_path):
    loaded = load({}, {})
    text = ""
    for spec in SPECS:
        section, _, name = spec.name.partition(".")
        text += f"[{section}]\n" if f"[{section}]\n" not in text else ""
        text += f"{name} = {loaded.shown(spec)}\n"
    (tmp_path / "all.toml").write_text(text)
    assert load({}, {}, tmp_path / "all.toml").config == loaded.config
    assert json.dumps(text)


def test_variables_that_are_read_elsewhere_are_no_slips():
    source = Path(__file__).parents[2] / "src" / "commonwatt"
    read = set()
    for path in source.rglob("*.py"):
        named = re.findall(
            r'(?:envvar=\[[^\]]*\]|(?:envvar=|environ\.get\(|environ\[)"[^"]*")', path.read_text("utf-8")
        )
        read |= set(re.findall(r"COMMONWATT_[A-Z_]+", " ".join(named)))
    assert {"COMMONWATT_PEERS", "COMMONWATT_SERVER", "COMMONWATT_URL", "COMMONWATT_TOKEN"} <= read
    assert load(environment=dict.fromkeys(read, "http://localhost:1")).config == Config()
