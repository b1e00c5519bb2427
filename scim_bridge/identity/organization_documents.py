"""
Use cases of an organization's document: say what it would change, bring it about, and see what drifted since.

Applying is one transaction: all of it is done, or nothing. A plan is the same transaction, rolled back. What an earlier
document brought and this one leaves out is taken away; what hands made beside it stays.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.document_files import OrganizationFile
from scim_bridge.domain.organization_documents import Document, DocumentChange, Section, differences, plan_hash
from scim_bridge.domain.organizations import Scope, ScopeKind
from scim_bridge.domain.previews import Shift
from scim_bridge.errors import Invalid, NotFound, PreviewOutdated
from scim_bridge.identity.document_steps import Credentials, Steps
from scim_bridge.identity.names import the_organization
from scim_bridge.identity.organization_export import Names, read_document
from scim_bridge.identity.runtime import Runtime
from scim_bridge.identity.tree_drafts import SHORTEST_HASH, Outcome, TreePreview, measure
from scim_bridge.store import organization_documents as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.organization_documents import AppliedDocument
from scim_bridge.store.organizations import Organization, lock_for_rules
from scim_bridge.store.rehearsal import Rehearsal, rehearse
from scim_bridge.store.snapshot import read_organization


@dataclass(frozen=True, slots=True)
class DocumentPlan:
    """
    What a document changes, in the order in which it does, and what that does to people's access.

    ``hash`` is what applying it is held to. ``kept``: there is something to write down, if only the document itself.
    """

    organization: str
    changes: tuple[DocumentChange, ...]
    gains: tuple[Shift, ...]
    loses: tuple[Shift, ...]
    renamed: tuple[Shift, ...]
    unclear: tuple[str, ...]
    hash: str
    digest: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Drift:
    """
    What is otherwise than the document that was applied last says, as applying it again would mend it.

    ``is_applied`` tells whether a document that was asked about is that one; None where none was.
    """

    organization: str
    changes: tuple[DocumentChange, ...]
    digest: str
    author: str
    applied_at: datetime
    is_applied: bool | None = None


def plan(
    runtime: Runtime, actor: Actor, organization: str, file: OrganizationFile, credentials: Credentials
) -> DocumentPlan:
    """Return what a document would change; nothing is written."""
    with rehearse(runtime.database) as rehearsal:
        return _bring_about(runtime, rehearsal, actor, organization, file, credentials)


def apply(
    runtime: Runtime,
    actor: Actor,
    organization: str,
    file: OrganizationFile,
    credentials: Credentials,
    seen: str,
    request_id: str | None = None,
) -> DocumentPlan:
    """
    Make an organization what a document says, with exactly the outcome that a person has ``seen`` (a plan's hash).

    Raises PreviewOutdated when that is not what would happen now; nothing is written then. The same document again
    writes nothing.
    """
    with runtime.database.write() as connection:
        work = Rehearsal(runtime.database, connection)
        made = _bring_about(
            runtime, work, actor, organization, file, credentials, rehearsing=False, request_id=request_id
        )
        if made.changes and (len(seen) < SHORTEST_HASH or not made.hash.startswith(seen)):
            raise PreviewOutdated(
                f"That is not what would happen now: {len(made.changes)} changes, {len(made.gains)} people gain and "
                f"{len(made.loses)} lose something. The plan is {made.hash[:12]}.",
                made,
            )
        return made


def drift(database: Database, organization: str, file: OrganizationFile | None = None) -> Drift:
    """Return what is otherwise than the document says that was applied last; raises NotFound when none was."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        last = store.newest_document(connection, owner.id)
        if last is None:
            raise NotFound(f"No document was applied to {owner.slug} yet.")
        wanted = Names(connection, owner.id).resolved(_parsed(last), strict=False)
        changes = differences(read_document(connection, owner), wanted)
        is_applied = None if file is None else _wanted(connection, owner, file).digest == last.digest
        return Drift(owner.slug, changes, last.digest, last.author, last.applied_at, is_applied)


def _bring_about(
    runtime: Runtime,
    work: Rehearsal,
    actor: Actor,
    organization: str,
    file: OrganizationFile,
    credentials: Credentials,
    *,
    rehearsing: bool = True,
    request_id: str | None = None,
) -> DocumentPlan:
    with work.write() as connection:
        owner = the_organization(connection, organization)
        if file.slug not in (None, owner.slug):
            raise Invalid(f"The document is for {file.slug}, not for {owner.slug}.", field="organization.slug")
        lock_for_rules(connection, owner.id, exclusive=True)
        wanted, last = _wanted(connection, owner, file), store.newest_document(connection, owner.id)
        names = Names(connection, owner.id)
        managed = None if last is None else names.resolved(_parsed(last), strict=False)
        changes = differences(read_document(connection, owner), wanted, managed)
        kept = last is None or last.digest != wanted.digest
        at = now()
        change = new_change(owner.id, actor, "organization.applied", at, request_id)
        before = read_organization(connection, owner.id, at)
        if changes or kept:
            add_change(connection, change, f"{len(changes)} changes")
        steps = Steps(replace(runtime, database=work), actor, owner.id, credentials, rehearsing, request_id)
        steps.carry_out(changes)
        done = Outcome(Scope(ScopeKind.ORGANIZATION, owner.id), "organization", "organization")
        after = read_organization(connection, owner.id, at)
        told = measure(connection, change, (before, after), done) if changes else _nothing(owner)
        if kept:
            store.insert_document(connection, change, wanted.canonical, wanted.digest)
        if changes or kept:
            detail = {"digest": wanted.digest, "changes": [[c.operation, c.section, c.key] for c in changes]}
            add_audit(connection, change, change.kind, "organization", owner.id, detail)
        hash_ = plan_hash(changes, wanted.digest, told.hash)
        return DocumentPlan(
            owner.slug, changes, told.gains, told.loses, told.renamed, told.unclear, hash_, wanted.digest, kept
        )


def _nothing(owner: Organization) -> TreePreview:
    return TreePreview("organization.applied", owner.id, "organization", "organization", changed=False)


def _wanted(connection: Connection, owner: Organization, file: OrganizationFile) -> Document:
    found = Names(connection, owner.id).resolved(file.document, strict=True)
    sections = dict(found.sections)
    if Section.CLUSTERS in sections:
        sections[Section.CLUSTERS] = {name: _located(item) for name, item in sections[Section.CLUSTERS].items()}
    return replace(found, sections=sections)


def _located(item: Mapping[str, object]) -> Mapping[str, object]:
    # As a registered folder is kept: other processes have other working directories.
    return {**item, "manifests": str(Path(str(item["manifests"])).resolve())} if "manifests" in item else item


def _parsed(last: AppliedDocument) -> Document:
    stored = json.loads(last.document)
    return Document(stored["sections"], frozenset(stored["prune"]))
