"""The site's rules for charging, from its configuration; every action that needs one takes it as `rules`."""

from __future__ import annotations

from dataclasses import dataclass, field

from commonwatt.charging.model.session import Terms

FEE_OF_BILLED = 20
"""One part in so many of what a charge was billed may go into the fees of its change."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Waiting times, limits, and the currency of the site."""

    terms: Terms = field(default_factory=Terms)
    invoice_s: int = 600
    """How long an offer may be paid."""
    offers_max: int = 64
    """How many unpaid offers a connector has at most; the oldest makes room for a new one."""
    payment_min_msat: int = 100_000
    payment_max_msat: int = 1_000_000_000
    sample_s: int = 30
    """The longest that a station is silent between samples while it charges."""
    stop_latency_s: int = 15
    """From deciding to stop to the last energy."""
    power_max_w: int = 400_000
    """The most that any connector can deliver: more energy than that is a register's error."""
    silence_s: int = 24 * 3600
    """A running session whose station said nothing for so long is billed by its last reading."""
    reboot_s: int = 180
    """How long a station may take after a reboot to report what became of its transaction."""
    fee_ppm: int = 5_000
    fee_base_msat: int = 5_000
    """The most that returning change may cost the owner in routing fees: base plus millionths of the amount."""
    fee_unearned_msat: int = 100_000
    """The most that the millionths may come to where the charge earned little, see `fee_limit`."""
    success_action: bool = True
    """Whether wallets show the link to the session after the payment (LUD-09); some refuse answers that carry it."""
    currency: str = "EUR"

    def fee_limit(self, amount_msat: int, billed_msat: int) -> int:
        """Return the routing fee limit in msat for change of a charge that was billed so much, rounded down.

        Whoever pays much and charges little could have the change routed over a channel of its own that takes the whole
        limit. So above a small sum the fee is bounded by a share of what the charge brought, whatever comes back.
        """
        share_msat = amount_msat * self.fee_ppm // 1_000_000
        earned_msat = max(self.fee_unearned_msat, billed_msat // FEE_OF_BILLED)
        return self.fee_base_msat + min(share_msat, earned_msat)


DEFAULT = Rules()
