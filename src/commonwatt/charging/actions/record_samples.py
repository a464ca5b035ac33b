"""Take meter values, many at a time: the hot path. Facts are stored, sessions priced, limits kept, in one bundle."""

from __future__ import annotations

from collections.abc import Sequence

from commonwatt.charging import store
from commonwatt.charging.actions.advance_session import advance_session
from commonwatt.charging.actions.meter_charge import as_reading, count, follow
from commonwatt.charging.charge import Charge
from commonwatt.charging.effects import AskStop
from commonwatt.charging.model.happenings import Metered
from commonwatt.charging.numbers import was_given_out
from commonwatt.charging.reports import Sample, SampleReport
from commonwatt.charging.rules import DEFAULT, Rules
from commonwatt.kit.database import Work
from commonwatt.metering import Reading, store_readings


def record_samples(work: Work, reports: Sequence[SampleReport], rules: Rules = DEFAULT) -> list[None]:
    """Record meter values; for `Database.write_together`, one result per report.

    Values without a transaction, or with a number that we never gave, belong to the charge that runs at their
    connector: it is the same meter. Values of no charge, or of one that is over, are kept and change no bill.
    """
    numbers = {report.transaction_id for report in reports if report.transaction_id}
    charges = store.charges_by_transaction(work.sql, [number for number in numbers if number])
    before = dict(charges)
    readings: list[Reading] = []
    for report in reports:
        charge = charges.get(report.transaction_id or 0)
        if charge is None or charge.station != report.station:
            charge = _running_at(work, report, charges, before)
        if charge is None:
            _end_stranger(work, report)
            readings += [
                as_reading(report.station, report.connector, report.transaction_id, sample, None)
                for sample in report.samples
            ]
            continue
        number = charge.session.transaction_id or 0
        charges[number] = take_samples(work, charge, report, readings, rules)
    store_readings(work, readings)
    _save(work, before, charges)
    return [None] * len(reports)


def _running_at(
    work: Work, report: SampleReport, charges: dict[int, Charge], before: dict[int, Charge]
) -> Charge | None:
    """Return the charge whose meter is meant by a report that names no transaction of ours; None without one.

    Of several whose ends are not known yet only the newest can still run.
    """
    if not report.connector or was_given_out(work.sql, report.transaction_id or 0):
        return None
    here = store.active_charges(work.sql, report.station, report.connector)
    running = [charge for charge in here if charge.session.transaction_id is not None]
    if not running:
        return None
    newest = max(running, key=lambda charge: (charge.began.ms if charge.began else 0, charge.session.transaction_id))
    at = newest.session.transaction_id or 0
    before.setdefault(at, newest)
    return charges.setdefault(at, newest)


def _save(work: Work, before: dict[int, Charge], charges: dict[int, Charge]) -> None:
    """Write the charges that changed; most of them only went on."""
    moved: list[Charge] = []
    metered: list[Charge] = []
    for number, charge in charges.items():
        was = before[number]
        if charge is was:
            continue
        session = was.session
        goes_on = session.status is charge.session.status and session.deadline_ms == charge.session.deadline_ms
        (metered if goes_on else moved).append(charge)
    store.save_metered(work, metered)
    store.save_charges(work, moved)


def take_samples(work: Work, charge: Charge, report: SampleReport, readings: list[Reading], rules: Rules) -> Charge:
    """Follow, price and judge the samples of one report; append the rows that keep them. The caller saves."""
    over = charge.session.over
    priced: tuple[int, bool] | None = None
    for sample in report.samples:
        if not over and sample.context != "Transaction.End":
            charge = follow(charge, sample, work.now, rules)
            charge, cost_msat, enough = count(work, charge, rules)
            priced = cost_msat, enough
        number = charge.session.transaction_id
        readings.append(as_reading(charge.station, charge.connector, number, sample, charge))
    if over:
        _end_again(work, charge, report)
        return charge
    cost_msat, enough = priced or count(work, charge, rules)[1:]
    register = charge.progress.register
    energy_wh = register.total_wh if register else 0
    flowing = charge.progress.power_w > 0
    charge = advance_session(work, charge, Metered(energy_wh, cost_msat, enough, flowing), rules)
    tell_progress(work, charge)
    return charge


def _end_again(work: Work, charge: Charge, report: SampleReport) -> None:
    """Ask once more for the end of a charge whose bill stands while its station goes on: that energy is nobody's."""
    number = charge.session.transaction_id or 0
    row = store.transaction_by_id(work.sql, number)
    if row is not None and row.stopped_ms is None and any(_flows(charge, sample) for sample in report.samples):
        work.request(AskStop(charge.id, charge.station, number), key=f"end:{number}")


def _end_stranger(work: Work, report: SampleReport) -> None:
    """Ask once more for the end of a transaction whose tag was refused while its station gives energy all the same."""
    if not report.transaction_id or not any(sample.power_w for sample in report.samples):
        return
    row = store.transaction_by_id(work.sql, report.transaction_id)
    refused = row is not None and row.session_id is None and row.stopped_ms is None
    if row is not None and refused and row.station == report.station:
        work.request(AskStop("", row.station, row.id), key=f"end:{row.id}")


def _flows(charge: Charge, sample: Sample) -> bool:
    """Whether a sample shows energy after what was billed: by its power, or where it has none by its register."""
    register = charge.progress.register
    if sample.power_w is not None or sample.energy_wh is None or register is None:
        return bool(sample.power_w)
    return sample.energy_wh * register.scale > register.last_wh


def tell_progress(work: Work, charge: Charge) -> None:
    """Tell live pages how far the charge is."""
    session = charge.session
    work.tell(
        charge.subject,
        "metered",
        at_ms=charge.progress.register.last_ms if charge.progress.register else work.now.ms,
        energy_wh=session.energy_wh,
        power_w=charge.progress.power_w,
        cost_msat=session.cost_msat,
        left_msat=max(0, session.credit_msat - session.cost_msat),
        status=session.status.value,
    )
