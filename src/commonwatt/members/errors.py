"""How members, invitations and tokens are refused."""

from __future__ import annotations

from commonwatt.kernel import Missing, Refused, said


class NotSignedIn(Refused):
    """Nobody is signed in, or what was shown to sign in is not valid."""

    slug = "not-signed-in"
    title = "Sign in first"
    status = 401


class NotPermitted(Refused):
    """Whoever asks is known, but may not do this."""

    slug = "not-permitted"
    title = "Not yours to do"
    status = 403


class ProveItIsYou(Refused):
    """A dangerous act asks for the passkey again."""

    slug = "prove-it-is-you"
    title = "Show your passkey again"
    status = 403
    form: tuple[tuple[str, str], ...] = ()
    """The fields that were posted, so that a page can post them again after the proof."""

    def __init__(self) -> None:
        """Say it the same way wherever it is asked for."""
        super().__init__(
            said(
                "Only you may do this, so it needs a passkey that was shown within the last quarter of an hour. "
                "Nothing was done. Show your passkey and repeat it."
            )
        )


class LinkNotValid(Refused):
    """A one-time link was used, withdrawn, replaced, or is too old."""

    slug = "link-not-valid"
    title = "This link is no longer valid"
    status = 410


class PasskeyRefused(Refused):
    """A passkey's answer does not prove what it should (WebAuthn Level 3, section 7)."""

    slug = "passkey-refused"
    title = "The passkey was not accepted"
    status = 400


class CodeRefused(Refused):
    """A recovery code is wrong or was used."""

    slug = "code-refused"
    title = "The code was not accepted"
    status = 400


class LastOwner(Refused):
    """Somebody must remain who may do everything."""

    slug = "last-owner"
    title = "The last owner stays"


class LastKey(Refused):
    """A member must keep a way to sign in."""

    slug = "last-key"
    title = "The last passkey stays"


class ScopeRefused(Refused):
    """A token would be given a scope that does not exist, or more than its maker has."""

    slug = "scope-refused"
    title = "These scopes cannot be given"
    status = 400


class NoSuchMember(Missing):
    """No member, invitation, sign-in or token has this id."""

    slug = "no-such-member"
    title = "Nobody of that name"


class NoSuchToken(NoSuchMember):
    """There is no such token, or it was revoked."""

    slug = "no-such-token"
    title = "No such token"
