"""
An organization as one document, and what it takes to get from one to another.

A document has sections, a section has items by their keys, an item has values. A section that a document does not
have is not its business. What an earlier document brought and the next one leaves out goes; what was never in one
stays, unless `prune` names its section.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from scim_bridge.domain.audit import canonical_json

Item = Mapping[str, object]
Sections = Mapping[str, Mapping[str, Item]]

VERSION = 1


class Section(StrEnum):
    """What a document may have, in the order in which it is brought about; it is taken away in the opposite one."""

    ORGANIZATION = "organization"
    ROLES = "roles"
    UNITS = "units"
    CLUSTERS = "clusters"
    PROJECTS = "projects"
    SERVICES = "services"
    GROUPS = "groups"
    GRANTS = "grants"
    RULES = "rules"


ORDER = list(Section)


class Operation(StrEnum):
    """What happens to an item."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Document:
    """Items by section and key; ``prune`` are the sections in which nothing else may be."""

    sections: Sections = field(default_factory=dict)
    prune: frozenset[str] = frozenset()

    @property
    def canonical(self) -> str:
        """Return the document as canonical JSON: equal text, equal document."""
        return canonical_json({"version": VERSION, "sections": self.sections, "prune": sorted(self.prune)})

    @property
    def digest(self) -> str:
        """Return what tells this document from every other."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """
    One item that comes, goes or is otherwise afterwards; ``old`` and ``new`` hold what differs.

    ``whole`` is all that the document says of an item that is there afterwards.
    """

    section: str
    operation: Operation
    key: str
    old: Item | None = None
    new: Item | None = None
    whole: Item | None = None


def differences(have: Document, wanted: Document, managed: Document | None = None) -> tuple[DocumentChange, ...]:
    """
    Return what turns what is there into what is wanted, in the order in which it is done.

    ``managed`` is the document that was applied before: what it had and ``wanted`` has not is taken away.
    """
    brought: list[DocumentChange] = []
    removed: list[DocumentChange] = []
    for section in (each for each in ORDER if each in wanted.sections):
        mine, there = wanted.sections[section], have.sections.get(section, {})
        brought += [change for key in sorted(mine, key=_by_depth) for change in _brought(section, key, mine, there)]
        gone = _gone(section, wanted, have, managed)
        removed += [
            DocumentChange(section, Operation.REMOVE, key, old=there[key]) for key in sorted(gone, key=_by_depth)
        ]
    return (*brought, *reversed(removed))


def plan_hash(changes: Iterable[DocumentChange], *about: str) -> str:
    """Return what tells these changes, and what else the plan is ``about``, from all others."""
    told = [[each.section, each.operation, each.key, each.old, each.new] for each in changes]
    return hashlib.sha256(canonical_json([told, *about]).encode()).hexdigest()


def _brought(section: str, key: str, mine: Mapping[str, Item], there: Mapping[str, Item]) -> Iterable[DocumentChange]:
    if key not in there:
        yield DocumentChange(section, Operation.ADD, key, new=mine[key], whole=mine[key])
        return
    # What an item does not say is not compared; but a rule that does not say something has it no more.
    said = {**dict.fromkeys(there[key]), **mine[key]} if section == Section.RULES else mine[key]
    other = {name: value for name, value in said.items() if there[key].get(name) != value}
    if other:
        was = {name: there[key].get(name) for name in other}
        yield DocumentChange(section, Operation.CHANGE, key, old=was, new=other, whole=mine[key])


def _gone(section: str, wanted: Document, have: Document, managed: Document | None) -> set[str]:
    there = set(have.sections.get(section, ()))
    mine = set(wanted.sections[section])
    before = set() if managed is None else set(managed.sections.get(section, ()))
    # An organization itself is never taken away by a document.
    if section == Section.ORGANIZATION:
        return set()
    return there - mine if section in wanted.prune else (before & there) - mine


def _by_depth(key: str) -> tuple[int, str]:
    # What lies in another place comes after it.
    return key.count("/"), key
