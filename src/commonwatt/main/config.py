"""The configuration: one frozen tree, built once from `commonwatt.toml`, the environment and the command line.

What a key means is written here, beside its type and default; `commonwatt config explain` prints it. A later source
wins over an earlier one: default, file, environment (`COMMONWATT_STATIONS_UNKNOWN`), option of the command line.
`configuration.py` of this folder reads the sources.
"""

# ruff: noqa: RUF009 (`key` only declares a default; it makes nothing that could be shared)
from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

PLAY_RATE = "60000.00"
"""The price of one bitcoin where money is play money and no price is set."""


PORT_MAX = 65_535


class LogFormat(StrEnum):
    """How log lines are written."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    """The least important lines that are written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class UnknownStations(StrEnum):
    """What happens to a station that nobody has added."""

    REJECT = "reject"
    WAITING_ROOM = "waiting-room"


class StationAuth(StrEnum):
    """Whether stations must prove who they are."""

    REQUIRED = "required"
    OPEN_FOR_TRIAL = "open-for-trial"


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    port: int
    """0 picks a free one."""
    or_free: bool = False
    """Whether a free port will do when this one is taken."""

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `HOST:PORT`, `[::1]:8080` or `:8080` (every address of this machine); raises ValueError."""
        host, colon, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not colon or not port.isascii() or not port.isdigit():
            msg = "must look like 127.0.0.1:8080"
            raise ValueError(msg)
        if int(port) > PORT_MAX:
            msg = f"must have a port of 0 to {PORT_MAX}"
            raise ValueError(msg)
        return cls(host or "0.0.0.0", int(port))  # noqa: S104 (only where the owner wrote it so)


def key(default: Any, says: str, *, secret: bool = False, least: int | None = None, most: int | None = None) -> Any:
    """Declare a key: its default, what it does, and the range of a number."""
    return field(default=default, metadata={"says": says, "secret": secret, "least": least, "most": most})


def default_data_dir() -> Path:
    """Return where data is kept unless the owner says otherwise."""
    return Path.home() / ".local" / "share" / "commonwatt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """Where everything is kept."""

    dir: Path = field(
        default_factory=default_data_dir,
        metadata={
            "says": "The folder of the database and of the keys made here; `COMMONWATT_DATA` is a short name for it."
        },
    )

    @property
    def database(self) -> Path:
        """The database's file."""
        return self.dir / "commonwatt.sqlite"

    @property
    def sandbox(self) -> Path:
        """The file of the play world that the rail `sandbox` pays in."""
        return self.dir / "sandbox.sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What people see of this installation."""

    name: str = key("Commonwatt", "The name on every page, receipt and payment.")
    base_url: str = key(
        "", "How people reach the pages, `https://charge.example`; empty means http://localhost and the port of http."
    )
    timezone: str = key("Europe/Berlin", "The IANA zone that pages and receipts show times in.")
    currency: str = key("EUR", "The ISO 4217 code of the currency that prices are told in.")
    language: str = key("en", "What a visitor reads who asks for no language that we have: en, de, fr or cs.")
    accent: str = key("#0b6e4f", "The owner's colour, `#rrggbb`.")
    contact: str = key("", "How a driver reaches the owner: a telephone number or a mail address, shown as it is.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """The pages and the API."""

    bind: Address = key(Address("127.0.0.1", 8080), "Where pages and API listen, `HOST:PORT`; port 0 picks a free one.")
    trusted_proxies: tuple[str, ...] = key(
        (), "Networks of proxies whose word about the client's address is believed, like `10.0.0.0/8`."
    )
    hosts: tuple[str, ...] = key(
        (),
        "Names that the pages answer to besides that of base_url, like `charger.lan`; requests for others are refused.",
    )
    connections_max: int = key(
        4096,
        "How many connections there may be at once. One address has a quarter of them; trusted proxies have all.",
        least=16,
        most=1_000_000,
    )
    tls_certificate: Path | None = key(None, "A PEM file with the certificate chain; pages are then served by TLS.")
    tls_key: Path | None = key(None, "The PEM file with the certificate's key.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stations:
    """The line to charge points."""

    bind: Address = key(Address("127.0.0.1", 8180), "Where stations connect, `HOST:PORT`; they use `/ocpp/{identity}`.")
    public_url: str = key(
        "",
        "How stations reach us, `wss://charge.example`; empty is ws:// as bind says, for 0.0.0.0 with base_url's host.",
    )
    unknown: UnknownStations = key(
        UnknownStations.WAITING_ROOM,
        "What happens to a station that nobody added: `reject`, or keep it in the `waiting-room` until admitted.",
    )
    auth: StationAuth = key(
        StationAuth.REQUIRED,
        "Whether stations need their password (`required`), or may come without one (`open-for-trial`).",
    )
    heartbeat_s: int = key(300, "How often stations shall send a heartbeat, in seconds.", least=10, most=86_400)
    call_timeout_s: int = key(30, "How long a station may take to answer a command.", least=1, most=300)
    connections_max: int = key(
        20_000,
        "How many stations may be connected at once. One address has a quarter of it; http.trusted_proxies have all.",
        least=16,
        most=1_000_000,
    )
    tls_certificate: Path | None = key(None, "A PEM file with the certificate chain; stations then connect by wss.")
    tls_key: Path | None = key(None, "The PEM file with the certificate's key.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """What is kept of the talk with stations."""

    days: int = key(30, "How many days every frame is kept.", least=0, most=3650)
    megabytes: int = key(
        1000,
        "How much room all frames may take; the oldest of the stations with the most go first.",
        least=1,
        most=1_000_000,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Payments:
    """How drivers pay and get their change."""

    rails: tuple[str, ...] = key(
        ("sandbox",), "The payment backends in use, the first one for new payments: `sandbox` (play money), `lnd`."
    )
    invoice_expiry_s: int = key(600, "How long a driver may take to pay.", least=30, most=86_400)
    offers_max: int = key(
        64,
        "How many unpaid offers a connector has at most; the oldest makes room for a new one.",
        least=63,
        most=1_000,
    )
    hold_s: int = key(
        120, "How long a payment is held at most until energy flows; then it goes back.", least=10, most=120
    )
    amount_min_msat: int = key(100_000, "The least that a driver may pay at once, in msat.", least=1_000, most=10**11)
    amount_max_msat: int = key(
        1_000_000_000, "The most that a driver may pay at once, in msat.", least=1_000, most=10**12
    )
    fee_limit_base_msat: int = key(
        5_000, "The part of the routing fee that a payment out may always cost, in msat.", least=0, most=10**9
    )
    fee_limit_ppm: int = key(
        5_000,
        "What its routing fee may cost on top, in millionths of the amount: at most 100 sats, or a twentieth of what "
        "the charge was billed if that is more.",
        least=0,
        most=100_000,
    )
    success_action: bool = key(True, "Whether wallets show the link to the session after the payment (LUD-09).")


@dataclass(frozen=True, slots=True, kw_only=True)
class Charging:
    """How long we wait for stations and cars."""

    start_timeout_s: int = key(90, "How long a car may take from the payment to the first energy.", least=10, most=120)
    stop_timeout_s: int = key(
        90, "How long a station may take to stop before the last known reading is billed.", least=10, most=3600
    )
    sample_s: int = key(30, "How often a charging station shall send its readings, in seconds.", least=1, most=900)
    power_max_w: int = key(
        400_000, "The most that any connector can deliver; readings beyond it are errors.", least=1_000, most=10_000_000
    )
    silence_s: int = key(
        86_400,
        "After how much silence of its station a session is billed by its last reading.",
        least=600,
        most=31 * 86_400,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lnd:
    """The Lightning node of the rail `lnd`."""

    url: str = key("", "The node's REST address, `https://127.0.0.1:8080`.")
    macaroon_path: Path | None = key(
        None, "The macaroon's file; one with the rights for invoices and payments is enough."
    )
    macaroon_hex: str = key("", "The macaroon itself in hexadecimal, instead of its file.", secret=True)
    tls_cert_path: Path | None = key(None, "The node's certificate; no other is accepted. Empty asks the system.")
    route_hints: bool = key(False, "Put private channels into invoices; for nodes that have no public ones.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Where the price of a bitcoin comes from."""

    sources: tuple[str, ...] = key(
        ("kraken", "coinbase", "bitstamp"), "The sources that are asked; the median of their answers is the rate."
    )
    fixed: str = key(
        "", "A fixed price of one bitcoin, like `60000.00`, instead of asking; empty means 60000.00 with play money."
    )
    refresh_s: int = key(60, "How often the sources are asked, in seconds.", least=5, most=3600)
    age_max_s: int = key(
        600,
        "How old an answer may be; older ones do not count. The last price that was agreed on serves until the oldest "
        "answer in it is 900 s old.",
        least=10,
        most=86_400,
    )
    deviation_max_ppm: int = key(
        20_000, "How far an answer may lie from the median, in millionths.", least=100, most=500_000
    )
    sources_min: int = key(
        2, "How many sources must agree; with fewer nothing is sold for fiat prices.", least=1, most=9
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """The log on the standard output."""

    format: LogFormat = key(LogFormat.AUTO, "`json`, `console`, or `auto`: console on a terminal, else json.")
    level: LogLevel = key(LogLevel.INFO, "The least important lines that are written.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole tree; each attribute is a section of the file."""

    data: Data = field(default_factory=Data)
    site: Site = field(default_factory=Site)
    http: Http = field(default_factory=Http)
    stations: Stations = field(default_factory=Stations)
    frames: Frames = field(default_factory=Frames)
    payments: Payments = field(default_factory=Payments)
    charging: Charging = field(default_factory=Charging)
    lnd: Lnd = field(default_factory=Lnd)
    rates: Rates = field(default_factory=Rates)
    log: Log = field(default_factory=Log)

    @property
    def sandbox(self) -> bool:
        """Whether all money here is play money."""
        return self.payments.rails == ("sandbox",)

    @property
    def fixed_rate(self) -> str:
        """The fixed price of one bitcoin in the site's currency; empty where the sources are asked."""
        return self.rates.fixed or (PLAY_RATE if self.sandbox else "")
