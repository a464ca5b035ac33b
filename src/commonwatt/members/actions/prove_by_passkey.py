"""The two ceremonies of WebAuthn Level 3, sections 7.1 and 7.2: register a passkey, and show one.

A passkey is shown to sign in, and again to prove, before a dangerous act, that the member still holds the sign-in.

A ceremony begins with a challenge that we keep, and ends with the authenticator's signature over it. `take_ceremony`
is a transaction of its own: whatever the answer is worth, its challenge never counts twice.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from commonwatt.kernel import said
from commonwatt.kit.database import Work
from commonwatt.kit.web import Site
from commonwatt.members.actions.invite_member import check_name, find_invitation
from commonwatt.members.actions.record_act import record_act
from commonwatt.members.actions.sign_in import Started, Visit, open_sign_in
from commonwatt.members.errors import LastKey, NoSuchMember, PasskeyRefused, ProveItIsYou
from commonwatt.members.model.actor import FRESH_MS, Actor
from commonwatt.members.secrets import digest, new_secret
from commonwatt.members.store import ceremonies, invitations, members, passkeys, sign_ins

JOIN, ADD, SIGN_IN, PROVE = "join", "add", "sign-in", "prove"
CEREMONY_S = 300


def _malformed() -> tuple[type[Exception], ...]:
    """What an answer that is none raises."""
    from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415

    return (WebAuthnException, ValueError, KeyError, TypeError, AttributeError, IndexError)


@dataclass(frozen=True, slots=True)
class Begun:
    """What the browser needs: the options of WebAuthn as JSON, and the word that it sends back with the answer."""

    state: str
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What we remember of one that began."""

    kind: str
    challenge: bytes
    handle: bytes
    subject: str
    name: str


def begin_join(work: Work, site: Site, secret: str, name: str) -> Begun:
    """Begin with a one-time link: a passkey for a person who is not a member yet. Raises LinkNotValid, BadRequest."""
    invitation = find_invitation(work, secret)
    name = check_name(name)
    return _begin_registration(work, site, JOIN, invitation.id, name, work.ids.secret(32), [])


def begin_add(work: Work, site: Site, actor: Actor) -> Begun:
    """Begin another passkey for the member who is signed in.

    Raises ProveItIsYou unless a passkey was shown, or a recovery code used up, a short time ago: who came in by a code
    has no passkey at hand, and the code itself is the proof for this one act.
    """
    row = work.sql.execute(select(members).where(members.c.id == actor.member_id)).first()
    if row is None:
        raise NoSuchMember(said("Only a member has passkeys; a token has none."))
    came = work.sql.execute(select(sign_ins.c.made_ms).where(sign_ins.c.id == actor.sign_in_id)).scalar()
    by_code = actor.proved_ms == 0 and came is not None and work.now.ms - came <= FRESH_MS
    if not by_code and not actor.has_proved(work.now):
        raise ProveItIsYou
    known = work.sql.execute(select(passkeys.c.credential).where(passkeys.c.member_id == row.id)).scalars()
    return _begin_registration(work, site, ADD, row.id, row.name, row.handle, list(known))


def begin_sign_in(work: Work, site: Site) -> Begun:
    """Begin to sign in; the browser offers whatever passkeys it has for this site."""
    return _begin_authentication(work, site, SIGN_IN, "", [])


def begin_proof(work: Work, site: Site, actor: Actor) -> Begun:
    """Begin to prove that it is the member who holds this sign-in, by one of the member's own passkeys."""
    if actor.member_id is None:
        raise NoSuchMember(said("Only a member has passkeys; a token has none."))
    known = work.sql.execute(select(passkeys.c.credential).where(passkeys.c.member_id == actor.member_id)).scalars()
    return _begin_authentication(work, site, PROVE, actor.member_id, list(known))


def take_ceremony(work: Work, state: str, kind: str) -> Ceremony:
    """Take a ceremony out of store, so that it ends once. Raises PasskeyRefused when there is none or it is too old."""
    row = work.sql.execute(select(ceremonies).where(ceremonies.c.hash == digest(state))).first()
    work.sql.execute(delete(ceremonies).where(ceremonies.c.hash == digest(state)))
    work.sql.execute(delete(ceremonies).where(ceremonies.c.expires_ms <= work.now.ms))
    if row is None or row.kind != kind or row.expires_ms <= work.now.ms:
        raise PasskeyRefused(said("This took longer than five minutes, or was answered before. Begin again."))
    return Ceremony(row.kind, row.challenge, row.handle or b"", row.subject or "", row.name or "")


def finish_join(
    work: Work, site: Site, ceremony: Ceremony, secret: str, credential: dict[str, Any], visit: Visit
) -> Started:
    """Make the person a member, use up the link and sign in. Raises LinkNotValid, PasskeyRefused."""
    invitation = find_invitation(work, secret)
    if invitation.id != ceremony.subject:
        raise PasskeyRefused(said("The passkey was made for another link. Open your link again."))
    member_id = work.new_id()
    made = {"id": member_id, "name": ceremony.name, "role": invitation.role, "handle": ceremony.handle}
    work.sql.execute(insert(members).values(**made, made_ms=work.now.ms))
    _store_passkey(work, site, ceremony, member_id, credential)
    used = update(invitations).where(invitations.c.id == invitation.id)
    work.sql.execute(used.values(ended_ms=work.now.ms, member_id=member_id))
    started = open_sign_in(work, member_id, visit, proved=True)
    actor = Actor(f"member/{member_id}", ceremony.name, invitation.role, address=visit.address, member_id=member_id)
    record_act(work, actor, "join", f"member/{member_id}", {"role": invitation.role, "link": invitation.kind})
    return started


def finish_add(work: Work, site: Site, actor: Actor, ceremony: Ceremony, credential: dict[str, Any]) -> str:
    """Keep another passkey of the member; return its id. Raises PasskeyRefused."""
    if ceremony.subject != actor.member_id:
        raise PasskeyRefused(said("The passkey was made for somebody else. Begin again."))
    passkey_id = _store_passkey(work, site, ceremony, ceremony.subject, credential)
    proved = update(sign_ins).where(sign_ins.c.id == actor.sign_in_id)
    work.sql.execute(proved.values(proved_ms=work.now.ms))
    record_act(work, actor, "add passkey", f"passkey/{passkey_id}")
    return passkey_id


def finish_sign_in(work: Work, site: Site, ceremony: Ceremony, credential: dict[str, Any], visit: Visit) -> Started:
    """Sign a member in by a passkey's answer. Raises PasskeyRefused without saying which of the checks failed."""
    row = _verify(work, site, ceremony, credential)
    started = open_sign_in(work, row.member_id, visit, proved=True)
    actor = Actor(f"member/{row.member_id}", row.member_name, None, address=visit.address, member_id=row.member_id)
    record_act(work, actor, "sign in", f"sign-in/{started.id}", {"passkey": row.name})
    return started


def finish_proof(work: Work, site: Site, actor: Actor, ceremony: Ceremony, credential: dict[str, Any]) -> None:
    """Let a sign-in count as proved from now on. Raises PasskeyRefused for anybody else's passkey or ceremony."""
    row = _verify(work, site, ceremony, credential)
    if actor.member_id is None or not ceremony.subject == row.member_id == actor.member_id:
        raise PasskeyRefused(said("This passkey is somebody else's. Show your own."))
    proved = update(sign_ins).where(sign_ins.c.id == actor.sign_in_id)
    work.sql.execute(proved.values(proved_ms=work.now.ms))
    record_act(work, actor, "prove identity", f"sign-in/{actor.sign_in_id}", {"passkey": row.name})


def _verify(work: Work, site: Site, ceremony: Ceremony, credential: dict[str, Any]) -> Row[Any]:
    """Return the passkey that answered, with its member's name. Raises PasskeyRefused."""
    from webauthn import verify_authentication_response  # noqa: PLC0415
    from webauthn.helpers import base64url_to_bytes  # noqa: PLC0415

    refused = PasskeyRefused(said("This passkey is not known here, or its answer is not valid. Nothing was done."))
    try:
        raw = base64url_to_bytes(str(credential["rawId"]))
    except _malformed() as error:
        raise refused from error
    joined = select(passkeys, members.c.handle, members.c.name.label("member_name"), members.c.role)
    living = (passkeys.c.credential == raw) & members.c.ended_ms.is_(None)
    row = work.sql.execute(joined.join(members, members.c.id == passkeys.c.member_id).where(living)).first()
    if row is None:
        raise refused
    try:
        handle = credential["response"].get("userHandle")
        if handle and base64url_to_bytes(handle) != row.handle:
            raise refused
        verified = verify_authentication_response(
            credential=credential,
            expected_challenge=ceremony.challenge,
            expected_rp_id=site.host,
            expected_origin=site.base_url,
            credential_public_key=row.public_key,
            credential_current_sign_count=row.sign_count,
            require_user_verification=True,
        )
    except _malformed() as error:
        raise refused from error
    seen = update(passkeys).where(passkeys.c.id == row.id)
    work.sql.execute(seen.values(sign_count=verified.new_sign_count, used_ms=work.now.ms))
    return row


def remove_passkey(work: Work, actor: Actor, passkey_id: str) -> None:
    """Forget one of the member's passkeys. Raises LastKey for the only one, NoSuchMember for anybody else's."""
    mine = work.sql.execute(select(passkeys.c.id).where(passkeys.c.member_id == actor.member_id)).scalars().all()
    if passkey_id not in mine:
        raise NoSuchMember(said("You have no such passkey."), id=passkey_id)
    if len(mine) == 1:
        raise LastKey(said("This is your only passkey. Add another first, or you could not sign in again."))
    work.sql.execute(delete(passkeys).where(passkeys.c.id == passkey_id))
    record_act(work, actor, "remove passkey", f"passkey/{passkey_id}")


def _begin_authentication(work: Work, site: Site, kind: str, subject: str, own: list[bytes]) -> Begun:
    from webauthn import generate_authentication_options, options_to_json  # noqa: PLC0415 (a fifth of a second that no start should wait for)
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor, UserVerificationRequirement  # noqa: PLC0415

    challenge = work.ids.secret(32)
    options = generate_authentication_options(
        rp_id=site.host,
        challenge=challenge,
        allow_credentials=[PublicKeyCredentialDescriptor(id=credential) for credential in own] or None,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return Begun(_keep(work, Ceremony(kind, challenge, b"", subject, "")), json.loads(options_to_json(options)))


def _begin_registration(
    work: Work, site: Site, kind: str, subject: str, name: str, handle: bytes, known: list[bytes]
) -> Begun:
    from webauthn import generate_registration_options, options_to_json  # noqa: PLC0415
    from webauthn.helpers.structs import (  # noqa: PLC0415
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    challenge = work.ids.secret(32)
    options = generate_registration_options(
        rp_id=site.host,
        rp_name=site.name,
        user_id=handle,
        user_name=name,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=credential) for credential in known],
    )
    state = _keep(work, Ceremony(kind, challenge, handle, subject, name))
    return Begun(state, json.loads(options_to_json(options)))


def _keep(work: Work, ceremony: Ceremony) -> str:
    state = new_secret(work)
    work.sql.execute(
        insert(ceremonies).values(
            hash=digest(state),
            kind=ceremony.kind,
            challenge=ceremony.challenge,
            handle=ceremony.handle,
            subject=ceremony.subject,
            name=ceremony.name,
            expires_ms=work.now.plus(seconds=CEREMONY_S).ms,
        )
    )
    return state


def _store_passkey(work: Work, site: Site, ceremony: Ceremony, member_id: str, credential: dict[str, Any]) -> str:
    from webauthn import verify_registration_response  # noqa: PLC0415

    try:
        verified = verify_registration_response(
            credential=credential,
            expected_challenge=ceremony.challenge,
            expected_rp_id=site.host,
            expected_origin=site.base_url,
            require_user_verification=True,
        )
    except _malformed() as error:
        raise PasskeyRefused(
            said("The new passkey's answer is not valid for this site. Nothing was stored.")
        ) from error
    known = select(passkeys.c.id).where(passkeys.c.credential == verified.credential_id)
    if work.sql.execute(known).first() is not None:
        raise PasskeyRefused(said("This passkey is known already. Use it to sign in."))
    passkey_id = work.new_id()
    synced = verified.credential_backed_up
    work.sql.execute(
        insert(passkeys).values(
            id=passkey_id,
            credential=verified.credential_id,
            member_id=member_id,
            public_key=verified.credential_public_key,
            sign_count=verified.sign_count,
            name="synced passkey" if synced else "passkey of a device",
            backed_up=int(synced),
            made_ms=work.now.ms,
        )
    )
    return passkey_id
