"""Who may do what: tokens and their scopes, roles, masks, and the log of administrative acts."""

from pathlib import Path

import pytest
from tests.members.steps import actor_of, join

import commonwatt
from commonwatt.kernel import Instant
from commonwatt.kit.web import BadRequest
from commonwatt.members import (
    SCOPES,
    TERMINAL,
    Actor,
    Role,
    change_role,
    create_token,
    invite_member,
    lists,
    mask_id_tag,
    record_act,
    remove_member,
    revoke_token,
)
from commonwatt.members.errors import (
    NoSuchMember,
    NotPermitted,
    ScopeRefused,
)
from commonwatt.members.secrets import digest


def test_tokens_expire_are_revoked_and_give_no_more_than_their_maker_has(work):
    token = create_token(work, TERMINAL, "ci", ["stations:read", "stations:read"], 60)
    assert token.token.startswith("cw_")
    actor, _ = lists.find_by_token(work.sql, digest(token.token), work.now, "")
    assert actor.may("stations:read")
    assert not actor.may("stations:command")
    assert lists.find_by_token(work.sql, digest(token.token), work.now.plus(seconds=60), "") is None
    revoke_token(work, TERMINAL, token.id)
    assert lists.find_by_token(work.sql, digest(token.token), work.now, "") is None
    with pytest.raises(NoSuchMember):
        revoke_token(work, TERMINAL, token.id)
    for scopes in ([], ["stations:fly"], ["stations:read", ""]):
        with pytest.raises(ScopeRefused):
            create_token(work, TERMINAL, "x", scopes)
    operator = Actor("member/o", "Olga", Role.OPERATOR, member_id="o")
    for beyond in ("*", "members:admin"):
        with pytest.raises(ScopeRefused):
            create_token(work, operator, "x", [beyond])
    with pytest.raises(ScopeRefused):
        create_token(work, actor, "x", ["stations:write"])
    for seconds in (0, -5, 11 * 366 * 86400):
        with pytest.raises(BadRequest):
            create_token(work, TERMINAL, "x", ["*"], seconds)
    with pytest.raises(NoSuchMember):
        revoke_token(work, operator, create_token(work, TERMINAL, "y", ["*"]).id)


@pytest.mark.parametrize(
    ("actor", "scope", "allowed"),
    [
        (Actor("m", "m", Role.AUDITOR), "books:read", True),
        (Actor("m", "m", Role.AUDITOR), "stations:command", False),
        (Actor("m", "m", Role.OPERATOR), "tariffs:write", True),
        (Actor("m", "m", Role.OPERATOR), "members:admin", False),
        (Actor("m", "m", Role.OWNER), "members:admin", True),
        (Actor("t", "t", None, frozenset({"tariffs:write"})), "tariffs:read", True),
        (Actor("t", "t", None, frozenset({"tariffs:read"})), "tariffs:write", False),
        (Actor("t", "t", None, frozenset({"stations:command"})), "stations:read", False),
        (Actor("t", "t", None, frozenset({"*"})), "members:admin", True),
    ],
)
def test_who_may_do_what(actor, scope, allowed):
    assert actor.may(scope) is allowed


def test_who_may_hear_what():
    token = Actor("t", "t", None, frozenset({"sessions:read"}))
    assert token.may_hear("session/1")
    assert not token.may_hear("station/CP-1")
    assert not token.may_hear("*")
    for scopes in ({"stations:read"}, {"stations:read", "sessions:read"}, {"stations:read", "payments:read"}):
        assert not Actor("t", "t", None, frozenset(scopes)).may_hear("overview"), (
            "it tells of sessions and payments too"
        )
    seeing = frozenset({"stations:write", "sessions:read", "payments:read"})
    assert Actor("t", "t", None, seeing).may_hear("overview")
    assert Actor("m", "m", Role.AUDITOR).may_hear("station/*")
    assert not Actor("m", "m", Role.AUDITOR).may_hear("something-new")
    assert Actor("m", "m", Role.OWNER).may_hear("*")


def test_auditors_see_no_id_tags():
    auditor, operator = Actor("m", "m", Role.AUDITOR), Actor("m", "m", Role.OPERATOR)
    assert mask_id_tag(operator, "04A2B3C4") == "04A2B3C4"
    assert mask_id_tag(auditor, "04A2B3C4") == "\u2022\u2022\u2022\u2022C4"
    assert mask_id_tag(None, "04A2") == "\u2022\u2022\u2022\u2022"


def test_every_administrative_act_is_written_down(work):
    ada, _ = join(work)
    actor = actor_of(work, ada)
    link = invite_member(work, actor, "Bob", Role.AUDITOR)
    bob, _ = join(work, link, "Bob")
    change_role(work, actor, bob.member_id, Role.OPERATOR)
    remove_member(work, actor, bob.member_id)
    acts = lists.list_acts(work.sql, lists.Paging(10))
    assert [act.act for act in acts] == ["remove member", "change role", "join", "invite member", "join"]
    assert acts[1].detail == {"from": "auditor", "name": "Bob", "to": "operator"}
    assert (acts[0].actor_name, acts[0].address, acts[0].at) == ("Ada", "192.0.2.1", Instant(work.now.ms))
    assert [act.act for act in lists.list_acts(work.sql, lists.Paging(10), search="ROLE")] == ["change role"]
    assert lists.list_acts(work.sql, lists.Paging(10), search="%") == []


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome, Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari/605.1.15", "Safari, macOS"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", ""),
    ],
)
def test_browsers_are_named_for_people(agent, name):
    assert lists.browser_name(agent) == name


def by_token(work, actor, *scopes) -> Actor:
    """Make a token in an actor's name, and return who comes with it."""
    made = create_token(work, actor, "program", scopes)
    return lists.find_by_token(work.sql, digest(made.token), work.now, "")[0]


def owners(work):
    """Ada and Bob, both owners."""
    ada, _ = join(work)
    ada_acts = actor_of(work, ada)
    bob, _ = join(work, invite_member(work, ada_acts, "Bob", Role.OWNER), "Bob")
    return ada_acts, actor_of(work, bob)


def still_open(work):
    return [one.name for one in lists.list_invitations(work.sql, work.now)]


def test_who_is_removed_leaves_no_door_open(work):
    ada, bob = owners(work)
    first = by_token(work, bob, "*")
    second = by_token(work, first, "*")
    invite_member(work, bob, "by Bob", Role.OWNER)
    invite_member(work, second, "by a token of a token", Role.AUDITOR)
    invite_member(work, ada, "by Ada", Role.OWNER)
    mine = by_token(work, ada, "*")
    remove_member(work, ada, bob.member_id)
    assert still_open(work) == ["by Ada"]
    assert [token.id for token in lists.list_tokens(work.sql)] == [mine.token_id]
    ended = [act.detail for act in lists.list_acts(work.sql, lists.Paging(50), search="withdraw")]
    assert {one["because"] for one in ended} == {"its maker changed"}
    assert len(ended) == 2


def test_who_is_demoted_keeps_only_what_the_new_role_could_give(work):
    ada, bob = owners(work)
    wide, narrow = by_token(work, bob, "*"), by_token(work, bob, "stations:read")
    through = by_token(work, wide, "members:admin", "stations:read")
    under = by_token(work, wide, "books:read")
    for role in Role:
        invite_member(work, wide, f"new {role}", role)
    change_role(work, ada, bob.member_id, Role.AUDITOR)
    assert still_open(work) == ["new auditor"]
    left = {token.id for token in lists.list_tokens(work.sql)}
    assert left == {narrow.token_id, under.token_id}
    assert through.token_id not in left


def test_every_scope_opens_a_door():
    source = Path(commonwatt.__file__).parent
    guarding = "\n".join(path.read_text() for path in source.rglob("*.py") if path.name != "actor.py")
    assert [scope for scope in SCOPES if f'"{scope}"' not in guarding] == []


def test_nobody_gives_more_than_it_may_do_itself(work):
    ada, bob = owners(work)
    admin = by_token(work, ada, "members:admin")
    reader = by_token(work, ada, "members:admin", *(scope for scope in SCOPES if scope.endswith(":read")))
    for role in Role:
        with pytest.raises(NotPermitted):
            invite_member(work, admin, "Eve", role)
    with pytest.raises(NotPermitted):
        change_role(work, admin, bob.member_id, Role.OWNER)
    invite_member(work, reader, "Eve", Role.AUDITOR)
    for role in (Role.OPERATOR, Role.OWNER):
        with pytest.raises(NotPermitted):
            invite_member(work, reader, "Eve", role)
    invite_member(work, by_token(work, ada, *SCOPES), "Olga", Role.OPERATOR)
    with pytest.raises(NotPermitted):
        invite_member(work, by_token(work, ada, *SCOPES), "Eve", Role.OWNER)
    invite_member(work, by_token(work, ada, "*"), "Eve", Role.OWNER)


def test_who_may_not_see_id_tags_neither_reads_nor_finds_them_in_the_log(work):
    record_act(work, TERMINAL, "add tag", "tag/04A2B3C4", {"holder": "Ada", "id_tag": "04A2B3C4"})
    record_act(work, TERMINAL, "send X", "station/CP-1", {"payload": {"list": [{"idTag": "04A2B3C4"}]}})

    def found(**wanted):
        return lists.list_acts(work.sql, lists.Paging(10), **wanted)

    assert "04A2B3C4" not in str(found(masked=True))
    assert found(masked=True)[1].subject == "tag/\u2022\u2022\u2022\u2022C4"
    assert found(masked=True, search="04A2") == []
    assert found(masked=True, subject="tag/04A2B3C4") == []
    assert [act.act for act in found(masked=True, search="ADD TAG")] == ["add tag"]
    assert [act.act for act in found(masked=True, search="cp-1")] == ["send X"]
    assert [act.subject for act in found(search="04a2")] == ["tag/04A2B3C4"]


def test_auditors_hear_of_prices_and_of_acts_but_not_about_what(work):
    auditor = Actor("m", "m", Role.AUDITOR)
    assert all(auditor.may_hear(topic) for topic in ("overview", "tariffs", "rates", "audit"))
    record_act(work, TERMINAL, "add tag", "tag/04A2B3C4", {"holder": "Ada"})
    assert "04A2B3C4" not in str(work.notes)
