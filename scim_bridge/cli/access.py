"""`scim-bridge access …`: who may do what, and why."""

from typing import TYPE_CHECKING

import click

from scim_bridge.cli.output import facts, joined, json_option, organization_option, say, table, time
from scim_bridge.cli.session import Session

if TYPE_CHECKING:
    from scim_bridge.identity.access import ClusterAccess, Explanation, Reason


@click.group()
def access() -> None:
    """Explain who has access to what, and why."""


@access.command()
@click.argument("person")
@click.option("--cluster", help="Only this cluster.")
@organization_option
@json_option
@click.pass_obj
def explain(session: Session, person: str, cluster: str | None, organization: str | None, as_json: bool) -> None:
    """Say which roles PERSON (userName, e-mail or id) has where, because of what, and what was overruled."""
    from scim_bridge.identity.access import explain as explain_access

    found = explain_access(session.database, session.actor, session.organization(organization), person, cluster)
    say(as_json, found, "\n\n".join([_head(found), *(_cluster(each) for each in found.clusters)]))


def _head(found: "Explanation") -> str:
    person = found.person
    pairs = [
        ("person", person.user_name),
        ("id", person.id),
        ("e-mail", person.email),
        ("state", person.state),
        ("groups", joined(found.groups)),
        ("API roles", joined(found.api_roles)),
    ]
    return facts(pairs)


def _cluster(found: "ClusterAccess") -> str:
    if found.role:
        text = f"{found.cluster}: {found.role} cluster-wide, by {found.scope}"
    else:
        text = f"{found.cluster}: nothing cluster-wide"
    lines = [text, *(f"  note: {each}" for each in found.notes), *_reasons(found.reasons)]
    for each in found.namespaced:
        lines += [f"  {each.role} in {joined(each.namespaces) or 'no namespace here'}, by {each.scope}"]
        lines += _reasons(each.reasons)
    lines += [
        f"  on the cluster: {each.role}{f' in {each.namespace}' if each.namespace else ''} as {each.subject}, "
        f"in {each.name} since its write at {time(each.written_at)}"
        for each in found.held_by
    ]
    lines += [
        f"  being removed: asked for at {time(each.requested_at)} ({each.cause}), {each.attempts} attempts"
        f"{f', last: {each.last_error}' if each.last_error else ''}"
        for each in found.removals
    ]
    return "\n".join(lines)


def _reasons(reasons: "tuple[Reason, ...]") -> list[str]:
    if not reasons:
        return []
    rows = ((r.role, r.scope, r.through, joined(r.origins), time(r.since), r.verdict) for r in reasons)
    headings = ("role", "scope", "through", "because of", "since", "verdict")
    return [f"    {line}" for line in table(headings, rows).splitlines()]
