"""Use cases of drafts: write what may become the next version of the rules, see what it does, apply it, or later."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.brakes import BrakeLimits
from scim_bridge.domain.mapping import RuleSet
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.rule_files import parse_rules, rule_name
from scim_bridge.errors import BridgeError, Conflict, Invalid, NotFound, PreviewOutdated
from scim_bridge.identity.names import the_organization
from scim_bridge.identity.rule_changes import (
    DEFAULT_LIMITS,
    MOST_TOLD,
    RulePreview,
    Wish,
    agrees,
    apply_agreed,
    carry_out,
    summary,
)
from scim_bridge.identity.rule_changes import preview as preview_wish
from scim_bridge.identity.rules import parsed
from scim_bridge.log import get_logger
from scim_bridge.store import rule_drafts as store
from scim_bridge.store import rules
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.organizations import find_organization
from scim_bridge.store.rule_drafts import Draft as Draft

NAME = "draft"
"""What a draft is called where nobody says otherwise."""
CLOCK = Actor(ActorKind.SCHEDULER, "scheduler")

log = get_logger(__name__)


def save(
    database: Database,
    actor: Actor,
    organization: str,
    document: Mapping[str, object],
    name: str = NAME,
    request_id: str | None = None,
) -> Draft:
    """Make the rules of a document a draft; one of that name is replaced, and a time that was set for it is off."""
    newer = parse_rules(document)
    return _write(database, actor, organization, name, lambda connection, organization_id: newer, request_id)


def edit(
    database: Database,
    actor: Actor,
    organization: str,
    changed: Iterable[Mapping[str, object]] = (),
    removed: Iterable[str] = (),
    name: str = NAME,
    request_id: str | None = None,
) -> Draft:
    """
    Change single rules of a draft: each row replaces the rule of its name or is added.

    A draft that is not there begins as the rules in force. Raises NotFound for a rule to remove that is not in it.
    """
    rows, leaving = list(changed), list(removed)

    def edited(connection: Connection, organization_id: OrganizationId) -> RuleSet:
        present = store.lock_draft(connection, organization_id, name)
        text = present.document if present else parsed(rules.rules_in_force(connection, organization_id)).canonical
        by_name = {row["name"]: row for row in json.loads(text)}
        missing = [each for each in leaving if each not in by_name]
        if missing:
            raise NotFound(f"There is no rule {missing[0]!r} in the draft {name!r}.")
        kept = {key: row for key, row in by_name.items() if key not in leaving}
        return parse_rules({"rules": [*(kept | _by_name(rows)).values()]})

    return _write(database, actor, organization, name, edited, request_id)


def list_all(database: Database, organization: str) -> list[Draft]:
    """Return an organization's drafts."""
    with database.read() as connection:
        return store.list_drafts(connection, the_organization(connection, organization).id)


def find(database: Database, organization: str, name: str = NAME) -> Draft:
    """Return a draft by name or id; raises NotFound."""
    found = [each for each in list_all(database, organization) if name in (each.name, each.id)]
    if not found:
        raise NotFound(f"There is no draft {name!r} in this organization.")
    return found[0]


def rules_of(draft: Draft) -> RuleSet:
    """Return the rules of a draft."""
    return parse_rules({"rules": json.loads(draft.document)})


def discard(
    database: Database, actor: Actor, organization: str, name: str = NAME, request_id: str | None = None
) -> None:
    """Throw a draft away; raises NotFound."""
    with database.write() as connection:
        owner = the_organization(connection, organization)
        found = _locked(connection, owner.id, name)
        change = new_change(owner.id, actor, "rules.draft_discarded", now(), request_id)
        add_change(connection, change, found.name)
        store.delete_draft(connection, found.id)
        _audit(connection, change, found)


def preview(
    database: Database, actor: Actor, organization: str, name: str = NAME, limits: BrakeLimits = DEFAULT_LIMITS
) -> RulePreview:
    """Return exactly what applying a draft would do; raises NotFound."""
    return preview_wish(database, actor, organization, of_draft(name), limits)


def apply(
    database: Database,
    actor: Actor,
    organization: str,
    name: str,
    seen: str,
    limits: BrakeLimits = DEFAULT_LIMITS,
    request_id: str | None = None,
) -> RulePreview:
    """Put a draft into force with exactly the outcome that was ``seen``; it is no draft then. See `apply_seen`."""
    with database.write() as connection:
        found = _locked(connection, the_organization(connection, organization).id, name)
        made = apply_agreed(connection, actor, organization, of_draft(found.id), seen, limits, request_id)
        store.delete_draft(connection, found.id)
        return made


def schedule(
    database: Database,
    actor: Actor,
    organization: str,
    name: str,
    apply_at: datetime,
    seen: str,
    request_id: str | None = None,
) -> Draft:
    """
    Have a draft applied at a moment, with the outcome that was ``seen`` now.

    Raises PreviewOutdated when it is another one already, and Invalid for a moment that has passed.
    """
    if apply_at <= now():
        raise Invalid("The time to apply a draft must lie in the future.", field="apply_at")
    made = preview(database, actor, organization, name)
    if not agrees(seen, made):
        raise PreviewOutdated(f"That is not what would happen now. {summary(made)}", made.at_most(MOST_TOLD))
    return _set_time(database, actor, organization, name, apply_at, made.hash, request_id)


def unschedule(database: Database, actor: Actor, organization: str, name: str, request_id: str | None = None) -> Draft:
    """Leave a draft a draft, whatever time was set for it."""
    return _set_time(database, actor, organization, name, None, None, request_id)


def apply_due(database: Database, limits: BrakeLimits = DEFAULT_LIMITS, at: datetime | None = None) -> int:
    """
    Apply the drafts whose time has come; return how many were applied.

    One whose outcome is not the agreed one any more is applied like a change that nobody previewed, if it reaches few
    people; else, and where the rules in force are others by now, it stays a draft that says why.
    """
    moment = at or now()
    with database.read() as connection:
        due = list(store.due_drafts(connection, moment))
    return sum(_apply_one(database, each, limits) for each in due)


def of_draft(name: str) -> Wish:
    """Wish for the rules of a draft."""

    def read(connection: Connection, organization_id: OrganizationId) -> RuleSet:
        found = store.find_draft(connection, organization_id, name)
        if found is None:
            raise NotFound(f"There is no draft {name!r} in this organization.")
        return rules_of(found)

    return read


def _apply_one(database: Database, draft: Draft, limits: BrakeLimits) -> bool:
    with database.write() as connection:
        # Another process may have been quicker.
        found = store.lock_draft(connection, draft.organization_id, draft.id)
        if found is None or found.apply_at != draft.apply_at:
            return False
        attempt = connection.begin_nested()
        try:
            _carry_out_agreed(connection, found, limits)
        except BridgeError as error:
            attempt.rollback()
            store.give_up_draft(connection, found.id, str(error))
            log.warning(f"The draft {found.name} was not applied at its time", reason=str(error))
            return False
        store.delete_draft(connection, found.id)
        attempt.commit()
        return True


def _carry_out_agreed(connection: Connection, draft: Draft, limits: BrakeLimits) -> None:
    owner = find_organization(connection, draft.organization_id)
    if owner is None:
        raise NotFound("Its organization is gone.")
    version = rules.current_rule_set(connection, owner.id)
    if (version.version if version else 0) != draft.base_version:
        raise Conflict(f"The rules in force are not those of version {draft.base_version} any more.")
    _, made = carry_out(connection, CLOCK, owner.slug, of_draft(draft.id), limits, agreed=draft.agreed_hash)
    if made.hash != draft.agreed_hash and made.waits:
        raise Conflict(f"That is not what was agreed to any more, and it reaches far. {' '.join(made.waits)}")


def _set_time(
    database: Database,
    actor: Actor,
    organization: str,
    name: str,
    apply_at: datetime | None,
    agreed: str | None,
    request_id: str | None,
) -> Draft:
    with database.write() as connection:
        owner = the_organization(connection, organization)
        found = _locked(connection, owner.id, name)
        kind = "rules.scheduled" if apply_at else "rules.unscheduled"
        change = new_change(owner.id, actor, kind, now(), request_id)
        add_change(connection, change, found.name)
        store.schedule_draft(connection, found.id, apply_at, agreed)
        _audit(connection, change, found, apply_at=apply_at.isoformat() if apply_at else None, hash=agreed)
        return _locked(connection, owner.id, found.id)


def _write(database: Database, actor: Actor, organization: str, name: str, wish: Wish, request_id: str | None) -> Draft:
    rule_name(name, "name")
    with database.write() as connection:
        owner = the_organization(connection, organization)
        newer = wish(connection, owner.id)
        version = rules.current_rule_set(connection, owner.id)
        change = new_change(owner.id, actor, "rules.drafted", now(), request_id)
        add_change(connection, change, name)
        base = version.version if version else 0
        saved = store.save_draft(connection, change, name, newer.canonical, base)
        _audit(connection, change, saved, rules=len(newer.rules))
        return saved


def _by_name(rows: Iterable[Mapping[str, object]]) -> dict[str, object]:
    # What is no table of keys, or has no name, is for the rules' reader to refuse.
    return {
        str(row.get("name")) if isinstance(row, Mapping) else f"row {number}": row for number, row in enumerate(rows)
    }


def _locked(connection: Connection, organization_id: OrganizationId, name: str) -> Draft:
    found = store.lock_draft(connection, organization_id, name)
    if found is None:
        raise NotFound(f"There is no draft {name!r} in this organization.")
    return found


def _audit(connection: Connection, change: Change, draft: Draft, **detail: object) -> None:
    add_audit(connection, change, change.kind, "rule_draft", draft.id, {"name": draft.name, **detail})
