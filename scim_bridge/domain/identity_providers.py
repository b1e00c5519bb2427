"""An organization's identity providers for signing in: what is declared of one, and what its claims mean here."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryId, DirectoryKind
from scim_bridge.errors import Invalid

SUBJECT_ATTRIBUTES = ("externalId", "userName", "id")
GROUP_ATTRIBUTES = ("displayName", "externalId", "id")
# Whoever may write an address somewhere could become somebody else here.
NEVER_A_SUBJECT = ("email", "emails", "mail", "upn", "unique_name", "name", "nickname")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
CLAIM = re.compile(r"[A-Za-z0-9_.:/-]{1,63}")
SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,128}")
LONGEST_SUBJECT = 1024
MOST_GROUPS = 2000


class GroupSync(StrEnum):
    """What the groups in a sign-in's claims do to memberships of origin login."""

    OFF = "off"
    ADD_ONLY = "add-only"
    AUTHORITATIVE = "authoritative"


class JoinAtLogin(StrEnum):
    """What happens with somebody whom the directory has not brought: refused, waits for an admin, or a member."""

    OFF = "off"
    PENDING = "pending"
    ALLOWED = "allowed"


# What each product puts where: (claim, SCIM attribute) of the person, and of a group.
SUBJECTS = {
    DirectoryKind.OKTA: ("sub", "externalId"),
    DirectoryKind.ENTRA: ("oid", "externalId"),
}
GROUPS = {
    DirectoryKind.OKTA: ("groups", "displayName"),
    DirectoryKind.ENTRA: ("groups", "externalId"),
}


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """One identity provider of one organization, without its secret."""

    id: str
    organization_id: OrganizationId
    directory_id: DirectoryId
    name: str
    issuer: str
    client_id: str
    scopes: tuple[str, ...]
    domains: tuple[str, ...]
    subject_claim: str
    subject_attribute: str
    groups_claim: str
    groups_attribute: str
    group_sync: GroupSync
    join_at_login: JoinAtLogin
    created_at: datetime
    tested_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class IdentityProviderWanted:
    """A new identity provider as an admin describes it; None is what suits the directory's kind."""

    name: str
    directory: str
    issuer: str
    client_id: str
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    domains: tuple[str, ...] = ()
    subject_claim: str | None = None
    subject_attribute: str | None = None
    groups_claim: str | None = None
    groups_attribute: str | None = None
    group_sync: str = GroupSync.OFF.value
    join_at_login: str = JoinAtLogin.OFF.value


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom an identity provider vouches for, read from a verified ID token and nothing else."""

    subject: str
    """The value of the declared claim."""
    provider_subject: str
    """The token's ``sub``."""
    provider_session: str | None
    email: str | None
    display_name: str | None
    groups: tuple[str, ...] | None
    """None: the sign-in did not say; an empty tuple: in none."""
    overage: bool = False
    """There are groups, too many for the token: what is stored stays."""


def checked_issuer(text: str) -> str:
    """Return an issuer as it is compared: exactly as written. Raises Invalid for what is none, or not encrypted."""
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if (
        parts.scheme not in ("https", "http")
        or not host
        or parts.query
        or parts.fragment
        or parts.username
        or port == 0
    ):
        raise Invalid(f"{text!r} is no issuer: write its https address, without query.", field="issuer")
    if parts.scheme == "http" and host not in LOOPBACK:
        raise Invalid("An issuer must be https: over http anybody on the way could sign people in.", field="issuer")
    return text.strip()


def checked_claim(field: str, text: str, refused: Iterable[str] = ()) -> str:
    """Return a claim's name; raises Invalid for what is none, and for one that proves nobody."""
    if CLAIM.fullmatch(text) is None:
        raise Invalid(f"{text!r} is no name of a claim.", field=field)
    if text in refused:
        raise Invalid(
            f"{text!r} says how to reach or call somebody, not who it is: declare a claim that stays, as sub or oid.",
            field=field,
        )
    return text


def checked_scopes(named: Iterable[str]) -> tuple[str, ...]:
    """Return the scopes to ask for, openid first; raises Invalid for what is none."""
    found = dict.fromkeys(["openid", *named])
    for each in found:
        if SCOPE.fullmatch(each) is None:
            raise Invalid(f"{each!r} is no scope.", field="scopes")
    return tuple(found)


def read_identity(provider: IdentityProvider, claims: Mapping[str, object]) -> Identity:
    """Return whom claims of a verified ID token name; raises Invalid where the declared subject is not in them."""
    subject = claims.get(provider.subject_claim)
    own = claims.get("sub")
    if not _is_name(subject) or not _is_name(own):
        raise Invalid(f"The ID token has no usable claim {provider.subject_claim}.", field=provider.subject_claim)
    sid = claims.get("sid")
    groups, overage = _groups(provider, claims)
    return Identity(
        str(subject),
        str(own)[:255],
        sid[:255] if isinstance(sid, str) and sid else None,
        _text(claims.get("email")),
        _text(claims.get("name")),
        groups,
        overage,
    )


def _groups(provider: IdentityProvider, claims: Mapping[str, object]) -> tuple[tuple[str, ...] | None, bool]:
    names = claims.get("_claim_names")
    # Entra, above 200 groups: a pointer instead of the list, or hasgroups in the implicit flow.
    if (isinstance(names, Mapping) and provider.groups_claim in names) or claims.get("hasgroups") in (True, "true"):
        return None, True
    found = claims.get(provider.groups_claim)
    if isinstance(found, str):
        found = [found]
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        return None, False
    return (None, True) if len(found) > MOST_GROUPS else (tuple(dict.fromkeys(found)), False)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_SUBJECT and "\x00" not in value


def _text(value: object) -> str | None:
    return value.replace("\x00", "")[:255] or None if isinstance(value, str) else None
