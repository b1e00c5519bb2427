"""
Use cases of changing a rule set: see exactly what it does, and do that or nothing.

A change is carried out in a transaction, compared with what was before, and then kept or undone. So a preview is never
an estimate: it is the thing itself, rolled back.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.blast_radius import reasons_to_wait
from scim_bridge.domain.brakes import BrakeLimits
from scim_bridge.domain.effects import Effects
from scim_bridge.domain.mapping import RuleChanges, RuleSet
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import GroupId, MemberId
from scim_bridge.domain.rule_files import parse_rules
from scim_bridge.errors import PreviewOutdated
from scim_bridge.identity.comparing import agree, look_before
from scim_bridge.identity.mapping import UnmappedGroup
from scim_bridge.identity.names import the_organization
from scim_bridge.identity.rules import Prepared, prepare, put_into_force, require_writable
from scim_bridge.store import rule_drafts
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.members import count_active
from scim_bridge.store.memberships import people_below
from scim_bridge.store.organizations import lock_for_rules
from scim_bridge.store.rehearsal import rehearse

HELD = "held"
"""The draft that a change becomes which reaches too far to be applied unseen."""
SHORTEST_HASH = 8
SHOWN_IN_A_SENTENCE = 5
MOST_TOLD = 1000
DEFAULT_LIMITS = BrakeLimits()

Wish = Callable[[Connection, OrganizationId], RuleSet]
"""Returns the rules that somebody wants, of an organization's id: they may depend on what is in force."""


@dataclass(frozen=True, slots=True)
class RulePreview:
    """
    Exactly what a rule set does; ``hash`` is what applying it is held to.

    ``base_version`` is the version in force, 0 before the first; ``version`` the one that it makes, the same where
    nothing changes. ``people`` counts whose access changes. ``waits`` says why it should not be applied unseen.
    ``unmapped`` are whom changed rules match and can give nothing to.
    """

    base_version: int
    version: int
    rules: RuleChanges
    people: int
    effects: Effects
    unmapped: tuple[UnmappedGroup, ...]
    waits: tuple[str, ...]
    hash: str

    @property
    def is_empty(self) -> bool:
        """Tell whether the rules are so already."""
        return self.rules.is_empty

    def at_most(self, number: int) -> "RulePreview":
        """Return it with no more than so many of each kind of thing, for an answer that nobody could read whole."""
        return replace(self, effects=self.effects.at_most(number))


@dataclass(frozen=True, slots=True)
class RuleChange:
    """What became of a change that nobody previewed: applied, or waiting as a draft."""

    preview: RulePreview
    applied: bool
    draft: str | None = None


def preview(
    database: Database, actor: Actor, organization: str, wish: Wish, limits: BrakeLimits = DEFAULT_LIMITS
) -> RulePreview:
    """Return what a rule set would do; nothing is written. Raises Invalid, with the place, for one that cannot be."""
    with rehearse(database) as rehearsal, rehearsal.write() as connection:
        return carry_out(connection, actor, organization, wish, limits)[1]


def apply_seen(
    database: Database,
    actor: Actor,
    organization: str,
    wish: Wish,
    seen: str,
    limits: BrakeLimits = DEFAULT_LIMITS,
    request_id: str | None = None,
) -> RulePreview:
    """
    Put a rule set into force, with exactly the outcome that somebody has ``seen`` (a preview's hash).

    Clusters take away what it listed without asking again. Raises PreviewOutdated, with what it would be now, when
    that has changed; nothing is written then.
    """
    with database.write() as connection:
        return apply_agreed(connection, actor, organization, wish, seen, limits, request_id)


def apply_unseen(
    database: Database,
    actor: Actor,
    organization: str,
    wish: Wish,
    limits: BrakeLimits = DEFAULT_LIMITS,
    request_id: str | None = None,
) -> RuleChange:
    """
    Put a rule set into force that nobody previewed, unless it reaches too far: then it waits as a draft.

    What its rules no longer give is an inferred removal: the brakes of the clusters count it.
    """
    with database.write() as connection:
        attempt = connection.begin_nested()
        _, made = carry_out(connection, actor, organization, wish, limits, request_id)
        if not made.waits:
            attempt.commit()
            return RuleChange(made, applied=True)
        attempt.rollback()
        owner = the_organization(connection, organization)
        change = new_change(owner.id, actor, "rules.held", now(), request_id)
        add_change(connection, change, " ".join(made.waits))
        text = wish(connection, owner.id).canonical
        draft = rule_drafts.save_draft(connection, change, HELD, text, made.base_version, " ".join(made.waits))
        add_audit(connection, change, "rules.held", "rule_draft", draft.id, {"waits": made.waits, "hash": made.hash})
        return RuleChange(made, applied=False, draft=draft.name)


def apply_agreed(
    connection: Connection,
    actor: Actor,
    organization: str,
    wish: Wish,
    seen: str,
    limits: BrakeLimits = DEFAULT_LIMITS,
    request_id: str | None = None,
) -> RulePreview:
    """Do what `apply_seen` does, in a transaction that is open already."""
    change, made = carry_out(connection, actor, organization, wish, limits, request_id, agreed=seen)
    if not agrees(seen, made):
        raise PreviewOutdated(f"That is not what would happen now. {summary(made)}", made.at_most(MOST_TOLD))
    if made.is_empty:
        return made
    detail = {"version": made.version, "hash": made.hash, "people": len(made.effects.people)}
    add_audit(connection, change, "rules.agreed", "organization", change.organization_id, detail)
    return made


def agrees(seen: str, made: RulePreview) -> bool:
    """Tell whether what somebody has seen, a hash or the beginning of one, is what happens."""
    return len(seen) >= SHORTEST_HASH and made.hash.startswith(seen)


def carry_out(
    connection: Connection,
    actor: Actor,
    organization: str,
    wish: Wish,
    limits: BrakeLimits,
    request_id: str | None = None,
    agreed: str | None = None,
) -> tuple[Change, RulePreview]:
    """Put a rule set into force and return what that did; the caller keeps it or rolls it back."""
    owner = the_organization(connection, organization)
    # Nobody's groups and rules change between the two looks.
    lock_for_rules(connection, owner.id, exclusive=True)
    prepared = prepare(connection, owner.id, wish(connection, owner.id))
    require_writable(connection, actor, owner.id, prepared)
    change = new_change(owner.id, actor, "rules.applied", now(), request_id)
    people, groups = _concerned(connection, prepared)
    before = look_before(connection, owner.id, people, groups, change.at)
    done = put_into_force(connection, change, prepared)
    told = before.effects(connection)
    waits = reasons_to_wait(told, count_active(connection, owner.id), limits)
    base = prepared.version.version if prepared.version else 0
    hash_ = told.digest(f"{base}", prepared.newer.canonical)
    rules, touched = prepared.diff.document, len(told.people)
    made = RulePreview(base, done.version, rules, touched, told, prepared.unmapped, waits, hash_)
    if agreed is not None and agrees(agreed, made) and not made.is_empty:
        agree(connection, change, before, told, hash_)
    return change, made


def summary(made: RulePreview) -> str:
    """Return in a few sentences who gains and loses what."""
    parts = []
    for verb, side in (("gain", made.effects.gains), ("lose", made.effects.losses)):
        people = side.by_person
        some = list(people.items())[:SHOWN_IN_A_SENTENCE]
        named = "; ".join(f"{person} ({', '.join(what)})" for person, what in some)
        more = f" and {len(people) - len(some)} more" if len(people) > len(some) else ""
        parts.append(f"{len(people)} people would {verb} something{f': {named}{more}' if people else ''}.")
    return f"{' '.join(parts)} Its hash is {made.hash[:12]}."


def of_document(document: Mapping[str, object]) -> Wish:
    """Wish for the rules of a document; raises Invalid, with the place, for one that cannot be read."""
    newer = parse_rules(document)
    return lambda connection, organization_id: newer


def _concerned(connection: Connection, prepared: Prepared) -> tuple[set[MemberId], set[GroupId]]:
    """Return whom the rules that start or end give something to, themselves or by a group, and those groups."""
    keys = [key for key, _ in prepared.wanted] + [origin.key for origin in prepared.held]
    groups = {key.group_id for key in keys if key.group_id is not None}
    people = {key.member_id for key in keys if key.member_id is not None}
    return (people | people_below(connection, sorted(groups)) if groups else people), groups
