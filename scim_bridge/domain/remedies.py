"""
Why a request of an identity provider failed, in plain words, and what to click: a table and nothing else.

The first cause that fits is the one. What to do is said for Okta and for Entra in the names of their own pages, and for
everybody else in general.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from scim_bridge.domain.people import DirectoryKind


@dataclass(frozen=True, slots=True)
class Remedy:
    """What a failure means, and what to do about it."""

    meaning: str
    fix: str


@dataclass(frozen=True, slots=True)
class Cause:
    """One way to fail: who fits it, what it means, and what to do in which product (``fix`` for all others)."""

    statuses: tuple[int, ...]
    meaning: str
    fix: str
    fixes: Mapping[DirectoryKind, str] = field(default_factory=dict)
    scim_type: str | None = None
    message: str = ""
    methods: tuple[str, ...] = ()

    def fits(self, method: str, status: int, scim_type: str | None, message: str) -> bool:
        """Tell whether a request that failed like this failed for this cause."""
        return (
            status in self.statuses
            and (not self.methods or method in self.methods)
            and (self.scim_type is None or self.scim_type == scim_type)
            and re.search(self.message, message, re.IGNORECASE) is not None
        )


OKTA_TOKEN = (
    "Make a token with `scim-bridge directory token create NAME`. In Okta: Applications → the app → Provisioning → "
    "Integration → Edit, paste it into Authorization (header apps: HTTP Header), Test API Credentials, Save."
)
ENTRA_TOKEN = (
    "Make a token with `scim-bridge directory token create NAME`. In Entra: Enterprise applications → the app → "
    "Provisioning → Admin credentials, paste it into Secret Token, Test Connection, Save; then Restart provisioning, "
    "which also lifts the quarantine."
)
OKTA_MAPPING = (
    "In Okta: Applications → the app → Provisioning → To App → Attribute Mappings: correct {0}, then Force Sync."
)
ENTRA_MAPPING = (
    "In Entra: Enterprise applications → the app → Provisioning → Mappings → Provision Microsoft Entra ID Users: "
    "correct {0}, Save; then Provision on demand for one person."
)
OKTA, ENTRA = DirectoryKind.OKTA, DirectoryKind.ENTRA

CAUSES: tuple[Cause, ...] = (
    Cause(
        (401,),
        "The token is not one that works here: mistyped, expired, revoked, or its directory was detached.",
        "Make a new token with `scim-bridge directory token create NAME` and give it to the identity provider.",
        {OKTA: OKTA_TOKEN, ENTRA: ENTRA_TOKEN},
    ),
    Cause(
        (503,),
        "The directory is paused: nothing is taken in, and access stays as it is.",
        "Nothing is lost: the identity provider sends again what it could not send, once the directory is resumed.",
        {
            OKTA: "Resume the directory. Okta repeats by itself for a while; what it gave up stands under Dashboard → "
            "Tasks and is sent again with Retry Selected.",
            ENTRA: "Resume the directory. Entra repeats with its next cycles, every 40 minutes; Provision on demand "
            "sends one person at once.",
        },
        message="paused",
    ),
    Cause(
        (503, 429),
        "The bridge asked the identity provider to wait and try again.",
        "Nothing: the request is repeated. If it goes on, look at `scim-bridge db check` and at the bridge's own log.",
    ),
    Cause(
        (409,),
        "Somebody active in this directory has that userName already, so a second person cannot get it. Usually the "
        "identity provider did not find them because it looks for another attribute than the one it creates with.",
        "Let the identity provider match people by userName, and make sure that no two of its people share one.",
        {
            OKTA: "In Okta: Applications → the app → Sign On → Credentials Details: look which Application username "
            "format gives two people one name. If the person is simply not linked: Assignments → the person → "
            "remove, then assign again.",
            ENTRA: "In Entra: Provisioning → Mappings → Provision Microsoft Entra ID Users: the mapping to userName "
            "needs “Match objects using this attribute: Yes”, with precedence 1; then Provision on demand.",
        },
        scim_type="uniqueness",
        message="userName",
    ),
    Cause(
        (409,),
        "This directory has a group of that name already.",
        "Rename one of the two groups, or let the identity provider link to the one that exists.",
        {
            OKTA: "In Okta: the app → Push Groups → the group → Link Group and choose the existing one, instead of "
            "Create Group; or rename the group.",
            ENTRA: "In Entra: rename one of the two groups; Provisioning → Mappings → Provision Microsoft Entra ID "
            "Groups must match by displayName.",
        },
        scim_type="uniqueness",
    ),
    Cause(
        (409, 412),
        "The object was changed by another request at the same moment.",
        "Nothing, if the identity provider repeats it; otherwise replay this entry.",
    ),
    Cause(
        (404,),
        "The identity provider speaks of a person that this directory does not have (any more): deleted here, or known "
        "to it from another application or another installation.",
        "Let the identity provider create the person again.",
        {
            OKTA: "In Okta: the app → Assignments → the person: remove and assign again. Okta then looks the person up "
            "and creates them.",
            ENTRA: "In Entra: Provisioning → Restart provisioning: Entra forgets the ids that it stored, looks "
            "everybody up by userName and creates who is missing.",
        },
        message="no user",
    ),
    Cause(
        (404,),
        "The identity provider speaks of a group that this directory does not have (any more).",
        "Let the identity provider push the group again.",
        {
            OKTA: "In Okta: the app → Push Groups → the group → Unlink Pushed Group, then push it again.",
            ENTRA: "In Entra: Provisioning → Restart provisioning; the group must still be assigned to the app.",
        },
        message="no group",
    ),
    Cause(
        (404, 405, 501),
        "There is nothing at this address. The base URL in the identity provider is probably not quite right.",
        "The base URL ends in /scim/v2; `scim-bridge directory show NAME` prints it.",
        {
            OKTA: "In Okta: Provisioning → Integration → SCIM connector base URL: what `scim-bridge directory show "
            "NAME` prints, ending in /scim/v2 and without /Users.",
            ENTRA: "In Entra: Provisioning → Admin credentials → Tenant URL: what `scim-bridge directory show NAME` "
            "prints, ending in /scim/v2 (?aadOptscim062020 behind it is welcome).",
        },
    ),
    Cause(
        (413,),
        "The request is larger than a limit of this installation, so none of it was done.",
        "Send less at once, or raise max_body_bytes or max_patch_operations in the settings; then replay this entry "
        "if its body was kept.",
        {
            OKTA: "A group pushed as a whole is too large: raise max_body_bytes or max_patch_operations in the "
            "settings, then in Okta: Push Groups → the group → Push now.",
        },
    ),
    Cause(
        (415,),
        "The body is not sent as JSON in UTF-8.",
        "Let the client send Content-Type: application/scim+json.",
    ),
    Cause(
        (400,),
        "An attribute that has to be there is missing or empty.",
        "Map the attribute to one that everybody has, and fill it in for this person.",
        {
            OKTA: OKTA_MAPPING.format("the attribute, and fill it in on the person's profile"),
            ENTRA: ENTRA_MAPPING.format("the attribute, or give it a default value if null"),
        },
        message="is required",
    ),
    Cause(
        (400,),
        "The identity provider searches with a filter that cannot be read.",
        "Let it match by userName or externalId; both are always found.",
        {
            OKTA: "In Okta: Provisioning → Integration → Unique identifier field for users: userName.",
            ENTRA: "In Entra: Provisioning → Mappings → Users: match by userName or externalId. Values with quotes or "
            "& in them fail on Entra's side.",
        },
        scim_type="invalidFilter",
    ),
    Cause(
        (400,),
        "A change names a place in the person or the group that cannot be: the target of an attribute mapping.",
        "Correct the target attribute of the mapping.",
        {
            OKTA: OKTA_MAPPING.format("the attribute's External name (Profile Editor → the app → the attribute)"),
            ENTRA: ENTRA_MAPPING.format("the target attribute, as emails[type eq “work”].value"),
        },
        scim_type="invalidPath",
    ),
    Cause(
        (400,),
        "A change is meant for an entry that is not there, such as an e-mail of a type that the person does not have.",
        "Map the attribute so that it is created first, or take the mapping out.",
        {
            OKTA: OKTA_MAPPING.format("the attribute"),
            ENTRA: ENTRA_MAPPING.format("the target's type, so that it is one that the person has"),
        },
        scim_type="noTarget",
    ),
    Cause(
        (400,),
        "The identity provider wants to change what belongs to the server (id, meta) or what is only ever added or "
        "removed (a member of a group).",
        "Take the mapping to that attribute out.",
        {
            OKTA: OKTA_MAPPING.format("or remove the mapping"),
            ENTRA: ENTRA_MAPPING.format("or delete the mapping"),
        },
        scim_type="mutability",
    ),
    Cause(
        (400,),
        "More changes in one request than this installation takes.",
        "Raise max_patch_operations in the settings, then replay this entry.",
        scim_type="tooMany",
    ),
    Cause(
        (400,),
        "The body is no SCIM request: cut short on its way, or written by hand.",
        "Look for a proxy or a web application firewall between the identity provider and the bridge.",
        scim_type="invalidSyntax",
    ),
    Cause(
        (400,),
        "An attribute has a value of the wrong kind, such as a text where true or false belongs.",
        "Correct the mapping or the person's value; the message names the attribute.",
        {
            OKTA: OKTA_MAPPING.format("the attribute that the message names"),
            ENTRA: ENTRA_MAPPING.format("the attribute that the message names; Switch([IsSoftDeleted], …) for active"),
        },
    ),
    Cause(
        (403,),
        "Understood, and not allowed here.",
        "The message says what is missing.",
    ),
    Cause(
        (500,),
        "Something went wrong in the bridge itself; nothing was changed.",
        "Look the request id up in the bridge's own log and report it; the entry can be replayed once it is mended.",
    ),
)


def remedy_for(kind: DirectoryKind, method: str, status: int, scim_type: str | None, message: str) -> Remedy | None:
    """Return what a failure means and what to do; None for what did not fail."""
    if status < 400:
        return None
    for cause in CAUSES:
        if cause.fits(method, status, scim_type, message):
            return Remedy(cause.meaning, cause.fixes.get(kind, cause.fix))
    return Remedy("The bridge did not take it; the message says why.", "Correct what the message names and repeat it.")
