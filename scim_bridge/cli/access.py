"""`scim-bridge access …`: who may do what, why, and since when."""

from collections.abc import Iterable, Mapping
from typing import Any

import click

from scim_bridge.cli.client import segment
from scim_bridge.cli.output import facts, joined, json_option, moment, organization_option, say, table
from scim_bridge.cli.session import Session

Document = Mapping[str, Any]
at_option = click.option("--at", metavar="TIME", help="Then, not now: 2h or 7d ago, or an ISO 8601 time.")


@click.group()
def access() -> None:
    """Explain who has access to what, and why."""


@access.command()
@click.argument("person", required=False)
@click.option("--cluster", help="Only this cluster; the one that --binding is on.")
@click.option("--binding", metavar="NAME", help="Instead of a person's access: why is this object on the cluster?")
@click.option("--namespace", help="The namespace that the binding is in.")
@at_option
@organization_option
@json_option
@click.pass_obj
def explain(
    session: Session,
    person: str | None,
    cluster: str | None,
    binding: str | None,
    namespace: str | None,
    at: str | None,
    organization: str | None,
    as_json: bool,
) -> None:
    """Say which roles PERSON (userName, e-mail or id) has where, because of what, and what was overruled."""
    if binding is not None:
        if cluster is None or at is not None:
            raise click.UsageError("A binding is on a cluster, now: name it with --cluster, and leave --at out.")
        path = f"{session.of(organization)}/clusters/{segment(cluster)}/bindings/{segment(binding)}"
        found = session.api.get(path, person=person, namespace=namespace)
        say(as_json, found, _binding(found))
        return
    if person is None or namespace is not None:
        raise click.UsageError("Name a person, or a --binding on a --cluster.")
    path = f"{session.of(organization)}/members/{segment(person)}/access"
    found = session.api.get(path, cluster=cluster, at=at)
    say(as_json, found, "\n\n".join([_head(found), *(_cluster(each) for each in found["clusters"])]))


@access.command()
@click.argument("person")
@at_option
@organization_option
@json_option
@click.pass_obj
def effective(session: Session, person: str, at: str | None, organization: str | None, as_json: bool) -> None:
    """Say all that PERSON may do: permissions at each scope, the Kubernetes role on each cluster and namespace."""
    found = session.api.get(f"{session.of(organization)}/members/{segment(person)}/effective-access", at=at)
    scopes = ((each["scope"], joined(each["api_roles"]), len(each["permissions"])) for each in found["scopes"])
    clusters = (
        (
            each["cluster"],
            each["role"],
            each["by"],
            joined(f"{inside['namespace']} {inside['role']}" for inside in each["namespaces"]),
        )
        for each in found["clusters"]
    )
    parts = [
        table(("scope", "API roles", "permissions"), scopes, "No API role anywhere."),
        table(("cluster", "role", "by", "namespaces"), clusters, "Nothing on any cluster."),
    ]
    say(as_json, found, "\n\n".join(parts))


@access.command()
@click.option("--cluster", help="Who has a role on this cluster?")
@click.option("--role", help="Only this one: cluster-admin, edit, view or none.")
@click.option("--namespace", help="Only in this namespace of it.")
@click.option("--permission", help="Who holds this permission?")
@click.option("--api-role", help="Who has this API role?")
@click.option("--scope", help="Where; the organization if left out.")
@at_option
@organization_option
@json_option
@click.pass_obj
def who(session: Session, /, organization: str | None, as_json: bool, **asked: str | None) -> None:
    """Say who has a role on a cluster, or a permission or API role at a scope, and through which grants."""
    found = list(session.api.every(f"{session.of(organization)}/access/who", **asked))
    rows = (
        (each["user_name"], each["role"], each["namespace"], each["scope"], "; ".join(each["through"]))
        for each in found
    )
    say(as_json, found, table(("person", "role", "namespace", "granted at", "through"), rows, "Nobody."))


@access.command()
@at_option
@organization_option
@click.pass_obj
def matrix(session: Session, at: str | None, organization: str | None) -> None:
    """Print everybody with what they have as CSV: API roles by scope, Kubernetes roles by cluster and place."""
    text = session.api.get(f"{session.of(organization)}/access/matrix", at=at)
    click.echo(text, nl=False)


def _head(found: Document) -> str:
    person = found["person"]
    pairs = [
        ("person", person["user_name"]),
        ("id", person["id"]),
        ("e-mail", person["email"]),
        ("state", person["state"]),
        ("at", moment(found["at"])),
        ("groups", joined(found["groups"])),
        ("API roles", joined(found["api_roles"])),
    ]
    return facts(pairs)


def _cluster(found: Document) -> str:
    if found["role"]:
        text = f"{found['cluster']}: {found['role']} cluster-wide, by {found['scope']}"
    else:
        text = f"{found['cluster']}: nothing cluster-wide"
    lines = [text, *(f"  note: {each}" for each in found["notes"]), *_reasons(found["reasons"])]
    for each in found["namespaced"]:
        lines += [f"  {each['role']} in {joined(each['namespaces']) or 'no namespace here'}, by {each['scope']}"]
        lines += _reasons(each["reasons"])
    lines += [_held(each) for each in found["held_by"]]
    lines += [_removal(each) for each in found["removals"]]
    return "\n".join(lines)


def _held(each: Document) -> str:
    place = f" in {each['namespace']}" if each["namespace"] else ""
    written = moment(each["written_at"])
    return (
        f"  on the cluster: {each['role']}{place} as {each['subject']}, in {each['name']} since its write at {written}"
    )


def _removal(each: Document) -> str:
    last = f", last: {each['last_error']}" if each["last_error"] else ""
    asked = f"asked for at {moment(each['requested_at'])} ({each['cause']})"
    return f"  being removed: {asked}, {each['attempts']} attempts{last}"


def _binding(found: Document) -> str:
    place = f" in {found['namespace']}" if found["namespace"] else ""
    given = f"{found['role']}{place} for {found['subject_count']} subjects"
    lines = [f"{found['name']} on {found['cluster']}: {given}, written at {moment(found['written_at'])}"]
    for each in found["subjects"]:
        nobody = f"  group {each['subject']}" if found["kind"] == "Group" else f"  {each['subject']}: nobody here"
        lines.append(f"  {each['subject']}" if each["person"] else nobody)
        lines += _reasons(each["reasons"])
        if each["person"] and not each["reasons"]:
            lines.append("    nothing gives it any more: the next pass takes it out")
    if found["next"]:
        lines.append("There are more: name one with PERSON, or read them all with --json through the API.")
    return "\n".join(lines)


def _reasons(reasons: Iterable[Document]) -> list[str]:
    lines = []
    for reason in reasons:
        because = f"{reason['role']} at {reason['scope']} through {reason['through']}, {joined(reason['origins'])}"
        lines.append(f"    {because}: {reason['verdict']}, since {moment(reason['since'])}")
        lines += [f"      {_cause(each)}" for each in reason["causes"]]
    return lines


def _cause(cause: Document) -> str:
    text = f"{moment(cause['since'])}  {cause['what']}"
    if cause["actor"]:
        text += f", by {cause['actor_kind']} {cause['actor']}"
    if cause["request_id"]:
        text += f", request {cause['request_id']}"
    return text
