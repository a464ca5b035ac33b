"""BOLT 11: Lightning invoices as text, written, signed, read and verified.

Reading order: `invoice` (what an invoice says), `fields` (how the data part is laid out), `codec` (text and signature).
"""

from commonwatt.protocols.bolt11.codec import decode, encode, node_id, public_key_of
from commonwatt.protocols.bolt11.invoice import Bolt11, Bolt11Error, Fallback, Hop, Network

__all__ = ["Bolt11", "Bolt11Error", "Fallback", "Hop", "Network", "decode", "encode", "node_id", "public_key_of"]
