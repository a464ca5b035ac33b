"""The audit of the end: our books against the sandbox's ledger and against what the stations know to be true.

Plain functions over two connections, so that the simulated world and a server that was killed are judged alike. Each
returns sentences about what is wrong; no sentence means that all is well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection

from commonwatt.adapters.station.virtual.memory import Truth
from commonwatt.books import balance
from commonwatt.kernel import BTC, Rounding
from commonwatt.tariffs import fiat_to_msat, rate_by_id

RAIL = "sandbox"
STEP_WH = 1
"""A meter that shows whole Wh may show one more at the end than flowed since the start; one of whole kWh, a kWh."""

Truths = Mapping[str, Sequence[Truth]]
"""Station to its charges, as they really were."""


def audit(
    sql: Connection, node: Connection, truths: Truths, *, owner: str = "owner", steps: Mapping[str, int] | None = None
) -> list[str]:
    """Return everything that is wrong with a house that is at rest.

    `steps` names the stations whose meters show less than whole Wh, each with the Wh of one step.
    """
    return [
        *_open_ends(sql),
        *_money(sql, node, owner),
        *_invoices(sql, node, owner),
        *_payouts(sql, node, owner),
        *_sessions(sql),
        *_bills(sql),
        *_prices(sql),
        *_energy(sql, truths, steps or {}),
        *_dead_jobs(sql),
    ]


def unfinished(sql: Connection) -> list[str]:
    """Return what has no end yet, in words: sessions that run, payments that are open, jobs that wait."""
    open_things = (
        """SELECT 'session', id, status, held_msat, transaction_id FROM session
        WHERE status NOT IN ('ended', 'cancelled') OR held_msat > 0""",
        "SELECT 'invoice', payment_hash, state, wish, subject FROM payments_invoices WHERE ended_ms IS NULL",
        "SELECT 'payout', id, state, reason, subject FROM payments_payouts WHERE ended_ms IS NULL",
        "SELECT 'job', id, kind, state, attempts, error FROM outbox WHERE state IN ('waiting', 'running')",
    )
    return [" ".join(map(str, row)) for query in open_things for row in sql.exec_driver_sql(query)]


def _open_ends(sql: Connection) -> Iterator[str]:
    for left in unfinished(sql):
        yield f"no end: {left}"
    for row in sql.exec_driver_sql("SELECT id FROM session WHERE NOT owed_msat >= 0"):
        yield f"{row.id} owes less than nothing"
    for row in sql.exec_driver_sql("SELECT session_id, number FROM change_claim WHERE state = 'paying'"):
        yield f"claim {row.number} of {row.session_id} is still being paid"
    for row in sql.exec_driver_sql("SELECT session_id FROM deposit WHERE state = 'held'"):
        yield f"a deposit of {row.session_id} is still held"


def _money(sql: Connection, node: Connection, owner: str) -> Iterator[str]:
    """Money in = money out + what is held, to the msat."""
    there = node.exec_driver_sql("SELECT balance_msat - minted_msat FROM nodes WHERE name = ?", (owner,)).scalar_one()
    here = balance(sql, f"rail:{RAIL}", asset=BTC).units
    if there != here:
        yield f"the node gained {there} msat, the books say {here}"


def _invoices(sql: Connection, node: Connection, owner: str) -> Iterator[str]:
    """Compare each invoice of the node with what we believe of it: none forgotten, none invented."""
    ours = {row[0]: (row[1], row[2]) for row in sql.exec_driver_sql(
        "SELECT payment_hash, state, paid_msat FROM payments_invoices")}  # fmt: skip
    rows = node.exec_driver_sql("SELECT payment_hash, state, paid_msat FROM invoices WHERE payee = ?", (owner,))
    for payment_hash, state, paid_msat in rows.all():
        name = payment_hash.hex()
        believed, booked_msat = ours.pop(name, ("unknown to us", 0))
        if state == "accepted":
            yield f"invoice {name} is still held by the node, we say {believed}"
        elif (state == "settled") != (believed == "settled"):
            yield f"invoice {name} is {state} at the node, we say {believed}"
        elif state == "settled" and paid_msat != booked_msat:
            yield f"invoice {name} brought {paid_msat} msat, we booked {booked_msat}"
    for name, (believed, _) in ours.items():
        if believed == "settled":
            yield f"invoice {name} is settled for us, and the node never heard of it"


def _payouts(sql: Connection, node: Connection, owner: str) -> Iterator[str]:
    """Compare each payment out with what the node did: no refund lost, none paid twice."""
    columns = "payment_hash, amount_msat, fee_msat"
    sent = {
        row.payment_hash.hex(): (row.amount_msat, row.fee_msat)
        for row in node.exec_driver_sql(f"SELECT {columns} FROM payments WHERE payer = ? AND state = 'done'", (owner,))  # noqa: S608 (constants)
    }
    for row in sql.exec_driver_sql(f"SELECT {columns} FROM payments_payouts WHERE state = 'done'"):  # noqa: S608 (constants)
        paid = sent.pop(row.payment_hash, None)
        if paid != (row.amount_msat, row.fee_msat):
            yield f"payout {row.payment_hash}: we say {row.amount_msat} and {row.fee_msat}, the node {paid}"
    for payment_hash, (amount_msat, _) in sent.items():
        yield f"the node paid {amount_msat} msat for {payment_hash}, and we know nothing of it"
    flying = node.exec_driver_sql("SELECT count(*) FROM payments WHERE state = 'in flight'").scalar_one()
    if flying:
        yield f"{flying} payments are still in flight"


def _sessions(sql: Connection) -> Iterator[str]:
    """Compare what a session believes of its money with its invoices, its payouts and its account."""
    rows = sql.exec_driver_sql(
        "SELECT s.id, s.paid_msat, s.billed_msat, s.owed_msat, s.returned_msat,"
        " (SELECT coalesce(sum(paid_msat), 0) FROM payments_invoices"
        "  WHERE subject = 'session/' || s.id AND state = 'settled') AS came,"
        " (SELECT coalesce(sum(amount_msat), 0) FROM payments_payouts"
        "  WHERE subject = 'session/' || s.id AND state = 'done') AS went"
        " FROM session s WHERE s.kind = 'prepaid'"
    )
    for row in rows.all():
        credit = balance(sql, f"session:{row.id}", asset=BTC).units
        told = f"{row.id}: paid {row.paid_msat}, billed {row.billed_msat}, returned {row.returned_msat}"
        if row.came != row.paid_msat:
            yield f"{told}; its invoices brought {row.came}"
        if row.went != row.returned_msat:
            yield f"{told}; its payouts took {row.went}"
        if not credit == row.owed_msat == row.paid_msat - row.billed_msat - row.returned_msat:
            yield f"{told}; owed {row.owed_msat}, and its account has {credit}"


def _bills(sql: Connection) -> Iterator[str]:
    """One bill per session that used anything, none for the others, and each of what was billed."""
    rows = sql.exec_driver_sql(
        "SELECT s.id, s.kind, s.status, s.energy_wh, s.billed_msat, count(DISTINCT w.number) AS bills,"
        " coalesce(sum(CASE WHEN a.asset = 'BTC' AND e.units < 0 THEN -e.units ELSE 0 END), 0) AS booked"
        " FROM session s LEFT JOIN books_write w ON w.key = 'bill:' || s.id"
        " LEFT JOIN books_entry e ON e.number = w.number LEFT JOIN books_account a ON a.id = e.account_id"
        " GROUP BY s.id"
    )
    for row in rows:
        wanted = int(row.status == "ended" and (row.energy_wh > 0 or row.billed_msat > 0))
        if row.bills != wanted or row.booked != row.billed_msat:
            yield (
                f"{row.id} ({row.kind}, {row.status}) used {row.energy_wh} Wh and is billed {row.billed_msat}:"
                f" {row.bills} bills of {row.booked} msat"
            )


def _prices(sql: Connection) -> Iterator[str]:
    """Compare what each driver paid for with the bill in the tariff's money, at the rate that was locked."""
    rows = sql.exec_driver_sql(
        "SELECT id, asset, rate_id, gross_units, paid_msat, billed_msat FROM session"
        " WHERE kind = 'prepaid' AND status = 'ended'"
    )
    for row in rows.all():
        rate = None if row.rate_id is None else rate_by_id(sql, row.rate_id)
        due_msat = row.gross_units if rate is None else fiat_to_msat(row.gross_units, rate, Rounding.DOWN).quotient
        if row.billed_msat != min(due_msat, row.paid_msat):
            yield f"{row.id} is billed {row.billed_msat} msat; its bill of {row.gross_units} units is {due_msat}"


def _energy(sql: Connection, truths: Truths, steps: Mapping[str, int]) -> Iterator[str]:
    """Energy sold <= energy metered, for each charge; and each charge that was answered has its session."""
    sold = {row.transaction_id: row for row in sql.exec_driver_sql(
        "SELECT id, station, transaction_id, status, energy_wh, id_tag FROM session"
        " WHERE transaction_id IS NOT NULL")}  # fmt: skip
    for station, charges in truths.items():
        for truth in charges:
            session = sold.pop(truth.transaction_id or 0, None)
            if session is None:
                if truth.authorisation == "Accepted" and truth.start_answered and truth.energy_wh > 0:
                    yield f"{station}: charge {truth.key} of {truth.energy_wh} Wh is on nobody's bill"
            elif session.station != station:
                yield f"{station}: charge {truth.key} belongs to a session at {session.station}"
            elif session.energy_wh > truth.energy_wh + steps.get(station, STEP_WH):
                yield f"{station}: {session.energy_wh} Wh billed by {session.id}, {truth.energy_wh} flowed"
    for session in sold.values():
        if session.energy_wh:
            yield f"{session.id} at {session.station}: transaction {session.transaction_id} never happened"


def _dead_jobs(sql: Connection) -> Iterator[str]:
    """A dead job must be one that only a person can decide about: change whose address gives no invoice."""
    for row in sql.exec_driver_sql("SELECT id, kind, error FROM outbox WHERE state = 'dead'"):
        if row.kind != "charging.SendChange" or not row.error:
            yield f"job {row.id} ({row.kind}) is dead: {row.error}"
