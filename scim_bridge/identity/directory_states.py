"""
Use cases of a directory as a whole: activate, pause, resume, detach and purge it.

What may change somebody's access is carried out in a transaction, compared with what was before, and then kept or
undone. So a preview is never an estimate: it is the thing itself, rolled back.
"""

from dataclasses import dataclass

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.directory_states import PREVIEWED, Step, state_after
from scim_bridge.domain.people import DirectoryState
from scim_bridge.domain.previews import Difference, Shift, difference
from scim_bridge.errors import Invalid, PreviewOutdated
from scim_bridge.identity.authority import MANAGING_DIRECTORIES, require
from scim_bridge.identity.directory_purge import purge_contents
from scim_bridge.identity.directory_tokens import end
from scim_bridge.identity.names import scope_text, the_directory
from scim_bridge.store import directories as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.directories import Directory
from scim_bridge.store.organizations import lock_for_rules
from scim_bridge.store.rehearsal import rehearse
from scim_bridge.store.removals import request_removals
from scim_bridge.store.snapshot import read_organization

DONE = {
    Step.ACTIVATE: "activated",
    Step.PAUSE: "paused",
    Step.RESUME: "resumed",
    Step.DETACH: "detached",
    Step.PURGE: "purged",
}
SHOWN_IN_A_SENTENCE = 5
SHORTEST_HASH = 8


@dataclass(frozen=True, slots=True)
class Preview:
    """Exactly what a step would do to people's access; ``hash`` is what carrying it out is held to."""

    directory: str
    step: Step
    state: DirectoryState
    users: int
    groups: int
    gains: tuple[Shift, ...]
    loses: tuple[Shift, ...]
    unclear: tuple[str, ...]
    hash: str


def preview(database: Database, actor: Actor, organization: str, name: str, step: Step) -> Preview:
    """Return who would gain and lose what; nothing is written. Raises Conflict where the step is not possible."""
    _require_previewed(step)
    with rehearse(database) as rehearsal, rehearsal.write() as connection:
        return _carry_out(connection, actor, organization, name, step)


def carry_out(
    database: Database,
    actor: Actor,
    organization: str,
    name: str,
    step: Step,
    seen: str,
    request_id: str | None = None,
) -> Preview:
    """
    Activate, detach or purge a directory, with exactly the outcome that a person has ``seen`` (a preview's hash).

    Raises PreviewOutdated, with what it would be now, when that has changed; nothing is written then.
    """
    _require_previewed(step)
    with database.write() as connection:
        made = _carry_out(connection, actor, organization, name, step, request_id)
        if len(seen) < SHORTEST_HASH or not made.hash.startswith(seen):
            raise PreviewOutdated(f"That is not what would happen now. {_summary(made)}", made)
        return made


def pause(database: Database, actor: Actor, organization: str, name: str, request_id: str | None = None) -> Directory:
    """Take in nothing more from a directory, and leave access as it is; one that is paused stays so."""
    return _switch(database, actor, organization, name, Step.PAUSE, request_id)


def resume(database: Database, actor: Actor, organization: str, name: str, request_id: str | None = None) -> Directory:
    """Take in again what a paused directory sends; one that is active stays so."""
    return _switch(database, actor, organization, name, Step.RESUME, request_id)


def _switch(
    database: Database, actor: Actor, organization: str, name: str, step: Step, request_id: str | None
) -> Directory:
    with database.write() as connection:
        named = the_directory(connection, organization, name)
        require(connection, actor, named.organization_id, MANAGING_DIRECTORIES)
        found = store.lock_directory(connection, named.id)
        target = DirectoryState.PAUSED if step is Step.PAUSE else DirectoryState.ACTIVE
        if found.state is not target:
            _enter(connection, _begin(connection, actor, found, step, request_id), found, step)
        return store.lock_directory(connection, found.id)


def _require_previewed(step: Step) -> None:
    if step not in PREVIEWED:
        raise Invalid(f"{step.value} changes nobody's access: there is nothing to preview.", field="step")


def _carry_out(
    connection: Connection, actor: Actor, organization: str, name: str, step: Step, request_id: str | None = None
) -> Preview:
    found = the_directory(connection, organization, name)
    require(connection, actor, found.organization_id, MANAGING_DIRECTORIES)
    # Nobody's groups change between the two looks.
    lock_for_rules(connection, found.organization_id, exclusive=True)
    found = store.lock_directory(connection, found.id)
    state_after(step, found.name, found.state)
    at = now()
    users, groups = store.count_brought(connection, found.id)
    before = read_organization(connection, found.organization_id, at)
    change = _begin(connection, actor, found, step, request_id)
    _enter(connection, change, found, step)
    after = read_organization(connection, found.organization_id, at)
    told = difference(before, after, lambda scope: scope_text(before.tree, scope))
    if step is not Step.PURGE:
        # Whoever agreed to this agreed to the losses in it: no brake holds them up again.
        request_removals(connection, change, [each.member_id for each in told.losses], "membership")
    return _preview(found, step, users, groups, told)


def _begin(connection: Connection, actor: Actor, found: Directory, step: Step, request_id: str | None) -> Change:
    change = new_change(found.organization_id, actor, f"directory.{DONE[step]}", now(), request_id)
    add_change(connection, change, found.name)
    return change


def _enter(connection: Connection, change: Change, found: Directory, step: Step) -> None:
    target = state_after(step, found.name, found.state)
    detail: dict[str, object] = {"name": found.name, "from": found.state.value, "to": target.value}
    if target is DirectoryState.DETACHED:
        for token in store.list_tokens(connection, found.id):
            if token.revoked_at is None:
                end(connection, change, token)
    if step is Step.PURGE:
        users, groups = purge_contents(connection, change, found)
        detail |= {"users": users, "groups": groups}
    if target is not found.state:
        store.set_state(connection, change, found.id, target)
    add_audit(connection, change, change.kind, "directory", found.id, detail)


def _preview(found: Directory, step: Step, users: int, groups: int, told: Difference) -> Preview:
    hash_ = told.digest(step.value, found.id, found.state.value)
    return Preview(found.name, step, found.state, users, groups, told.gains, told.losses, told.unclear, hash_)


def _summary(made: Preview) -> str:
    parts = []
    for verb, shifts in (("gain", made.gains), ("lose", made.loses)):
        named = "; ".join(f"{each.person} ({', '.join(each.what)})" for each in shifts[:SHOWN_IN_A_SENTENCE])
        more = f" and {len(shifts) - SHOWN_IN_A_SENTENCE} more" if len(shifts) > SHOWN_IN_A_SENTENCE else ""
        parts.append(f"{len(shifts)} people would {verb} something{f': {named}{more}' if shifts else ''}.")
    return f"{' '.join(parts)} Read it with `scim-bridge directory preview {made.directory}`: {made.hash[:12]}."
