"""`scim-bridge identity-provider …`: how an organization's people sign in."""

from pathlib import Path
from typing import Any

import click

from scim_bridge.cli.client import segment
from scim_bridge.cli.output import joined, json_option, moment, organization_option, say, table
from scim_bridge.cli.session import Session
from scim_bridge.errors import Invalid

secret_option = click.option(
    "--client-secret-file",
    "secret_file",
    metavar="FILE",
    type=click.Path(path_type=Path, allow_dash=True),
    help="Where its client secret is; - is standard input.",
)


@click.group("identity-provider")
def identity_provider() -> None:
    """Let people sign in with their company's identity provider."""


@identity_provider.command()
@click.argument("name")
@click.option("--directory", required=True, help="The directory whose people it signs in.")
@click.option("--issuer", required=True, help="Its issuer, as in its discovery document.")
@click.option("--client-id", required=True, help="What it calls the bridge.")
@secret_option
@click.option("--domain", "domains", multiple=True, help="Whose addresses are sent there; may be repeated.")
@click.option("--scope", "scopes", multiple=True, help="What to ask for besides openid; may be repeated.")
@click.option("--subject-claim", metavar="CLAIM", help="The claim that says who it is.")
@click.option("--subject-attribute", metavar="ATTRIBUTE", help="The SCIM attribute with the same value.")
@click.option("--groups-claim", metavar="CLAIM", help="The claim that lists groups.")
@click.option("--groups-attribute", metavar="ATTRIBUTE", help="What it lists of them: displayName, externalId or id.")
@click.option("--groups", "group_sync", metavar="off|add-only|authoritative", default="off", help="What it does.")
@click.option("--join", "join_at_login", metavar="off|pending|allowed", default="off", help="Whom nobody brought.")
@organization_option
@json_option
@click.pass_obj
def add(session: Session, /, organization: str | None, as_json: bool, secret_file: Path | None, **wanted: Any) -> None:
    """Add an identity provider; its name is what people read on the sign-in page."""
    body = {name: value for name, value in wanted.items() if value not in (None, ())}
    if secret_file is not None:
        body["client_secret"] = _secret(secret_file)
    made = session.api.post(f"{session.of(organization)}/identity-providers", body)
    say(as_json, made, f"{made['name']} is added. Its back-channel sign-out path is /login/backchannel/{made['id']}.")


@identity_provider.command("list")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, organization: str | None, as_json: bool) -> None:
    """List the identity providers."""
    found = list(session.api.every(f"{session.of(organization)}/identity-providers"))
    headings = ("name", "directory", "issuer", "who it is", "groups", "join", "domains", "tested", "enforced")
    rows = (
        (
            each["name"],
            each["directory"],
            each["issuer"],
            each["subject"],
            each["group_sync"],
            each["join_at_login"],
            joined(each["domains"]) or "all verified",
            moment(each["tested_at"]),
            "yes" if each["enforced"] else "no",
        )
        for each in found
    )
    say(as_json, found, table(headings, rows, "None yet."))


@identity_provider.command()
@click.argument("name")
@organization_option
@json_option
@click.pass_obj
def test(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Print the path of a test sign-in, good for half an hour and once; open it below the bridge's address."""
    begun = session.api.post(f"{_path(session, organization, name)}/test")
    say(as_json, begun, f"{begun['path']}\n\nOpen it in a browser and sign in as somebody of the directory.")


@identity_provider.command()
@click.argument("name")
@organization_option
@json_option
@click.pass_obj
def enforce(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Let people in by identity providers only; needs a successful test and a working break-glass account."""
    done = session.api.post(f"{_path(session, organization, name)}/enforce")
    say(as_json, done, "People sign in by identity providers only from now on.")


@identity_provider.command()
@organization_option
@json_option
@click.pass_obj
def relax(session: Session, organization: str | None, as_json: bool) -> None:
    """Let people in by the policy's other methods again."""
    session.api.post(f"{session.of(organization)}/identity-providers/relax")
    say(as_json, {"enforced": False}, "The policy's methods let people in again.")


@identity_provider.command()
@click.argument("name")
@secret_option
@organization_option
@json_option
@click.pass_obj
def secret(session: Session, name: str, secret_file: Path | None, organization: str | None, as_json: bool) -> None:
    """Replace the client secret; then test the sign-in again."""
    if secret_file is None:
        raise Invalid("Say where the new secret is: --client-secret-file.", field="client_secret_file")
    body = {"client_secret": _secret(secret_file)}
    done = session.api.put(f"{_path(session, organization, name)}/secret", body)
    say(as_json, done, f"{done['name']} has another secret.")


@identity_provider.command()
@click.argument("name")
@organization_option
@json_option
@click.pass_obj
def remove(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Take an identity provider away; sessions that began with it end."""
    gone = session.api.delete(_path(session, organization, name))
    say(as_json, gone, f"{gone['name']} signs nobody in any more.")


def _path(session: Session, organization: str | None, name: str) -> str:
    return f"{session.of(organization)}/identity-providers/{segment(name)}"


def _secret(file: Path) -> str:
    try:
        with click.open_file(str(file)) as stream:
            text = str(stream.read())
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"The file {file} cannot be read: {error}.", field="client_secret_file") from None
    if not text.strip():
        raise Invalid(f"The file {file} is empty.", field="client_secret_file")
    return text.strip()
