"""People and programs: who they are, how they sign in, what they may do, and what they did.

Front door for other features: `Actor` (who asks; None for a passer-by), the guards `allow`, `require`, `require_scope`,
`require_proof`, and `record_act`, which every administrative act calls in its own transaction.
"""

from commonwatt.members.actions.change_member import change_role, remove_member
from commonwatt.members.actions.create_token import create_token, revoke_token
from commonwatt.members.actions.invite_member import Link, invite_member, make_owner_link, offer_setup
from commonwatt.members.actions.record_act import record_act
from commonwatt.members.guards import EXCEPTION_HANDLERS, allow, require, require_proof, require_scope
from commonwatt.members.identify import DEPENDENCIES, Identify, find_actor
from commonwatt.members.lists import find_members, has_owner
from commonwatt.members.model.actor import SCOPES, SYSTEM, TERMINAL, Actor, Role, mask_id_tag
from commonwatt.members.model.masks import MASK, hide_tags

__all__ = [
    "DEPENDENCIES",
    "EXCEPTION_HANDLERS",
    "MASK",
    "SCOPES",
    "SYSTEM",
    "TERMINAL",
    "Actor",
    "Identify",
    "Link",
    "Role",
    "allow",
    "change_role",
    "create_token",
    "find_actor",
    "find_members",
    "has_owner",
    "hide_tags",
    "invite_member",
    "make_owner_link",
    "mask_id_tag",
    "offer_setup",
    "record_act",
    "remove_member",
    "require",
    "require_proof",
    "require_scope",
    "revoke_token",
]
