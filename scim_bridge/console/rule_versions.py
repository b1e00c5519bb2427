"""The versions of the rules: what each said, how it differs from what is in force, and going back to one."""

from flask import Response

from scim_bridge.console.pages import done, page, url
from scim_bridge.console.rule_drafts import limits, preview_page
from scim_bridge.console.rules import READ, WRITE, condition
from scim_bridge.console.screens import Entrance, Visit, screen
from scim_bridge.errors import PreviewOutdated
from scim_bridge.identity import rule_changes, rule_versions, rules
from scim_bridge.identity.rule_changes import RulePreview


@screen("GET", "/rules/versions", title="Versions of the rules", permission=READ)
def list_(visit: Visit) -> Response:
    """List every version, the newest first."""
    found = rule_versions.list_all(visit.database, visit.organization)
    return page(visit, "rule_versions", versions=found, places=[("Rules", url("rules.list"))])


@screen("GET", "/rules/versions/<version>", title="Version", permission=READ)
def show(visit: Visit, version: str) -> Response:
    """Show the rules of a version, what it changed, and how it differs from the rules in force."""
    number = rule_versions.number_of(version)
    whose = (visit.database, visit.organization)
    content = rule_versions.content(*whose, number)
    present = rules.in_force(*whose).version
    current = present.version if present else 0
    return page(
        visit,
        "rule_version",
        title=f"Version {number}",
        number=number,
        is_current=number == current,
        rules=sorted(content.rules, key=lambda each: (each.priority, each.name)),
        changed=rule_versions.diff(*whose, number - 1, number).document if number else None,
        back_to_it=rule_versions.diff(*whose, current, number).document,
        condition=condition,
        places=_places(),
    )


@screen(
    "GET",
    "/rules/versions/<version>/restore",
    title="Go back to a version",
    permission=WRITE,
    entrance=Entrance.SOMEWHERE,
)
def ask_restore(visit: Visit, version: str) -> Response:
    """Show exactly who would gain and lose what by going back."""
    number = rule_versions.number_of(version)
    made = rule_changes.preview(*visit.whose, rule_versions.of_version(number), limits(visit))
    return _preview(visit, number, made)


@screen(
    "POST",
    "/rules/versions/<version>/restore",
    title="Go back to a version",
    permission=WRITE,
    entrance=Entrance.SOMEWHERE,
)
def restore(visit: Visit, version: str) -> Response:
    """Put the rules of a version into force again, with exactly the outcome that was shown."""
    number = rule_versions.number_of(version)
    wish = rule_versions.of_version(number)
    try:
        made = rule_changes.apply_seen(*visit.whose, wish, visit.given("preview"), limits(visit), visit.request_id)
    except PreviewOutdated as error:
        return _preview(visit, number, error.preview, 409)
    words = f"The rules of version {number} are in force again, as version {made.version}."
    return done(visit, "rules.list", words)


def _preview(visit: Visit, number: int, made: RulePreview, status: int = 200) -> Response:
    back = url("rule_versions.show", version=number)
    places = [*_places(), (f"Version {number}", back)]
    more = {"words": "Go back to it", "safe": not made.effects.losses.people, "places": places}
    return preview_page(visit, made, f"Go back to version {number}?", back, status, **more)


def _places() -> list[tuple[str, str]]:
    return [("Rules", url("rules.list")), ("Versions", url("rule_versions.list"))]
