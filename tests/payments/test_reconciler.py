"""Belief against the world, when nobody told us anything."""

from commonwatt.adapters.payment.sandbox import Fault
from commonwatt.payments import Reconciler, Stage, cancel_invoice, capture_invoice, look_up_in_time
from commonwatt.payments.ports import InvoiceState


async def test_what_the_stream_missed_is_found(world):
    held, plain = await world.invoice(hold=True), await world.invoice()
    await world.pay(held)
    await world.pay(plain)
    await world.reconciler.step()
    assert await world.state(held) is Stage.ACCEPTED
    assert await world.state(plain) is Stage.SETTLED


async def test_an_expired_invoice_is_closed(world):
    invoice = await world.invoice(expiry_s=60)
    await world.reconciler.step()
    world.clock.step(seconds=63)
    await world.reconciler.step()
    await world.jobs.settle()
    assert await world.state(invoice) is Stage.CANCELLED
    assert await world.kinds() == ["InvoiceCancelled"]


async def test_a_quiet_invoice_is_looked_up_ever_more_seldom(world):
    for _ in range(20):
        await world.invoice(expiry_s=7200)
    looked = 0
    for _ in range(240):
        looked += await world.reconciler.step()
        world.clock.step(seconds=15)
    assert 20 * 12 <= looked <= 20 * 25


async def test_nothing_is_concluded_while_the_rail_is_down(world):
    invoice = await world.invoice(expiry_s=60)
    await world.pay(invoice)
    world.rail.faults.down = True
    world.clock.step(seconds=3600)
    await world.reconciler.step()
    await world.jobs.settle()
    assert await world.state(invoice) is Stage.OPEN
    world.rail.faults.clear()
    world.clock.step(seconds=600)
    await world.reconciler.step()
    assert await world.state(invoice) is Stage.SETTLED


async def test_a_hold_that_everybody_forgot_goes_back(world):
    invoice = await world.invoice(hold=True, expiry_s=300)
    await world.pay(invoice)
    for _ in range(70):
        await world.reconciler.step()
        await world.jobs.settle()
        world.clock.step(seconds=15)
    assert await world.state(invoice) is Stage.CANCELLED


async def test_a_decision_survives_the_loss_of_its_job(world):
    taken, returned = await world.invoice(hold=True), await world.invoice(hold=True)
    for invoice in (taken, returned):
        await world.pay(invoice)
        await world.hear(invoice)
    world.rail.faults.plan("settle_invoice", Fault.LOSE_REQUEST)
    world.rail.faults.plan("cancel_invoice", Fault.LOSE_REQUEST)
    await world.database.write(capture_invoice, taken.payment_hash)
    await world.database.write(cancel_invoice, returned.payment_hash)
    await world.database.write(lambda work: work.sql.exec_driver_sql("delete from outbox") and None)
    fresh = Reconciler(world.database, {"sandbox": world.rail}, world.performer)
    for _ in range(3):
        await fresh.step()
        await world.jobs.settle()
        world.clock.step(seconds=60)
    assert await world.state(taken) is Stage.SETTLED
    assert await world.state(returned) is Stage.CANCELLED


async def test_an_invoice_of_a_rail_that_is_gone_waits(world):
    invoice = await world.invoice(expiry_s=60)
    world.clock.step(seconds=3600)
    lost = Reconciler(world.database, {}, world.performer)
    assert await lost.step() == 1
    assert await world.state(invoice) is Stage.OPEN
    report = await world.network.look_up_invoice("us", bytes.fromhex(invoice.payment_hash))
    assert report.value.state is InvoiceState.CANCELLED


async def test_our_clock_set_back_makes_no_invoice_wait_for_it(world):
    """What is open is looked up at once, and locked money that nobody decides about goes back in time."""
    world.clock.step(seconds=DAY_S)
    held, plain, left = [await world.invoice(hold=hold, expiry_s=3600) for hold in (True, False, False)]
    await world.reconciler.step()
    await world.pay(held)
    await world.hear(held)
    await world.pay(plain)
    world.clock.step(seconds=-DAY_S)
    assert await world.reconciler.step() == 0
    assert await world.database.write(look_up_in_time) == 3
    assert await world.database.write(look_up_in_time) == 0
    assert await world.reconciler.step() == 3
    assert [await world.state(one) for one in (held, plain, left)] == [Stage.ACCEPTED, Stage.SETTLED, Stage.OPEN]
    for _ in range(62):
        world.clock.step(seconds=15)
        await world.reconciler.step()
        await world.jobs.settle()
    assert await world.state(held) is Stage.CANCELLED


async def test_a_look_up_that_is_due_in_time_stays(world):
    await world.invoice()
    await world.reconciler.step()
    world.clock.step(seconds=-5)
    assert await world.database.write(look_up_in_time) == 0


DAY_S = 24 * 3600
