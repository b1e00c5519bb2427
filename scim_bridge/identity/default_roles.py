"""
Use cases of default roles: what people get whom a directory provisions and no rule maps. Off unless somebody says so.

Switching one on or off is a change like that of rules: seen first, and then exactly that.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.blast_radius import reasons_to_wait
from scim_bridge.domain.brakes import BrakeLimits
from scim_bridge.domain.default_roles import DefaultRole
from scim_bridge.domain.effects import Effects
from scim_bridge.errors import PreviewOutdated, Refused
from scim_bridge.identity.authority import require_grantable
from scim_bridge.identity.comparing import agree, look_before
from scim_bridge.identity.names import the_directory, the_organization
from scim_bridge.identity.rule_changes import DEFAULT_LIMITS, SHORTEST_HASH
from scim_bridge.identity.rules import WRITING
from scim_bridge.store import default_roles as store
from scim_bridge.store import directories
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.members import count_active
from scim_bridge.store.organizations import lock_for_rules
from scim_bridge.store.rehearsal import rehearse
from scim_bridge.store.tree import read_tree


@dataclass(frozen=True, slots=True)
class DefaultView:
    """What the unmapped people of a directory get; ``directory`` None is said for all that say nothing themselves."""

    directory: str | None
    api_role: str | None
    kubernetes_role: str | None


@dataclass(frozen=True, slots=True)
class DefaultWanted:
    """A default to set; ``role`` None says nothing any more, an empty one explicitly nothing."""

    role: DefaultRole | None
    directory: str | None = None


@dataclass(frozen=True, slots=True)
class DefaultPreview:
    """Exactly what setting a default does; ``hash`` is what doing it is held to."""

    effects: Effects
    waits: tuple[str, ...]
    hash: str


def list_all(database: Database, organization: str) -> list[DefaultView]:
    """Return the defaults that are set, the organization's first."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        stored = store.stored_defaults(connection, owner.id)
        names = {each.id: each.name for each in directories.list_directories(connection, owner.id)}
        found = [_view(None, stored, owner.id)] if owner.id in stored else []
        return found + [_view(name, stored, id_) for id_, name in names.items() if id_ in stored]


def preview(
    database: Database, actor: Actor, organization: str, wanted: DefaultWanted, limits: BrakeLimits = DEFAULT_LIMITS
) -> DefaultPreview:
    """Return exactly who would gain and lose what by a default; nothing is written."""
    with rehearse(database) as rehearsal, rehearsal.write() as connection:
        return _carry_out(connection, actor, organization, wanted, limits)


def set_default(
    database: Database,
    actor: Actor,
    organization: str,
    wanted: DefaultWanted,
    seen: str | None = None,
    limits: BrakeLimits = DEFAULT_LIMITS,
    request_id: str | None = None,
) -> DefaultPreview:
    """
    Set a default, with exactly the outcome that somebody has ``seen`` where it is named.

    Raises PreviewOutdated when the outcome is another one, and Refused for one that reaches far and nobody has seen.
    """
    with database.write() as connection:
        made = _carry_out(connection, actor, organization, wanted, limits, seen, request_id)
        if seen is None and made.waits:
            raise Refused(f"{' '.join(made.waits)} Read the preview and name it: {made.hash[:12]}.")
        if seen is not None and not _agrees(seen, made.hash):
            raise PreviewOutdated(f"That is not what would happen now: look again, at {made.hash[:12]}.", made)
        return made


def _agrees(seen: str, hash_: str) -> bool:
    return len(seen) >= SHORTEST_HASH and hash_.startswith(seen)


def _carry_out(
    connection: Connection,
    actor: Actor,
    organization: str,
    wanted: DefaultWanted,
    limits: BrakeLimits,
    seen: str | None = None,
    request_id: str | None = None,
) -> DefaultPreview:
    owner = the_organization(connection, organization)
    lock_for_rules(connection, owner.id, exclusive=True)
    of = the_directory(connection, organization, wanted.directory) if wanted.directory else None
    present = store.stored_defaults(connection, owner.id).get(of.id if of else owner.id)
    tree = read_tree(connection, owner.id)
    given = [(tree.root, each.api_role, each.kubernetes_role) for each in (present, wanted.role) if each]
    require_grantable(connection, actor, owner.id, given, asking=WRITING)
    text = wanted.role.text if wanted.role else ""
    change = new_change(owner.id, actor, "default_role.set", now(), request_id)
    # Whom no rule maps is known only once everybody has been looked at.
    before = look_before(connection, owner.id, None, (), change.at)
    if present != wanted.role:
        add_change(connection, change, of.name if of else owner.slug)
        store.set_default(connection, change, of.id if of else None, wanted.role)
        noun, object_id = ("directory", of.id) if of else ("organization", owner.id)
        detail = {"from": present.text if present else None, "to": text or None}
        add_audit(connection, change, "default_role.set", noun, object_id, detail)
    told = before.effects(connection)
    hash_ = told.digest("default_role", of.id if of else owner.id, text)
    if seen is not None and _agrees(seen, hash_) and present != wanted.role:
        agree(connection, change, before, told, hash_)
    return DefaultPreview(told, reasons_to_wait(told, count_active(connection, owner.id), limits), hash_)


def _view(name: str | None, stored: Mapping[str, DefaultRole], object_id: str) -> DefaultView:
    role = stored[object_id]
    return DefaultView(name, role.api_role, role.kubernetes_role.value if role.kubernetes_role else None)
