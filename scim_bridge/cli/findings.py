"""`scim-bridge cluster findings …`: who else gives access on a cluster, and the way in without the bridge."""

from collections.abc import Iterable, Mapping
from typing import Any

import click

from scim_bridge.cli.clusters import cluster as cluster
from scim_bridge.cli.output import facts, joined, json_option, moment, organization_option, say, table
from scim_bridge.cli.session import Session

Document = Mapping[str, Any]


@cluster.command()
@click.argument("name")
@organization_option
@json_option
@click.pass_obj
def findings(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Ask a cluster for bindings that no pass keeps: orphans, lookalikes, and privileges given by hand."""
    _list(session, name, organization, None, as_json=as_json)


@cluster.command()
@click.argument("name")
@organization_option
@json_option
@click.pass_obj
def orphans(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Ask a cluster for what this installation wrote there for clusters that are not registered any more."""
    _list(session, name, organization, "orphan", as_json=as_json)


@cluster.command()
@click.argument("name")
@click.argument("binding")
@click.option("--namespace", help="Where the binding is; it is one of the whole cluster if left out.")
@click.option("--plan", metavar="HASH", help="Do it as this plan says, which you have read.")
@organization_option
@json_option
@click.pass_obj
def adopt(
    session: Session,
    name: str,
    binding: str,
    namespace: str | None,
    plan: str | None,
    organization: str | None,
    as_json: bool,
) -> None:
    """Plan to take over a binding that somebody made by hand, or with --plan, take it over."""
    body = {"name": binding, "namespace": namespace, "plan": plan}
    made = session.api.post(f"{_path(session, organization, name)}/adoptions", body)
    lines = [f"  keeps {each}: the bridge gives it too" for each in made["keeps"]]
    lines += [f"  LOSES {each}: nobody here gives it" for each in made["loses"]]
    if made["done"]:
        lines.insert(0, f"{made['kind']} {made['name']} is gone; {made['role']} is the bridge's to give.")
    else:
        lines.insert(0, f"{made['kind']} {made['name']} ({made['role']}) would be taken away:")
        where = f" --namespace {namespace}" if namespace else ""
        lines.append(f"  do it: scim-bridge cluster adopt {name} {binding}{where} --plan {made['hash'][:12]}")
    say(as_json, made, "\n".join(lines))


@cluster.command("test-subject")
@click.argument("name")
@click.argument("person")
@click.option("--template", help="Try another user template than the cluster's.")
@organization_option
@json_option
@click.pass_obj
def test_subject(
    session: Session, name: str, person: str, template: str | None, organization: str | None, as_json: bool
) -> None:
    """Say what PERSON is called on a cluster, who else would be, and what the cluster lets them do now."""
    from scim_bridge.cli.client import segment

    path = f"{_path(session, organization, name)}/subjects/{segment(person)}"
    found = session.api.get(path, template=template)
    pairs = [
        ("person", f"{found['person']} ({found['state']})"),
        ("called", found["subject"] or found["problem"]),
        ("others called so", joined(found["same_as"])),
        ("the bridge gives", joined(found["families"])),
    ]
    may = found["may"] or (["nothing that was asked"] if found["asked"] else ["it cannot be asked"])
    say(as_json, found, "\n".join([facts(pairs), "the cluster lets them:", *(f"  {each}" for each in may)]))


@cluster.command()
@click.argument("name")
@click.option("--break-glass", metavar="WAY", help="user:NAME or group:NAME, which the cluster is asked; or note:TEXT.")
@click.option("--group-template", metavar="TEXT", help="How its tokens name a group, e.g. oidc:{group}.")
@click.option("--events/--no-events", default=None, help="Whether what needs a person is an Event there too.")
@organization_option
@json_option
@click.pass_obj
def safety(session: Session, /, name: str, organization: str | None, as_json: bool, **given: str | bool | None) -> None:
    """Show or register the way in that does not depend on the bridge; without one no cluster goes live."""
    path = f"{_path(session, organization, name)}/safety"
    is_given = any(value is not None for value in given.values())
    found = session.api.patch(path, given) if is_given else session.api.get(path)
    pairs = [
        ("cluster", found["cluster"]),
        ("way in without the bridge", found["break_glass"]),
        ("the cluster agreed", moment(found["seen_at"])),
        ("but", found["problem"]),
        ("groups in its tokens", found["group_template"]),
        ("Events on it", "yes" if found["events"] else "no"),
    ]
    say(as_json, found, facts(pairs))


def _path(session: Session, organization: str | None, name: str) -> str:
    from scim_bridge.cli.client import segment

    return f"{session.of(organization)}/clusters/{segment(name)}"


def _list(session: Session, name: str, organization: str | None, what: str | None, *, as_json: bool) -> None:
    found = list(session.api.every(f"{_path(session, organization, name)}/findings", what=what))
    rows = (
        (each["what"], each["namespace"], each["name"], each["role"], _subjects(each["subjects"]), each["sentence"])
        for each in found
    )
    headings = ("finding", "namespace", "binding", "role", "subjects", "what it means")
    say(as_json, found, table(headings, rows, "Nothing: no binding there is anybody else's business."))


def _subjects(found: Iterable[Document]) -> str:
    told = [f"{each['name']}{_known(each)}" for each in found]
    return joined(told[:5]) + (f" and {len(told) - 5} more" if len(told) > 5 else "")


def _known(each: Document) -> str:
    return f" ({each['person']}, {each['state']})" if each["person"] else ""
