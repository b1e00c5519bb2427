"""
A failed request once more: whether it may be repeated, in whose name, and what came of it.

The directory asks again, and the person who lets it is the actor: that is what the audit will say.
"""

from dataclasses import dataclass
from typing import Any

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.people import DirectoryState
from scim_bridge.errors import Conflict, NotFound, Refused
from scim_bridge.identity.authority import MANAGING_DIRECTORIES, require
from scim_bridge.identity.callers import Caller
from scim_bridge.identity.names import the_directory
from scim_bridge.identity.provisioning_log import AuditRow, LoggedRequest, changes_of
from scim_bridge.log import MASK
from scim_bridge.store import log_reading
from scim_bridge.store.database import Database
from scim_bridge.store.rehearsal import rehearse as rehearse

WITH_A_BODY = ("POST", "PUT", "PATCH")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that may be repeated; ``later_changes`` counts who changed the same object since it failed."""

    entry: LoggedRequest
    caller: Caller
    later_changes: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What the door answered; ``document`` is empty where it says nothing."""

    status: int
    document: dict[str, Any]
    request_id: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of a request when it was repeated, or what would."""

    entry: LoggedRequest
    status: int
    document: dict[str, Any]
    request_id: str
    changes: tuple[AuditRow, ...]
    later_changes: int


def prepare(database: Database, actor: Actor, organization: str, directory: str, named: str) -> Asked:
    """
    Return a request as it is to be repeated.

    Raises NotFound, and Refused with the reason for one that cannot be: it succeeded, its sender had no credential, or
    the log does not have all of it.
    """
    with database.read() as connection:
        found = the_directory(connection, organization, directory)
        require(connection, actor, found.organization_id, MANAGING_DIRECTORIES)
        entry = log_reading.get_entry(connection, found.id, named)
        if entry is None:
            raise NotFound(f"There is no request {named!r} in the log of the directory {found.name}.")
        _require_replayable(entry)
        if found.state in (DirectoryState.PAUSED, DirectoryState.DETACHED):
            raise Refused(f"The directory {found.name} is {found.state.value}: nothing may come in from it.")
        later = log_reading.count_later_changes(connection, found.id, entry) if entry.object_id else 0
        caller = Caller(
            found.organization_id, found.id, found.name, found.kind, token_id=None, use_due=False, replayed_by=actor
        )
        return Asked(entry, caller, later)


def require_newest(asked: Asked, *, over_newer: bool) -> None:
    """Raise Conflict when somebody changed the object since: what was right then may undo what is right now."""
    if asked.later_changes and not over_newer:
        raise Conflict(
            f"The {asked.entry.noun} {asked.entry.object_id} was changed {asked.later_changes} times since this "
            "request failed. Look at the dry run; --over-newer repeats it nevertheless."
        )


def report(database: Database, asked: Asked, answer: Answer) -> Replayed:
    """Return what came of a request, with what it changed; ``database`` is the rehearsal if it was one."""
    with database.read() as connection:
        written = log_reading.get_entry(connection, asked.caller.directory_id, answer.request_id)
        changes = changes_of(connection, asked.caller.organization_id, written) if written else ()
    return Replayed(asked.entry, answer.status, answer.document, answer.request_id, changes, asked.later_changes)


def _require_replayable(entry: LoggedRequest) -> None:
    if entry.status < 400:
        raise Refused(f"This request was answered {entry.status}: only one that failed can be replayed.")
    if entry.status == 401:
        raise Refused("This request came with a token that had ended: who sent it is not known.")
    if MASK in entry.target or MASK in (entry.body or ""):
        raise Refused("This request held a password or a token, which is not kept: let its sender repeat it.")
    if entry.body is None and entry.method in WITH_A_BODY:
        raise Refused(
            "The body of this request was not kept: it was not read, could not be read, or is larger than "
            "log_body_bytes. Let its sender repeat it."
        )
