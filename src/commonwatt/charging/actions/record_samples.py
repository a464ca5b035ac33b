"""Take meter values, many at a time: the hot path. Facts are stored, sessions priced, limits kept, in one bundle."""

from __future__ import annotations

from collections.abc import Sequence

from commonwatt.charging import store
from commonwatt.charging.actions.advance_session import advance_session
from commonwatt.charging.actions.meter_charge import as_reading, count, follow
from commonwatt.charging.charge import Charge
from commonwatt.charging.model.happenings import Metered
from commonwatt.charging.reports import SampleReport
from commonwatt.charging.rules import DEFAULT, Rules
from commonwatt.kit.database import Work
from commonwatt.metering import Reading, store_readings


def record_samples(work: Work, reports: Sequence[SampleReport], rules: Rules = DEFAULT) -> list[None]:
    """Record meter values; for `Database.write_together`, one result per report.

    Values outside a transaction, of an unknown one or of a session that is over are kept and change no bill.
    """
    wanted = {report.transaction_id for report in reports if report.transaction_id}
    charges = store.charges_by_transaction(work.sql, [number for number in wanted if number])
    before = dict(charges)
    readings: list[Reading] = []
    for report in reports:
        charge = charges.get(report.transaction_id or 0)
        if charge is None or charge.station != report.station:
            readings += [
                as_reading(report.station, report.connector, report.transaction_id, sample, None)
                for sample in report.samples
            ]
            continue
        charge = take_samples(work, charge, report, readings, rules)
        charges[report.transaction_id or 0] = charge
    store_readings(work, readings)
    _save(work, before, charges)
    return [None] * len(reports)


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
    for sample in report.samples:
        if not over and sample.context != "Transaction.End":
            charge = follow(charge, sample, work.now, rules)
        readings.append(as_reading(charge.station, charge.connector, report.transaction_id, sample, charge))
    if over:
        return charge
    charge, cost_msat, enough = count(work, charge, rules)
    register = charge.progress.register
    energy_wh = register.total_wh if register else 0
    flowing = charge.progress.power_w > 0
    charge = advance_session(work, charge, Metered(energy_wh, cost_msat, enough, flowing), rules)
    tell_progress(work, charge)
    return charge


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
