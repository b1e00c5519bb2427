"""Use case: call a directory otherwise. Rules name directories, so theirs follow; nobody's access changes."""

import hashlib
import json
from dataclasses import replace

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.mapping import RuleSet
from scim_bridge.domain.people import DirectoryState
from scim_bridge.domain.rule_files import parse_rules
from scim_bridge.errors import Conflict
from scim_bridge.identity.authority import MANAGING_DIRECTORIES, require
from scim_bridge.identity.mapping import rules_changed
from scim_bridge.identity.names import checked_name, the_directory
from scim_bridge.store import directories as store
from scim_bridge.store import rules
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.directories import Directory
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.organizations import lock_for_rules


def rename(
    database: Database, actor: Actor, organization: str, name: str, new_name: str, request_id: str | None = None
) -> Directory:
    """
    Call a directory otherwise; the name that it has already changes nothing.

    Raises Conflict for a name that another has, and for a detached one, whose name stays with its history.
    """
    checked_name("a directory", new_name)
    with database.write() as connection:
        found = the_directory(connection, organization, name)
        require(connection, actor, found.organization_id, MANAGING_DIRECTORIES)
        lock_for_rules(connection, found.organization_id, exclusive=True)
        found = store.lock_directory(connection, found.id)
        if found.name == new_name:
            return found
        if found.state is DirectoryState.DETACHED:
            raise Conflict(f"The directory {found.name} was detached and keeps its name, for its history.")
        if store.find_directory(connection, found.organization_id, new_name) is not None:
            raise Conflict(f"There is a directory {new_name} already.")
        change = new_change(found.organization_id, actor, "directory.renamed", now(), request_id)
        add_change(connection, change, new_name)
        store.rename_directory(connection, found.id, new_name)
        followed = _let_rules_follow(connection, change, found.name, new_name)
        detail = {"from": found.name, "to": new_name, "rules": followed}
        add_audit(connection, change, "directory.renamed", "directory", found.id, detail)
        return replace(found, name=new_name)


def _let_rules_follow(connection: Connection, change: Change, old: str, new: str) -> int:
    """Let rules that name the directory name it as it is called now; return how many there were."""
    present = rules.rules_in_force(connection, change.organization_id)
    parsed = parse_rules({"rules": [json.loads(each.definition) for each in present]}).rules
    followed = [replace(rule, directory=new) if rule.directory == old else rule for rule in parsed]
    moved = [
        (stored, rule)
        for stored, before, rule in zip(present, parsed, followed, strict=True)
        if before.canonical != rule.canonical
    ]
    if not moved:
        return 0
    text = RuleSet(tuple(followed)).canonical
    made = rules.insert_rule_set(connection, change, text, hashlib.sha256(text.encode()).hexdigest())
    ending = [stored for stored, _ in moved]
    starting = [replace(stored, id=new_id(), definition=rule.canonical) for stored, rule in moved]
    rules.end_rules(connection, change, (each.id for each in ending))
    rules.insert_rules(connection, change, made.id, starting)
    rules_changed(connection, change, [*ending, *starting])
    return len(moved)
