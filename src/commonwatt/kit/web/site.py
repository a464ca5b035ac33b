"""What every page and every link must know about this installation; built once from the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Site:
    """One installation: its name, where it is reached, its time zone and its currency."""

    name: str
    base_url: str
    """Scheme, host and port as people reach it, without a slash at the end: `http://localhost:8080`."""
    timezone: str = "UTC"
    """An IANA zone; pages show times in it."""
    currency: str = "EUR"
    """ISO 4217; prices are told in it."""
    sandbox: bool = False
    """Whether money here is play money; every page says so."""
    accent: str = "#0b6e4f"
    """The owner's colour, `#rrggbb`."""
    version: str = "0.1.0"
    language: str = "en"
    """What a visitor reads who asks for no language that we have."""
    contact: str = ""
    """How a driver reaches the owner: a telephone number or an address of electronic mail, shown as it is."""

    def __post_init__(self) -> None:
        """Refuse an address that no browser could open and a zone that does not exist."""
        parts = urlsplit(self.base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query or parts.fragment:
            msg = f"base_url must look like https://charge.example or http://localhost:8080, not {self.base_url!r}"
            raise ValueError(msg)
        try:
            ZoneInfo(self.timezone)
        except (KeyError, ValueError, OSError) as error:
            msg = f"timezone must be a name of the IANA list like Europe/Prague, not {self.timezone!r}"
            raise ValueError(msg) from error

    @property
    def https(self) -> bool:
        """Whether people reach the site by TLS."""
        return self.base_url.startswith("https:")

    @property
    def host(self) -> str:
        """The host name alone: what a passkey is bound to (WebAuthn Level 3, RP ID)."""
        return urlsplit(self.base_url).hostname or "localhost"

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.timezone)

    def url(self, path: str) -> str:
        """Return the absolute address of a path that begins with a slash."""
        return self.base_url + path


SESSION_COOKIES = {False: "cw_session", True: "__Host-cw_session"}


def session_cookie(site: Site) -> str:
    """Name the cookie that holds a signed-in browser's secret; the prefix binds it to this host (RFC 6265bis)."""
    return SESSION_COOKIES[site.https]
