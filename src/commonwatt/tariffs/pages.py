"""The owner's pages that make a tariff, change it by a new version, and retire it; with a preview while one types."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Annotated, Any, NamedTuple

from litestar import get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template
from sqlalchemy import Connection

from commonwatt.kernel import BTC, Amount, Clock, Fault, Instant, Rounding
from commonwatt.kit.database import Database
from commonwatt.kit.web import BadRequest, Site
from commonwatt.kit.web.days import local_moment
from commonwatt.members import Actor, require_scope
from commonwatt.tariffs import store
from commonwatt.tariffs.actions.assign_tariff import assign_tariff
from commonwatt.tariffs.actions.create_tariff import create_tariff
from commonwatt.tariffs.actions.retire_tariff import retire_tariff
from commonwatt.tariffs.actions.revise_tariff import revise_tariff
from commonwatt.tariffs.document import write_tariff
from commonwatt.tariffs.errors import NoRate, TariffChanged, TariffInUse, TariffInvalid
from commonwatt.tariffs.forms import FIELDS, form_from_tariff, tariff_from_form
from commonwatt.tariffs.model.bill import Bill, preview
from commonwatt.tariffs.model.rate import fiat_to_msat
from commonwatt.tariffs.model.tariff import Tariff

WRITE = [require_scope("tariffs:write")]
Form = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.URL_ENCODED)]
Fields = dict[str, str]
EXAMPLES = ((10_000, 3600, 0), (30_000, 3600, 0), (30_000, 3600, 7200))
"""What the preview tells the price of: Wh, seconds of charging, seconds parked after."""
MINUTES = 60
"""Of an hour."""


class Example(NamedTuple):
    """What a charge would cost."""

    energy_wh: int
    duration_s: int
    parked_s: int
    bill: Bill
    sats: Amount | None


@get("/tariffs/new", guards=WRITE, include_in_schema=False)
async def show_new(site: Site) -> Template:
    """Ask for a first version's prices."""
    return _form_page(None, {"currency": site.currency, "timezone": site.timezone, "vat_included": "yes"}, site)


@post("/tariffs/new", guards=WRITE, include_in_schema=False)
async def make(data: Form, database: Database, clock: Clock, actor: Actor, site: Site) -> Template | Redirect:
    """Keep a new tariff, or only show what was typed."""
    typed = _typed(data)
    try:
        draft = _draft(typed, site)
        if "preview" in data:
            priced = await _examples(database, draft, data, clock, site)
            return _form_page(None, typed, site, draft=draft, priced=priced)
        made = await database.write(create_tariff, draft, actor=actor)
    except TariffInvalid as error:
        return _form_page(None, typed, site, errors=[error])
    if data.get("everywhere") == "yes":
        await database.write(assign_tariff, made.id, actor=actor)
    return Redirect(f"/tariffs/{made.id}?done=made", status_code=303)


@get("/tariffs/{tariff_id:str}/edit", guards=WRITE, include_in_schema=False)
async def show_edit(tariff_id: str, database: Database, clock: Clock, site: Site) -> Template:
    """Show the newest version for editing."""
    listed = await database.read(store.show_tariff, tariff_id, clock.now())
    newest = (await database.read(store.history, tariff_id))[0].tariff
    form = form_from_tariff(newest)
    typed = (
        _as_typed(form, site, clock.now())
        if form
        else {
            "document": json.dumps(write_tariff(newest), indent=2, ensure_ascii=False),
            "timezone": newest.timezone,
        }
    )
    priced = await _examples(database, newest, {}, clock, site)
    return _form_page(listed, typed, site, draft=newest, priced=priced, expected=newest.version)


@post("/tariffs/{tariff_id:str}/edit", guards=WRITE, include_in_schema=False)
async def change(
    tariff_id: str, data: Form, database: Database, clock: Clock, actor: Actor, site: Site
) -> Template | Redirect:
    """Add a version, or only show what was typed. Sessions that run keep the version of their start."""
    expected = str(data.get("expected", ""))
    newest = await database.read(store.newest_version, tariff_id)
    typed = {"timezone": newest.tariff.timezone, **_typed(data)}
    listed = await database.read(store.show_tariff, tariff_id, clock.now())
    try:
        draft = _draft(typed, site)
        if "preview" in data:
            priced = await _examples(database, draft, data, clock, site)
            return _form_page(listed, typed, site, draft=draft, priced=priced, expected=expected)
        await database.write(revise_tariff, tariff_id, draft, expected=expected or None, actor=actor)
    except (TariffInvalid, TariffChanged) as error:
        return _form_page(listed, typed, site, errors=[error], expected=expected)
    return Redirect(f"/tariffs/{tariff_id}?done=changed", status_code=303)


@post("/tariffs/preview", guards=WRITE, include_in_schema=False, status_code=200)
async def show_preview(data: Form, database: Database, clock: Clock, site: Site) -> Template:
    """Answer with what drivers would read and pay, as a piece of the form's page; called while one types."""
    context: dict[str, Any] = {"draft": None, "priced": None, "wrong": ""}
    try:
        typed = {"name": "-", **_typed(data)}
        draft = _draft(typed, site)
        context |= {"draft": draft, "priced": await _examples(database, draft, data, clock, site)}
    except TariffInvalid as error:
        context["wrong"] = error.said
    return Template("tariffs/preview.html", context=context)


@post("/tariffs/{tariff_id:str}/retire", guards=WRITE, include_in_schema=False)
async def retire(tariff_id: str, database: Database, actor: Actor) -> Redirect:
    """Retire a tariff that holds nowhere; what it priced stays as it was. Its page tells where it still holds."""
    try:
        await database.write(retire_tariff, tariff_id, actor=actor)
    except TariffInUse:
        return Redirect(f"/tariffs/{tariff_id}?done=in-use", status_code=303)
    return Redirect(f"/tariffs/{tariff_id}?done=retired", status_code=303)


class Priced(NamedTuple):
    """What usual charges would cost from a moment on; `start` is that moment as its field has it, empty for now."""

    examples: list[Example]
    begins: Instant
    start: str
    wrong: str


async def _examples(database: Database, draft: Tariff, data: dict[str, Any], clock: Clock, site: Site) -> Priced:
    """Price the examples from the moment that the form names, by the clock of the site; from now where it is none."""
    start = str(data.get("start", "")).strip()
    begins, wrong = clock.now(), ""
    try:
        begins = local_moment(start, site, "start") or begins
    except BadRequest as error:
        wrong = error.said
    return Priced(await database.read(examples_of, draft, begins, clock.now()), begins, start, wrong)


def examples_of(connection: Connection, tariff: Tariff, begins: Instant, now: Instant) -> list[Example]:
    """Return what usual charges would cost, by the same function that bills; in bitcoin too where there is a rate."""
    examples = []
    for energy_wh, duration_s, parked_s in EXAMPLES:
        bill = preview(tariff, energy_wh, duration_s, parked_s, begins)
        examples.append(Example(energy_wh, duration_s, parked_s, bill, _sats(connection, bill, now)))
    return examples


def _sats(connection: Connection, bill: Bill, now: Instant) -> Amount | None:
    if bill.asset.code == BTC.code:
        return None
    try:
        rate = store.current_rate(connection, bill.asset.code, now)
    except NoRate:
        return None
    return Amount(BTC, fiat_to_msat(bill.gross, rate, Rounding.UP).quotient)


def _as_typed(form: Fields, site: Site, now: Instant) -> Fields:
    """Write prices of time per minute, the grace in minutes and dates by the site's clock, as the page's form has them.

    A version that holds already is changed from now on, so its own beginning is left out.
    """
    shown = dict(form)
    for name in ("valid_from", "valid_to"):
        if name in shown:
            at = Instant.parse(shown.pop(name))
            if name == "valid_to" or at > now:
                shown[name] = at.utc().astimezone(site.zone).replace(tzinfo=None).isoformat()
    for name in ("time", "idle"):
        price = Decimal(shown.get(name, "").removesuffix("/h") or 0)
        minute = (price / MINUTES).quantize(Decimal("0.000001"), ROUND_DOWN)
        if name in shown and minute * MINUTES == price:
            shown[name] = f"{minute.normalize():f}"
    seconds = int(shown.get("idle_after", "0s").removesuffix("s"))
    if seconds and seconds % 60 == 0:
        shown["idle_after"] = str(seconds // 60)
    return shown


def _draft(typed: Fields, site: Site) -> Tariff:
    """Read the form; its dates are by the site's clock, as a browser's field for them has no zone."""
    read = dict(typed)
    for name in ("valid_from", "valid_to"):
        if name in read:
            read[name] = _by_clock(read[name], site)
    return tariff_from_form(read, currency=site.currency, timezone=site.timezone)


def _by_clock(said: str, site: Site) -> str:
    """Return `2026-06-01T00:00` as an instant with its zone; what is no time of this form stays as it is."""
    try:
        moment = datetime.fromisoformat(said.strip())
        return said if moment.tzinfo else Instant.of(moment.replace(tzinfo=site.zone)).iso()
    except (ValueError, OverflowError):
        return said


def _typed(data: dict[str, Any]) -> Fields:
    return {name: str(data[name]) for name in FIELDS if str(data.get(name, "")).strip()}


def _form_page(
    listed: store.Listed | None,
    typed: Fields,
    site: Site,
    *,
    draft: Tariff | None = None,
    priced: Priced | None = None,
    errors: list[Fault] | None = None,
    expected: str = "",
) -> Template:
    wrong = errors or []
    context = {
        "listed": listed,
        "typed": typed,
        "errors": [{"field": str(error.fields.get("field", "")), "message": error.said} for error in wrong],
        "draft": draft,
        "priced": priced,
        "currency": site.currency,
        "expected": expected,
    }
    status = wrong[0].status if wrong else 200
    return Template("tariffs/edit_tariff.html", context=context, status_code=status)


ROUTES = [show_new, make, show_edit, change, show_preview, retire]
