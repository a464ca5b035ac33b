"""The map of the owner's pages: an entry appears when its page is there and the reader's role may open it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

OWNER = frozenset({"owner"})
RUNNING = frozenset({"owner", "operator"})
ALL = frozenset({"owner", "operator", "auditor"})


def _(text: str) -> str:
    """Mark a text for the catalogs; it is translated where it is shown."""
    return text


@dataclass(frozen=True, slots=True)
class Entry:
    """One page of the map."""

    label: str
    href: str
    roles: frozenset[str] = ALL


@dataclass(frozen=True, slots=True)
class Section:
    """One entry of the navigation with the pages below it; its own address is that of its first page."""

    label: str
    icon: str
    entries: tuple[Entry, ...]

    @property
    def href(self) -> str:
        """The section's own address."""
        return self.entries[0].href

    def holds(self, path: str) -> bool:
        """Whether an address lies in this section."""
        return any(path == entry.href or path.startswith(f"{entry.href}/") for entry in self.entries)


MAP = (
    Section(_("Overview"), "layout-dashboard", (Entry(_("Overview"), "/overview"), Entry(_("First steps"), "/start"))),
    Section(
        _("Charging"),
        "ev-charger",
        (
            Entry(_("Stations"), "/stations"),
            Entry(_("Sessions"), "/sessions"),
            Entry(_("Tariffs"), "/tariffs"),
            Entry(_("RFID tags"), "/tags", RUNNING),
        ),
    ),
    Section(
        _("Money"),
        "wallet",
        (
            Entry(_("Payments"), "/payments"),
            Entry(_("Change owed"), "/owed"),
            Entry(_("Journal"), "/journal"),
            Entry(_("Accounts"), "/accounts"),
        ),
    ),
    Section(_("Community"), "users", (Entry(_("People"), "/people"), Entry(_("Audit log"), "/audit"))),
    Section(
        _("Settings"),
        "settings",
        (
            Entry(_("This site"), "/settings"),
            Entry(_("Rails"), "/rails"),
            Entry(_("API tokens"), "/tokens", RUNNING),
            Entry(_("Signed-in devices"), "/devices"),
            Entry(_("Jobs"), "/jobs"),
            Entry(_("API reference"), "/api/v1/reference"),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Command:
    """Something to do, offered by the palette beside the pages; its address may end at a part of a page."""

    label: str
    href: str
    roles: frozenset[str] = RUNNING

    @property
    def path(self) -> str:
        """The page on which it is done."""
        return self.href.partition("#")[0]


COMMANDS = (
    Command(_("Add station"), "/stations/new"),
    Command(_("Make tariff"), "/tariffs/new"),
    Command(_("Add tag"), "/tags#add"),
    Command(_("Print QR codes"), "/stations/qr", ALL),
    Command(_("Invite somebody"), "/people#invite", OWNER),
    Command(_("Make token"), "/tokens#make"),
)


def commands_for(role: str, is_served: Callable[[str], bool]) -> tuple[Command, ...]:
    """Return the commands that a role may use and that this installation serves."""
    return tuple(command for command in COMMANDS if role in command.roles and is_served(command.path))


def sections_for(role: str, is_served: Callable[[str], bool]) -> tuple[Section, ...]:
    """Return the part of the map that a role may use and that this installation serves."""
    found = []
    for section in MAP:
        entries = tuple(entry for entry in section.entries if role in entry.roles and is_served(entry.href))
        if entries:
            found.append(Section(section.label, section.icon, entries))
    return tuple(found)
