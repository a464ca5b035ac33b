"""People come in by link and passkey, leave no secret behind, and never lock the last owner out."""

import pytest
from sqlalchemy import select
from tests.members.authenticator import SoftAuthenticator
from tests.members.steps import OWNER, SITE, VISIT, actor_of, join, later, secret_of, sign_in

from commonwatt.kit.web import BadRequest
from commonwatt.members import (
    Role,
    change_role,
    create_token,
    invite_member,
    lists,
    make_owner_link,
    offer_setup,
    remove_member,
    store,
)
from commonwatt.members.actions import prove_by_passkey as prove
from commonwatt.members.actions.invite_member import find_invitation, withdraw_invitation
from commonwatt.members.actions.recover_by_code import make_recovery_codes, recover_by_code
from commonwatt.members.actions.sign_in import IDLE_MS, LONGEST_MS, end_sign_in, touch_sign_in
from commonwatt.members.errors import (
    CodeRefused,
    LastKey,
    LastOwner,
    LinkNotValid,
    NoSuchMember,
    PasskeyRefused,
)
from commonwatt.members.secrets import digest, digest_code


def test_the_first_owner_comes_by_the_link_of_the_last_start(work):
    old = offer_setup(work)
    new = offer_setup(work)
    with pytest.raises(LinkNotValid, match="commonwatt owner link makes a fresh one"):
        find_invitation(work, secret_of(old))
    started, _ = join(work, new)
    assert actor_of(work, started).role is Role.OWNER
    assert offer_setup(work) is None
    with pytest.raises(LinkNotValid):
        find_invitation(work, secret_of(new))


def test_no_secret_is_stored(work):
    link = offer_setup(work)
    started, _ = join(work, link)
    token = create_token(work, OWNER, "t", ["*"]).token
    codes = make_recovery_codes(work, actor_of(work, started))
    dump = ""
    for table in store.metadata.sorted_tables:
        dump += repr(work.sql.execute(select(table)).all())
    for secret in [secret_of(link), started.secret, token, *codes]:
        assert secret not in dump


def test_a_passkey_signs_in_and_counts(work):
    started, device = join(work)
    again = sign_in(work, device)
    assert again.member_id == started.member_id
    assert again.id != started.id
    row = work.sql.execute(select(store.passkeys)).one()
    assert (row.sign_count, row.used_ms) == (2, work.now.ms)


def test_a_device_that_does_not_check_its_person_is_refused(work):
    with pytest.raises(PasskeyRefused):
        join(work, device=SoftAuthenticator(SITE.base_url, verifies=False))
    _, device = join(work)
    device.verifies = False
    with pytest.raises(PasskeyRefused):
        sign_in(work, device)


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:9999", "https://localhost:8080"])
def test_a_passkey_of_another_origin_is_refused(work, origin):
    with pytest.raises(PasskeyRefused):
        join(work, device=SoftAuthenticator(origin))


def test_a_challenge_counts_once_and_for_its_own_ceremony(work):
    _, device = join(work)
    begun = prove.begin_sign_in(work, SITE)
    with pytest.raises(PasskeyRefused):
        prove.take_ceremony(work, begun.state, prove.ADD)
    begun = prove.begin_sign_in(work, SITE)
    ceremony = prove.take_ceremony(work, begun.state, prove.SIGN_IN)
    answer = device.sign_in(begun.options)
    prove.finish_sign_in(work, SITE, ceremony, answer, VISIT)
    with pytest.raises(PasskeyRefused):
        prove.take_ceremony(work, begun.state, prove.SIGN_IN)
    other = prove.begin_sign_in(work, SITE)
    with pytest.raises(PasskeyRefused):
        prove.finish_sign_in(work, SITE, prove.take_ceremony(work, other.state, prove.SIGN_IN), answer, VISIT)
    late = prove.begin_sign_in(work, SITE)
    with pytest.raises(PasskeyRefused):
        prove.take_ceremony(later(work, 300_000), late.state, prove.SIGN_IN)


def test_a_copied_authenticator_is_noticed_by_its_counter(work):
    _, device = join(work)
    sign_in(work, device)
    device.count = 0
    with pytest.raises(PasskeyRefused):
        sign_in(work, device)


@pytest.mark.parametrize(
    "mangle",
    [
        lambda a: a.clear(),
        lambda a: a.update(rawId=5),
        lambda a: a.update(rawId="%%%"),
        lambda a: a.update(response=None),
        lambda a: a.update(response="x"),
        lambda a: a["response"].update(signature="AAAA"),
        lambda a: a["response"].update(clientDataJSON="bm90IGpzb24"),
        lambda a: a["response"].update(authenticatorData=""),
        lambda a: a["response"].update(userHandle="AAAA"),
        lambda a: a["response"].update(userHandle=7),
        lambda a: a.update(id="other"),
        lambda a: a.update(type="password"),
    ],
)
def test_a_mangled_answer_is_refused_not_broken(work, mangle):
    _, device = join(work)
    begun = prove.begin_sign_in(work, SITE)
    ceremony = prove.take_ceremony(work, begun.state, prove.SIGN_IN)
    answer = device.sign_in(begun.options)
    mangle(answer)
    with pytest.raises(PasskeyRefused):
        prove.finish_sign_in(work, SITE, ceremony, answer, VISIT)


def test_mangled_registrations_are_refused(work):
    link = offer_setup(work)
    for credential in ({}, {"response": {}}, {"id": "a", "rawId": "a", "type": "public-key", "response": {"x": 1}}):
        begun = prove.begin_join(work, SITE, secret_of(link), "Ada")
        ceremony = prove.take_ceremony(work, begun.state, prove.JOIN)
        savepoint = work.sql.begin_nested()
        with pytest.raises(PasskeyRefused):
            prove.finish_join(work, SITE, ceremony, secret_of(link), credential, VISIT)
        savepoint.rollback()
    assert lists.list_members(work.sql) == []


def test_invitations_work_once_expire_and_are_withdrawn(work):
    join(work)
    link = invite_member(work, OWNER, "Bob", Role.AUDITOR, 3600)
    assert find_invitation(work, secret_of(link)).role is Role.AUDITOR
    with pytest.raises(LinkNotValid):
        find_invitation(later(work, 3_600_000), secret_of(link))
    started, _ = join(work, link, "Bob")
    assert actor_of(work, started).role is Role.AUDITOR
    with pytest.raises(LinkNotValid):
        join(work, link, "Eve")
    other = invite_member(work, OWNER, "Eve", Role.OPERATOR)
    withdraw_invitation(work, OWNER, other.id)
    with pytest.raises(LinkNotValid):
        find_invitation(work, secret_of(other))
    with pytest.raises(NoSuchMember):
        withdraw_invitation(work, OWNER, other.id)


def test_a_passkey_made_for_one_link_does_not_open_another(work):
    join(work)
    one, two = (invite_member(work, OWNER, name, Role.AUDITOR) for name in ("a", "b"))
    begun = prove.begin_join(work, SITE, secret_of(one), "a")
    ceremony = prove.take_ceremony(work, begun.state, prove.JOIN)
    answer = SoftAuthenticator(SITE.base_url).register(begun.options)
    with pytest.raises(PasskeyRefused):
        prove.finish_join(work, SITE, ceremony, secret_of(two), answer, VISIT)


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\x00b", "a\u202eb"])
def test_names_are_printable_and_short(work, name):
    with pytest.raises(BadRequest):
        invite_member(work, OWNER, name, Role.AUDITOR)


@pytest.mark.parametrize("seconds", [0, -1, 59, 91 * 86400])
def test_invitations_have_a_sane_life(work, seconds):
    with pytest.raises(BadRequest):
        invite_member(work, OWNER, "x", Role.AUDITOR, seconds)


def test_the_last_owner_stays(work):
    ada, _ = join(work)
    with pytest.raises(LastOwner):
        remove_member(work, OWNER, ada.member_id)
    with pytest.raises(LastOwner):
        change_role(work, OWNER, ada.member_id, Role.AUDITOR)
    bob, _ = join(work, invite_member(work, OWNER, "Bob", Role.OWNER), "Bob")
    change_role(work, OWNER, ada.member_id, Role.AUDITOR)
    with pytest.raises(LastOwner):
        remove_member(work, OWNER, bob.member_id)
    link = make_owner_link(work)
    assert find_invitation(work, secret_of(link)).role is Role.OWNER


def test_who_is_removed_is_out_at_once(work):
    join(work)
    bob, device = join(work, invite_member(work, OWNER, "Bob", Role.OPERATOR), "Bob")
    codes = make_recovery_codes(work, actor_of(work, bob))
    token = create_token(work, actor_of(work, bob), "bobs", ["stations:read"])
    remove_member(work, OWNER, bob.member_id)
    assert actor_of(work, bob) is None
    assert lists.find_by_token(work.sql, digest(token.token), work.now, "") is None
    with pytest.raises(PasskeyRefused):
        sign_in(work, device)
    with pytest.raises(CodeRefused):
        recover_by_code(work, codes[0], VISIT)
    with pytest.raises(NoSuchMember):
        remove_member(work, OWNER, bob.member_id)


def test_a_smaller_role_ends_the_tokens_that_go_beyond_it(work):
    join(work)
    bob, _ = join(work, invite_member(work, OWNER, "Bob", Role.OPERATOR), "Bob")
    actor = actor_of(work, bob)
    create_token(work, actor, "commands", ["stations:command"])
    create_token(work, actor, "reads", ["stations:read"])
    change_role(work, OWNER, bob.member_id, Role.AUDITOR)
    assert [token.name for token in lists.list_tokens(work.sql)] == ["reads"]


def test_recovery_codes_work_once_each_however_typed(work):
    started, _ = join(work)
    actor = actor_of(work, started)
    codes = make_recovery_codes(work, actor)
    assert len(set(codes)) == 10
    typed = codes[0].upper().replace("-", " ").replace("0", "O").replace("1", "l")
    assert digest_code(typed) == digest_code(codes[0])
    came = recover_by_code(work, typed, VISIT)
    assert actor_of(work, came).proved_ms == 0
    with pytest.raises(CodeRefused):
        recover_by_code(work, codes[0], VISIT)
    assert lists.count_codes(work.sql, started.member_id) == 9
    make_recovery_codes(work, actor)
    with pytest.raises(CodeRefused):
        recover_by_code(work, codes[1], VISIT)
    for wrong in ("", "a" * 1000, "\u2603"):
        with pytest.raises(CodeRefused):
            recover_by_code(work, wrong, VISIT)


def test_sign_ins_end_by_hand_by_idleness_and_by_age(work):
    started, _ = join(work)
    actor = actor_of(work, started)
    assert actor_of(later(work, IDLE_MS - 1), started) is not None
    assert actor_of(later(work, IDLE_MS), started) is None
    day = 24 * 3600 * 1000
    for days in range(1, 30):
        touch_sign_in(later(work, days * day), started.id)
    assert actor_of(later(work, LONGEST_MS - 1), started) is not None
    assert actor_of(later(work, LONGEST_MS), started) is None
    end_sign_in(work, actor, started.id)
    assert actor_of(work, started) is None


def test_nobody_ends_anybody_else_s_sign_in(work):
    ada, _ = join(work)
    bob, _ = join(work, invite_member(work, OWNER, "Bob", Role.OWNER), "Bob")
    with pytest.raises(NoSuchMember):
        end_sign_in(work, actor_of(work, bob), ada.id)


def test_the_only_passkey_stays(work):
    started, device = join(work)
    actor = actor_of(work, started)
    (key,) = lists.list_passkeys(work.sql, started.member_id)
    with pytest.raises(LastKey):
        prove.remove_passkey(work, actor, key.id)
    begun = prove.begin_add(work, SITE, actor)
    assert [item["id"] for item in begun.options["excludeCredentials"]] == [device.register(begun.options)["id"]]
    second = SoftAuthenticator(SITE.base_url)
    answer = second.register(begun.options)
    prove.finish_add(work, SITE, actor, prove.take_ceremony(work, begun.state, prove.ADD), answer)
    prove.remove_passkey(work, actor, key.id)
    assert sign_in(work, second).member_id == started.member_id
    with pytest.raises(PasskeyRefused):
        sign_in(work, device)
