"""
What waits for an approval, as a document that a person reads and that an approval is later held to.

An approval is a ceiling: exactly the removals that the document lists, whatever the plan is when it is carried out.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any

from scim_bridge.domain.bindings import Family, SubjectKind
from scim_bridge.domain.planning import Change, Plan, Removal, lost_of, moved
from scim_bridge.domain.roles import KubernetesRole


class PlanState(StrEnum):
    """What became of a plan that waited."""

    WAITING = "waiting"
    APPROVED = "approved"
    APPLIED = "applied"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"


class Reason(StrEnum):
    """Why a plan waits; one of a preview never does: whoever applied it had read what it takes away."""

    FIRST_CONTACT = "first_contact"
    BRAKE = "brake"
    PREVIEW = "preview"


def held_document(plan: Plan, reason: Reason) -> dict[str, Any]:
    """Return who would gain and lose what if what is held were carried out; a brake holds no gains."""
    gained = _gained(plan.held) if reason is Reason.FIRST_CONTACT else ()
    return {"gains": _by_family(gained), "loses": _by_family(lost_of(plan.held))}


def agreed_document(removals: Iterable[Removal]) -> dict[str, Any]:
    """Return the removals on one cluster that somebody agreed to by applying a preview."""
    return {"gains": [], "loses": _by_family(sorted(set(removals), key=lambda pair: (pair[0].sort_key, pair[1])))}


def plan_document(plan: Plan) -> dict[str, Any]:
    """
    Return who would gain and lose what by the whole plan, and which of the losses wait.

    ``moving`` counts those who keep what they have, and are named one by one for a group or the other way round.
    """
    changes = (*plan.changes, *plan.held)
    moving = len({subject for change in changes for subject in change.moving})
    return ({"moving": moving} if moving else {}) | {
        "gains": _by_family(_gained(changes)),
        "loses": _by_family(lost_of(plan.changes)),
        "held": held_document(plan, Reason.BRAKE)["loses"],
    }


def removals_in(document: Mapping[str, Any]) -> frozenset[Removal]:
    """Return the removals that a document lists."""
    return frozenset(
        (Family(each["namespace"], KubernetesRole(each["role"]), SubjectKind(each["kind"])), subject)
        for each in document["loses"]
        for subject in each["subjects"]
    )


def subjects_of(removals: Iterable[Removal], counts: Callable[[Removal], bool] = lambda removal: True) -> set[str]:
    """Return whom these removals concern: a subject once, in however many namespaces."""
    return {removal[1] for removal in removals if counts(removal)}


MOST_TOLD = 2000


def changed_document(gained: Iterable[Removal], lost: Iterable[Removal]) -> dict[str, Any]:
    """Return who gained and lost what by a pass, for its history; of very many only the first are told."""
    came, went = (sorted(each, key=lambda pair: (pair[0].sort_key, pair[1])) for each in (set(gained), set(lost)))
    found: dict[str, Any] = {"gains": _by_family(came[:MOST_TOLD]), "loses": _by_family(went[:MOST_TOLD])}
    more = max(0, len(came) - MOST_TOLD) + max(0, len(went) - MOST_TOLD)
    return found | ({"more": more} if more else {})


def change_message(document: Mapping[str, Any]) -> str:
    """Return what changed as the message of a commit: a sentence, then a line for each."""
    lines = [
        f"{sign} {_called(each, subject)}: {each['role']} in {each['namespace'] or 'the whole cluster'}"
        for sign, side in (("+", "gains"), ("-", "loses"))
        for each in document[side]
        for subject in each["subjects"]
    ]
    counts = {
        side: len({subject for each in document[side] for subject in each["subjects"]}) for side in ("gains", "loses")
    }
    head = f"Update access: {counts['gains']} gain, {counts['loses']} lose"
    more = [f"and {document['more']} more"] if document.get("more") else []
    return "\n".join([head, "", *lines, *more]) if lines else "Repair bindings: nobody gains or loses access"


def _called(family: Mapping[str, Any], subject: str) -> str:
    return f"group {subject}" if family["kind"] == SubjectKind.GROUP else subject


def _gained(changes: Iterable[Change]) -> tuple[Removal, ...]:
    changes = tuple(changes)
    # Who only moves to another shard of the same family, or from a group's subject to their own, gains nothing.
    had = {(c.binding.key.family, subject) for c in changes for subject in set(c.removed) - set(c.lost)}
    had |= moved(changes)
    found = {(c.binding.key.family, subject) for c in changes for subject in c.added} - had
    return tuple(sorted(found, key=lambda pair: (pair[0].sort_key, pair[1])))


def _by_family(pairs: Iterable[Removal]) -> list[dict[str, Any]]:
    families: dict[Family, list[str]] = {}
    for family, subject in pairs:
        families.setdefault(family, []).append(subject)
    return [
        {
            "namespace": family.namespace,
            "role": family.role.value,
            "kind": family.subject_kind.value,
            "subjects": subjects,
        }
        for family, subjects in families.items()
    ]
