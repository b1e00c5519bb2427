"""Whether a person whom a directory brings may be taken for one who is here already."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from scim_bridge.domain.keys import fold
from scim_bridge.domain.people import DirectoryState, MemberId, MemberState
from scim_bridge.domain.roles import ApiRole
from scim_bridge.errors import Invalid

PRIVILEGED = frozenset({ApiRole.OWNER.value, ApiRole.ADMIN.value})
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
LONGEST_DOMAIN = 253


@dataclass(frozen=True, slots=True)
class Candidate:
    """
    A person who is here without the directory, and may be the one that it brings.

    ``matched`` are the names, in the form in which they are compared, that both have.
    """

    member_id: MemberId
    state: MemberState
    matched: frozenset[str]
    api_roles: frozenset[str] = frozenset()


def objection(
    candidates: Collection[Candidate], domains: Collection[str], directory: DirectoryState, *, active: bool
) -> str | None:
    """
    Return why nobody is adopted without an admin's word, or None if the only candidate is.

    Whoever may write e-mail addresses at an identity provider must not become somebody by writing theirs: the address
    has to lie in a domain of the organization, and no right that could do harm may come with it.
    """
    if len(candidates) > 1:
        return "several people here could be meant"
    [candidate] = candidates
    if not any(domain_of(name) in domains for name in candidate.matched):
        return "the address is in no domain of this organization"
    if candidate.api_roles & PRIVILEGED:
        return "owners and admins are only ever claimed"
    if candidate.state is MemberState.DEACTIVATED:
        return "the person here is deactivated"
    if directory is DirectoryState.PENDING:
        return "the directory is pending"
    return None if active else "the directory says that the person is not active"


def domain_of(name: str) -> str:
    """Return the domain of an e-mail address or of a userName that looks like one; "" for none."""
    return name.rpartition("@")[2] if "@" in name else ""


def checked_domain(text: str) -> str:
    """Return a domain in the form in which domains are compared, or raise Invalid for what is none."""
    domain = fold(text.strip().rstrip("."))
    labels = domain.split(".")
    if len(labels) < 2 or len(domain) > LONGEST_DOMAIN or not all(map(LABEL.fullmatch, labels)):
        raise Invalid(f"{text!r} is no domain: write acme.example (xn--… for other letters).", field="domain")
    return domain
