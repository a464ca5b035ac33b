"""Opens what a configuration names outside of the database: Lightning rails, rate sources, the change's way home."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from commonwatt.adapters.payment.lnd import LndRail
from commonwatt.adapters.payment.sandbox.network import SandboxNetwork
from commonwatt.adapters.payment.sandbox.rail import SandboxRail
from commonwatt.adapters.rates import FIXED, open_sources
from commonwatt.charging import Rules, Terms
from commonwatt.kernel import Clock, Ids
from commonwatt.main.config import Config
from commonwatt.main.examining import lnd_settings
from commonwatt.payments.ports import Rail
from commonwatt.tariffs import RatePolicy
from commonwatt.tariffs.ports import RateSource

OWNER, PHONE = "owner", "wallet"
"""The sandbox's two nodes: the installation's own, and the visitor's phone."""
OWNER_MSAT, PHONE_MSAT = 10_000_000_000, 5_000_000_000
"""Play money that each begins with."""


@dataclass(frozen=True, slots=True)
class Worlds:
    """What lies outside: rails in order of preference, rate sources, and the sandbox when it is one of the rails."""

    rails: Mapping[str, Rail]
    sandbox: SandboxNetwork | None
    rate_sources: Sequence[RateSource]
    rate_policy: RatePolicy

    async def close(self) -> None:
        """Let go of the sources and the play world; the rails end with the house."""
        for source in self.rate_sources:
            await source.close()
        if self.sandbox is not None:
            self.sandbox.close()


async def open_worlds(config: Config, clock: Clock, ids: Ids) -> Worlds:
    """Open the rails and sources that the configuration names."""
    rails: dict[str, Rail] = {}
    sandbox = None
    for name in config.payments.rails:
        if name == "sandbox":
            sandbox = await open_sandbox(config.data.sandbox, clock, ids)
            rails[name] = SandboxRail(sandbox, OWNER)
        else:
            rails[name] = LndRail(lnd_settings(config))
    fixed = {config.site.currency: config.fixed_rate} if config.fixed_rate else {}
    names = [FIXED] if fixed else [name for name in config.rates.sources if name != FIXED]
    policy = RatePolicy(
        max_age_s=config.rates.age_max_s,
        max_deviation_ppm=config.rates.deviation_max_ppm,
        minimum=1 if fixed else config.rates.sources_min,
    )
    return Worlds(rails, sandbox, open_sources(names, clock, fixed), policy)


async def open_sandbox(path: Path | None, clock: Clock, ids: Ids) -> SandboxNetwork:
    """Open the play world with its two nodes; money that is there stays."""
    network = SandboxNetwork(path, clock, ids)
    await network.add_node(OWNER, OWNER_MSAT)
    await network.add_node(PHONE, PHONE_MSAT)
    return network


def rules_of(config: Config) -> Rules:
    """Return charging's rules as the configuration has them."""
    payments, charging = config.payments, config.charging
    return Rules(
        terms=Terms(
            start_s=min(charging.start_timeout_s, payments.hold_s),
            hold_s=payments.hold_s,
            stop_s=charging.stop_timeout_s,
        ),
        invoice_s=payments.invoice_expiry_s,
        offers_max=payments.offers_max,
        payment_min_msat=payments.amount_min_msat,
        payment_max_msat=payments.amount_max_msat,
        sample_s=charging.sample_s,
        power_max_w=charging.power_max_w,
        silence_s=charging.silence_s,
        fee_ppm=payments.fee_limit_ppm,
        fee_base_msat=payments.fee_limit_base_msat,
        success_action=payments.success_action,
        currency=config.site.currency,
    )
