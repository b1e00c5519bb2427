"""`scim-bridge cluster …`: the clusters, and what the bridge may do on them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from scim_bridge.cli.output import facts, json_option, organization_option, say, table, time
from scim_bridge.cli.session import Session

if TYPE_CHECKING:
    from scim_bridge.identity.clusters import ClusterLookedOver, ClusterView

Verb = TypeVar("Verb", bound=Callable[..., Any])

FILE = click.Path(path_type=Path)
KUBECONFIG = click.option("--kubeconfig", type=FILE, help="A kubeconfig file; its current context is kept, encrypted.")
IN_CLUSTER = click.option("--in-cluster", is_flag=True, help="The cluster whose pod this runs in.")
OPTIONS = (
    click.option("--name", required=True, help="What you call it; grants and rules name it so."),
    click.option("--unit", metavar="PATH", help="The unit it lies in; the organization itself if left out."),
    KUBECONFIG,
    click.option("--manifests", type=FILE, metavar="DIR", help="A folder of manifests, for GitOps."),
    IN_CLUSTER,
    click.option(
        "--user-template",
        default="{user_name}",
        show_default=True,
        help="How the API server names a person: {user_name}, {email}, {external_id} or {member_id} in a text.",
    ),
    click.option(
        "--case",
        "case_rule",
        type=click.Choice(("keep", "lower")),
        default="keep",
        show_default=True,
        help="Whether that name is put in small letters.",
    ),
    click.option("--allow-cluster-admin", is_flag=True, help="Let grants and rules give cluster-admin here."),
    click.option("--allow-label-selectors", is_flag=True, help="Let projects own namespaces by their labels here."),
    click.option(
        "--bridge-namespace",
        default="scim-bridge",
        show_default=True,
        help="Where the bridge's own account lies; no project may have it.",
    ),
    click.option(
        "--break-glass", metavar="WAY", help="The way in without the bridge: user:NAME, group:NAME or note:TEXT."
    ),
    click.option("--git", is_flag=True, help="Commit each pass: the folder is, or becomes, a git working tree."),
    click.option("--git-push", metavar="REMOTE", help="Push each commit there too."),
    click.option("--approve-first-plan", is_flag=True, help="Write the first plan without asking."),
)


def cluster_options(verb: Verb) -> Verb:
    """Give a verb the options that register a cluster."""
    for option in reversed(OPTIONS):
        verb = option(verb)
    return verb


@click.group()
def cluster() -> None:
    """Register clusters, look at them and forget them."""


@cluster.command()
@cluster_options
@organization_option
@json_option
@click.pass_obj
def add(session: Session, /, organization: str | None, as_json: bool, **given: Any) -> None:
    """Register a cluster; without --approve-first-plan its first plan waits for `sync approve`."""
    from scim_bridge.domain.organizations import CaseRule
    from scim_bridge.identity import clusters

    git, remote = given.pop("git"), given.pop("git_push")
    if (git or remote) and given["manifests"] is None:
        raise click.UsageError("--git is for a folder of --manifests.")
    wanted = clusters.ClusterWanted(case_rule=CaseRule(given.pop("case_rule")), **given)
    done = clusters.add(session.runtime, session.actor, session.organization(organization), wanted)
    if git or remote:
        clusters.want_commits(given["manifests"], remote)
    verb = "is registered" if done.changed else "is registered already"
    _answer(
        as_json, done, f"The cluster {done.cluster.name} {verb}, at {done.cluster.address}.{_waiting(done.cluster)}"
    )


@cluster.command()
@click.argument("name")
@KUBECONFIG
@IN_CLUSTER
@click.option("--new-address", is_flag=True, help="It is the same cluster, though its address is another one.")
@organization_option
@json_option
@click.pass_obj
def update(
    session: Session,
    name: str,
    kubeconfig: Path | None,
    in_cluster: bool,
    new_address: bool,
    organization: str | None,
    as_json: bool,
) -> None:
    """Give a cluster another credential."""
    from scim_bridge.identity import clusters
    from scim_bridge.identity.cluster_targets import TargetNamed

    slug, target = session.organization(organization), TargetNamed(kubeconfig, in_cluster=in_cluster)
    done = clusters.update(session.runtime, session.actor, slug, name, target, is_new_address=new_address)
    verb = "has a new credential" if done.changed else "has this credential already"
    _answer(as_json, done, f"The cluster {done.cluster.name} {verb}, for {done.cluster.address}.")


@cluster.command("list")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, organization: str | None, as_json: bool) -> None:
    """List the clusters."""
    from scim_bridge.identity import clusters

    found = clusters.list_all(session.database, session.organization(organization))
    rows = ((each.name, each.unit, each.kind, each.state, each.bindings, each.address) for each in found)
    headings = ("cluster", "unit", "kind", "state", "bindings", "address")
    say(as_json, [_document(each) for each in found], table(headings, rows, "No clusters."))


@cluster.command()
@click.argument("name")
@organization_option
@json_option
@click.pass_obj
def show(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Show a cluster and its policy; its credential is never shown."""
    from scim_bridge.identity import clusters

    found = clusters.show(session.database, session.organization(organization), name)
    document = _document(found)
    pairs = [(key.replace("_", " "), _said(value)) for key, value in document.items() if key != "created_at"]
    say(as_json, document, facts([*pairs, ("created", time(found.created_at))]))


@cluster.command()
@click.argument("name")
@click.option("--leave-bindings", is_flag=True, help="Leave what is on it there for good.")
@organization_option
@json_option
@click.pass_obj
def remove(session: Session, name: str, leave_bindings: bool, organization: str | None, as_json: bool) -> None:
    """Forget a cluster and its credential; refused while bindings of the bridge's are on it."""
    from scim_bridge.identity import clusters

    gone = clusters.remove(
        session.database, session.actor, session.organization(organization), name, leave_bindings=leave_bindings
    )
    left = f" {gone.bindings} bindings stay on it, and nobody looks after them." if gone.bindings else ""
    document = {**_document(gone), "removed": True, "bindings_left": gone.bindings}
    say(as_json, document, f"The cluster {gone.name} is forgotten.{left}")


@cluster.command()
@click.option("--namespace", default="scim-bridge", show_default=True, help="Where the account lies.")
@click.option("--service-account", default="scim-bridge", show_default=True, help="What the account is called.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    default=("view", "edit"),
    show_default=True,
    help="A role it may give.",
)
@json_option
def bootstrap(namespace: str, service_account: str, roles: tuple[str, ...], as_json: bool) -> None:
    """Print the manifest that gives the bridge its own identity on a cluster."""
    from scim_bridge.identity import cluster_targets

    manifest = cluster_targets.bootstrap(namespace, service_account, roles)
    say(as_json, {"manifest": manifest}, manifest.rstrip("\n"))


def _answer(as_json: bool, done: "ClusterLookedOver", text: str) -> None:
    document = {
        **_document(done.cluster),
        "created": done.cluster.created,
        "changed": done.changed,
        "warnings": [{"kind": each.kind, "message": each.message} for each in done.warnings],
    }
    say(as_json, document, text)
    for each in done.warnings:
        click.echo(f"scim-bridge: warning: {each.message}", err=True)


def _said(value: object) -> object:
    return ("yes" if value else "no") if isinstance(value, bool) else value


def _waiting(found: "ClusterView") -> str:
    if found.state != "unapproved":
        return ""
    return f" Nothing is written there before `scim-bridge sync approve {found.name}`."


def _document(found: "ClusterView") -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "unit": found.unit,
        "kind": found.kind,
        "state": found.state,
        "address": found.address,
        "user_template": found.user_template,
        "case": found.case_rule,
        "allow_cluster_admin": found.allow_cluster_admin,
        "allow_label_selectors": found.allow_label_selectors,
        "bridge_namespace": found.bridge_namespace,
        "bindings": found.bindings,
        "created_at": found.created_at,
    }
