"""The wallet's side of LNURL: ask what a link offers, get an invoice from it, or hand one in.

Used to send change to a Lightning address (LUD-16) and by the sandbox wallet. Nothing here pays; so whatever fails can
be tried again, except handing in an invoice, after which only the invoice's own state tells.
"""

from __future__ import annotations

from commonwatt.kernel import Done, Failed, Outcome, Unknown
from commonwatt.payments.guarded_http import GuardedHttp
from commonwatt.protocols import lnurl
from commonwatt.protocols.bolt11 import Bolt11Error, decode
from commonwatt.protocols.lnurl import LnurlError, PayAnswer, PayRequest, ServiceError, WithdrawRequest


class LnurlClient:
    """Speaks LNURL to services of others; close it in the end."""

    def __init__(self, *, allow_loopback: bool = False) -> None:
        """Allow services on this very machine, also without TLS, for a sandbox."""
        self._http = GuardedHttp(allow_loopback=allow_loopback)

    async def offer(self, link: str) -> Outcome[PayRequest | WithdrawRequest]:
        """Ask what is behind a link in any spelling (LUD-01, 16, 17)."""
        try:
            url = lnurl.read_link(link)
        except LnurlError as error:
            return Failed(str(error), "malformed")
        match await self._http.get(url):
            case Done(body):
                try:
                    return Done(lnurl.parse_service(body))
                except LnurlError as error:
                    return _failed(error)
            case other:
                return other

    async def invoice(self, request: PayRequest, amount_msat: int, comment: str = "") -> Outcome[PayAnswer]:
        """Ask for an invoice of exactly that amount (LUD-06); a comment is cut to what is allowed (LUD-12).

        An invoice that commits to another description is accepted, since services disagree on that; another amount
        never is.
        """
        if not request.min_msat <= amount_msat <= request.max_msat:
            reason = f"the service takes from {request.min_msat} to {request.max_msat} msat, not {amount_msat}"
            return Failed(reason, "amount")
        said = {"comment": comment[: request.comment_allowed]} if comment and request.comment_allowed else {}
        match await self._http.get(lnurl.with_query(request.callback, amount=amount_msat, **said)):
            case Done(body):
                try:
                    answer = lnurl.parse_pay_answer(lnurl.read_answer(body), request.callback)
                    asked = decode(answer.bolt11).amount_msat
                except (LnurlError, Bolt11Error) as error:
                    return _failed(error)
                if asked != amount_msat:
                    return Failed(f"the service answered with an invoice over {asked} msat", "amount")
                return Done(answer)
            case other:
                return other

    async def withdraw(self, request: WithdrawRequest, bolt11: str) -> Outcome[None]:
        """Hand in an invoice to be paid (LUD-03). After Unknown the service may pay it or not."""
        match await self._http.get(lnurl.with_query(request.callback, k1=request.k1, pr=bolt11)):
            case Done(body):
                try:
                    lnurl.read_answer(body)
                except LnurlError as error:
                    return _failed(error)
                return Done(None)
            case Failed() as failed:
                return failed
            case Unknown() as unknown:
                return unknown

    async def fetch_invoice(self, address: str, amount_msat: int, comment: str = "") -> Outcome[str]:
        """Return an invoice of a Lightning address or LNURL: what change is paid to."""
        match await self.offer(address):
            case Done(PayRequest() as request):
                pass
            case Done():
                return Failed("this link gives money, it takes none", "service")
            case Failed() | Unknown() as other:
                return other
        match await self.invoice(request, amount_msat, comment):
            case Done(answer):
                return Done(answer.bolt11)
            case Failed() | Unknown() as other:
                return other

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.close()


def _failed(error: LnurlError | Bolt11Error) -> Failed:
    """Tell a service that says no, in its own words, from one that nobody understands."""
    return Failed(str(error), "declined" if isinstance(error, ServiceError) else "service")


async def fetch_invoice_from_address(
    address_or_lnurl: str, amount_msat: int, comment: str = "", *, allow_loopback: bool = False
) -> Outcome[str]:
    """Return an invoice of somebody's Lightning address or LNURL over exactly that amount.

    `Failed` says for good why there is none; `Unknown` that the service is out of reach now.
    """
    client = LnurlClient(allow_loopback=allow_loopback)
    try:
        return await client.fetch_invoice(address_or_lnurl, amount_msat, comment)
    finally:
        await client.close()
