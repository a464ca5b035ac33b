"""What the wallet's page says when something did not work: sentences for whoever plays, in the words of a wallet."""

from __future__ import annotations

from commonwatt.kernel import Failed, Said, Unknown, said

NO_CODE = said("This is neither a payment code nor a Lightning address, or a letter was lost on the way.")
SILENT = said("The other side does not answer now. Try again in a moment.")
REASONS = {
    "the invoice was paid already": said("This was paid already."),
    "the invoice has expired": said("This payment code has expired. Ask for a new one."),
    "the invoice was cancelled": said("This payment code was withdrawn. Ask for a new one."),
    "a node cannot pay its own invoice": said("This wallet cannot pay itself."),
    "the amount is not the invoice's": said("This is not the amount that was asked for."),
    "nothing is to be paid": said("An amount above zero is needed."),
    "the way there costs more than the limit": said("The way there costs more than this wallet spends on it."),
    "insufficient balance": said("There is not enough money in this wallet."),
    "no route: nobody in the sandbox has this invoice": said("Nobody can be paid by this code here."),
    "the payee gave the payment back": said("The other side gave the payment back."),
    "the time lock of the payment ran out": said("The other side did not take the payment in time, so it came back."),
    "the wallet could not make an invoice": said("This wallet could not ask for the amount. Try again in a moment."),
}
"""Sentences for the reasons that the sandbox's network and wallet give."""
CODES = {
    "malformed": NO_CODE,
    "unreadable": NO_CODE,
    "network": said("This code is for real money. The play money of this wallet cannot pay it."),
    "amount": said("This amount is not possible here."),
    "withdraw": said("This code gives money. Receive it instead."),
    "pay": said("This code takes money and gives none."),
    "forbidden": said("This code leads to a place that a wallet must not ask."),
    "service": said("The other side gives an answer that no wallet understands."),
    "oversized": said("The other side gives an answer that no wallet understands."),
}
"""Sentences for kinds of failures whose reasons are for programmers."""


def words_for(outcome: Failed | Unknown) -> Said:
    """Return what to say about a failure, or about the silence of the other side."""
    if isinstance(outcome, Unknown):
        return SILENT
    if outcome.code == "declined":
        return said("The other side says: %(reason)s", reason=said(outcome.reason))
    return CODES.get(outcome.code) or reason_words(outcome.reason)


def reason_words(reason: str) -> Said:
    """Return a sentence for a reason that the network keeps with a payment; one that is not known as it is."""
    return REASONS.get(reason) or said(reason)
