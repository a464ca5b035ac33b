"""The sandbox: Lightning without money. Real invoices and preimages, several nodes, and faults on request.

Reading order: `ledger` (the world's books), `network` (its nodes), `faults`, `rail` (our port), `wallet` (the phone).
"""

from commonwatt.adapters.payment.sandbox.faults import Fault, Faults
from commonwatt.adapters.payment.sandbox.ledger import Fees
from commonwatt.adapters.payment.sandbox.network import SandboxNetwork
from commonwatt.adapters.payment.sandbox.rail import SandboxRail
from commonwatt.adapters.payment.sandbox.wallet import Found, Kind, Paid, SandboxWallet

__all__ = ["Fault", "Faults", "Fees", "Found", "Kind", "Paid", "SandboxNetwork", "SandboxRail", "SandboxWallet"]
