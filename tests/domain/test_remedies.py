"""Every failure has a meaning and something to do, in the words of the product that failed."""

import pytest

from scim_bridge.domain.people import DirectoryKind
from scim_bridge.domain.remedies import CAUSES, remedy_for

TAKEN = "A user of this directory has the userName 'ada' already."


@pytest.mark.parametrize(
    ("status", "scim_type", "message", "meaning"),
    [
        (401, None, "The bearer token is missing, unknown, expired or revoked.", "token is not one that works"),
        (503, None, "The directory okta is paused.", "paused: nothing is taken in"),
        (503, None, "The database is busy; try again in a moment.", "wait and try again"),
        (429, None, "Too many requests; try again later.", "wait and try again"),
        (409, "uniqueness", TAKEN, "Somebody active in this directory has that userName"),
        (409, "uniqueness", "A group of this directory has the displayName 'x' already.", "a group of that name"),
        (412, None, "The resource has changed since this version was read (If-Match).", "at the same moment"),
        (404, None, "There is no user 'x' in this directory.", "a person that this directory does not have"),
        (404, None, "There is no group 'x' in this directory.", "a group that this directory does not have"),
        (404, None, "There is no such endpoint here.", "nothing at this address"),
        (413, "tooMany", "A PATCH body may have at most 1000 operations.", "larger than a limit"),
        (415, None, "The body must be application/scim+json.", "not sent as JSON"),
        (400, "invalidValue", "userName is required.", "missing or empty"),
        (400, "invalidFilter", "The filter 'x' cannot be understood.", "searches with a filter"),
        (400, "invalidPath", "The path 'x' cannot be understood.", "names a place"),
        (400, "noTarget", "No entry matches the path's filter.", "an entry that is not there"),
        (400, "mutability", "id belongs to the server.", "belongs to the server"),
        (400, "invalidSyntax", "The body is not JSON.", "no SCIM request"),
        (400, "invalidValue", "active must be true or false.", "value of the wrong kind"),
        (500, None, "Something went wrong here.", "in the bridge itself"),
        (418, None, "A teapot.", "the message says why"),
    ],
)
def test_each_failure_means_something(status: int, scim_type: str | None, message: str, meaning: str) -> None:
    found = remedy_for(DirectoryKind.GENERIC, "PATCH", status, scim_type, message)

    assert found is not None
    assert meaning in found.meaning
    assert found.fix.endswith(".")


@pytest.mark.parametrize("status", [200, 201, 204, 304])
def test_what_did_not_fail_needs_no_remedy(status: int) -> None:
    assert remedy_for(DirectoryKind.OKTA, "GET", status, None, "") is None


def test_okta_and_entra_are_told_in_the_names_of_their_own_pages() -> None:
    told = {kind: remedy_for(kind, "POST", 409, "uniqueness", TAKEN) for kind in DirectoryKind}

    fixes = {kind: remedy.fix for kind, remedy in told.items() if remedy is not None}
    assert fixes[DirectoryKind.OKTA].startswith("In Okta: Applications")
    assert "Match objects using this attribute" in fixes[DirectoryKind.ENTRA]
    assert fixes[DirectoryKind.AUTHENTIK] == fixes[DirectoryKind.GENERIC]
    assert len(set(fixes.values())) == 3


def test_no_cause_is_hidden_behind_an_earlier_one() -> None:
    # The first that fits is taken: one that asks for less may not stand before one that asks for more.
    hidden = [
        (earlier.meaning, later.meaning)
        for number, later in enumerate(CAUSES)
        for earlier in CAUSES[:number]
        if set(later.statuses) <= set(earlier.statuses)
        and earlier.message in ("", later.message)
        and earlier.scim_type in (None, later.scim_type)
    ]

    assert hidden == []


def test_every_remedy_is_whole_sentences() -> None:
    texts = [text for cause in CAUSES for text in (cause.meaning, cause.fix, *cause.fixes.values())]

    assert [text for text in texts if not text.endswith(".") or "{" in text] == []
