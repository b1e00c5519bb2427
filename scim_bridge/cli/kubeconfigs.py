"""`scim-bridge kubeconfig` and `scim-bridge cluster sign-in …`: how people come to the clusters themselves."""

from pathlib import Path
from typing import Any

import click

from scim_bridge.cli.client import segment
from scim_bridge.cli.clusters import cluster
from scim_bridge.cli.output import facts, joined, json_option, organization_option, say
from scim_bridge.cli.session import Session


@click.command()
@click.option("--for", "person", default="me", metavar="PERSON", help="Whose; oneself if left out.")
@click.option("--cluster", "named", help="Only this cluster.")
@organization_option
@click.pass_obj
def kubeconfig(session: Session, person: str, named: str | None, organization: str | None) -> None:
    """Print a person's kubeconfig: the clusters on which they have access, and no secret."""
    path = f"{session.of(organization)}/members/{segment(person)}/kubeconfig"
    click.echo(session.api.get(path, cluster=named), nl=False)


@cluster.group("sign-in")
def sign_in() -> None:
    """Say how people sign in to a cluster themselves."""


@sign_in.command("set")
@click.argument("named", metavar="CLUSTER")
@click.option("--issuer", required=True, help="As --oidc-issuer-url of the API server.")
@click.option("--client-id", required=True, help="As --oidc-client-id of the API server.")
@click.option("--scope", "scopes", multiple=True, help="Beside openid; may be repeated.")
@click.option("--server", metavar="URL", help="Where people reach the cluster; the bridge's own address if left out.")
@click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Certificates that vouch for it; those of the bridge's own credential if --server is left out too.",
)
@organization_option
@json_option
@click.pass_obj
def set_(
    session: Session, /, named: str, ca_file: Path | None, organization: str | None, as_json: bool, **given: Any
) -> None:
    """Say how people sign in to a cluster; it is in their kubeconfigs from then on."""
    authority = None if ca_file is None else ca_file.read_text(errors="replace")
    done = session.api.put(_path(session, organization, named), {**given, "authority": authority})
    _say(as_json, named, done)


@sign_in.command()
@click.argument("named", metavar="CLUSTER")
@organization_option
@json_option
@click.pass_obj
def show(session: Session, named: str, organization: str | None, as_json: bool) -> None:
    """Show how people sign in to a cluster."""
    _say(as_json, named, session.api.get(_path(session, organization, named)))


@sign_in.command()
@click.argument("named", metavar="CLUSTER")
@organization_option
@json_option
@click.pass_obj
def remove(session: Session, named: str, organization: str | None, as_json: bool) -> None:
    """Leave a cluster out of people's kubeconfigs."""
    session.api.delete(_path(session, organization, named))
    say(as_json, {"cluster": named, "removed": True}, f"{named} is in nobody's kubeconfig any more.")


def _path(session: Session, organization: str | None, named: str) -> str:
    return f"{session.of(organization)}/clusters/{segment(named)}/sign-in"


def _say(as_json: bool, named: str, found: Any) -> None:
    pairs = [
        ("cluster", named),
        ("server", found["server"]),
        ("certificates", "of its own" if found["authority"] else "those that every machine trusts"),
        ("issuer", found["issuer"]),
        ("client", found["client_id"]),
        ("scopes", joined(["openid", *found["scopes"]])),
    ]
    say(as_json, found, facts(pairs))
