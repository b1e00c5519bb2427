"""`scim-bridge cluster …`: the clusters, and what the bridge may do on them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from scim_bridge.cli.client import segment
from scim_bridge.cli.output import facts, json_option, moment, organization_option, say, table
from scim_bridge.cli.previews import Document, carry_out, place, preview_options, text_of
from scim_bridge.cli.session import Session

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
    body = given | _target(given.pop("kubeconfig"), given.pop("manifests"))
    done = session.api.post(f"{session.of(organization)}/clusters", body)
    found, verb = done["cluster"], "is registered" if done["changed"] else "is registered already"
    _answer(as_json, done, f"The cluster {found['name']} {verb}, at {found['address']}.{_waiting(found)}")


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
    body = {"in_cluster": in_cluster, "is_new_address": new_address, **_target(kubeconfig, None)}
    done = session.api.put(f"{_of(session, organization, name)}/credential", body)
    found, verb = done["cluster"], "has a new credential" if done["changed"] else "has this credential already"
    _answer(as_json, done, f"The cluster {found['name']} {verb}, for {found['address']}.")


@cluster.command("list")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, organization: str | None, as_json: bool) -> None:
    """List the clusters."""
    found = list(session.api.every(f"{session.of(organization)}/clusters"))
    headings = ("cluster", "unit", "kind", "state", "bindings", "address")
    keys = ("name", "unit", "kind", "state", "bindings", "address")
    rows = ([each[key] for key in keys] for each in found)
    say(as_json, [_document(each) for each in found], table(headings, rows, "No clusters."))


@cluster.command()
@click.argument("name")
@click.option("--to", metavar="PATH", help="The unit it goes into; the organization itself if left out.")
@preview_options
@organization_option
@json_option
@click.pass_obj
def move(
    session: Session,
    name: str,
    to: str | None,
    seen: str | None,
    yes: bool,
    organization: str | None,
    as_json: bool,
) -> None:
    """Move a cluster to another environment, as previewed."""
    done = carry_out(session, "PATCH", _of(session, organization, name), {"unit": to or ""}, seen=seen, yes=yes)
    say(as_json, done, f"{text_of(done)}\nThe cluster {name} is in {to or 'the organization itself'}.")


@cluster.command("set")
@click.argument("name")
@click.option("--name", "new_name", help="What you call it from now on.")
@click.option("--user-template", help="How the API server names a person.")
@click.option("--case", "case_rule", type=click.Choice(("keep", "lower")), help="Whether names are in small letters.")
@click.option("--allow-cluster-admin/--no-cluster-admin", default=None, help="Whether cluster-admin may be given.")
@click.option("--allow-label-selectors/--no-label-selectors", default=None, help="Whether labels choose namespaces.")
@preview_options
@organization_option
@json_option
@click.pass_obj
def set_(
    session: Session,
    /,
    name: str,
    new_name: str | None,
    seen: str | None,
    yes: bool,
    organization: str | None,
    as_json: bool,
    **policy: Any,
) -> None:
    """Give a cluster another name or policy, as previewed; what is not named stays."""
    wanted = {key: value for key, value in {"name": new_name, **policy}.items() if value is not None}
    done = carry_out(session, "PATCH", _of(session, organization, name), wanted, seen=seen, yes=yes)
    verb = "is changed" if done["changed"] else "is so already"
    say(as_json, done, f"{text_of(done)}\nThe cluster {place(done['becomes'])} {verb}.")


@cluster.command()
@click.argument("name")
@organization_option
@json_option
@click.pass_obj
def show(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Show a cluster and its policy; its credential is never shown."""
    found = session.api.get(_of(session, organization, name))
    document = _document(found)
    pairs = [(key.replace("_", " "), _said(value)) for key, value in document.items() if key != "created_at"]
    say(as_json, document, facts([*pairs, ("created", moment(found["created_at"]))]))


@cluster.command()
@click.argument("name")
@click.option("--leave-bindings", is_flag=True, help="Leave what is on it there for good.")
@organization_option
@json_option
@click.pass_obj
def remove(session: Session, name: str, leave_bindings: bool, organization: str | None, as_json: bool) -> None:
    """Forget a cluster and its credential; refused while bindings of the bridge's are on it."""
    query = {"leave_bindings": "true"} if leave_bindings else {}
    gone = session.api.delete(_of(session, organization, name), **query)
    left = f" {gone['bindings']} bindings stay on it, and nobody looks after them." if gone["bindings"] else ""
    document = {**_document(gone), "removed": True, "bindings_left": gone["bindings"]}
    say(as_json, document, f"The cluster {gone['name']} is forgotten.{left}")


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
@click.option("--admission-policy", is_flag=True, help="Refuse the account all but its own work; Kubernetes 1.30.")
@click.option("--flow-schema", is_flag=True, help="Give the account a share of the API of its own; Kubernetes 1.29.")
@click.option("--events", is_flag=True, help="Let it write Events into its own namespace.")
@json_option
def bootstrap(
    namespace: str,
    service_account: str,
    roles: tuple[str, ...],
    admission_policy: bool,
    flow_schema: bool,
    events: bool,
    as_json: bool,
) -> None:
    """Print the manifest that gives the bridge its own identity on a cluster."""
    from scim_bridge.identity import cluster_targets

    extras = cluster_targets.Extras(admission_policy, flow_schema, events)
    manifest = cluster_targets.bootstrap(namespace, service_account, roles, extras)
    say(as_json, {"manifest": manifest}, manifest.rstrip("\n"))


def _of(session: Session, organization: str | None, name: str) -> str:
    return f"{session.of(organization)}/clusters/{segment(name)}"


def _target(kubeconfig: Path | None, manifests: Path | None) -> dict[str, str]:
    """Return what a request names a target by: files are read, and folders found, on the machine of who types."""
    target = {}
    if kubeconfig is not None:
        from scim_bridge.identity.cluster_targets import kubeconfig_text

        target["kubeconfig"] = kubeconfig_text(kubeconfig)
    if manifests is not None:
        target["manifests"] = str(manifests.resolve())
    return target


def _answer(as_json: bool, done: Document, text: str) -> None:
    document = {
        **_document(done["cluster"]),
        "created": done["cluster"]["created"],
        "changed": done["changed"],
        "warnings": [{"kind": each["kind"], "message": each["message"]} for each in done["warnings"]],
    }
    say(as_json, document, text)
    for each in done["warnings"]:
        click.echo(f"scim-bridge: warning: {each['message']}", err=True)


def _said(value: object) -> object:
    return ("yes" if value else "no") if isinstance(value, bool) else value


def _waiting(found: Document) -> str:
    if found["state"] != "unapproved":
        return ""
    return f" Nothing is written there before `scim-bridge sync approve {found['name']}`."


def _document(found: Document) -> dict[str, Any]:
    return {"case" if key == "case_rule" else key: value for key, value in found.items() if key != "created"}
