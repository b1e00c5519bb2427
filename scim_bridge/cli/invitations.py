"""`scim-bridge invitation …`: people asked to come in."""

from typing import Any

import click

from scim_bridge.cli.client import segment
from scim_bridge.cli.output import joined, json_option, moment, organization_option, say, table
from scim_bridge.cli.session import Session


@click.group()
def invitation() -> None:
    """Invite people by e-mail, and answer invitations."""


@invitation.command()
@click.argument("email", nargs=-1, required=True)
@click.option("--api-role", help="The API role in the whole organization: viewer, developer, admin …")
@click.option("--kubernetes-role", help="The role on all its clusters: cluster-admin, edit, view or none.")
@click.option("--group", "groups", multiple=True, help="A group made by hand to come into; may be given again.")
@organization_option
@json_option
@click.pass_obj
def create(
    session: Session,
    /,
    email: tuple[str, ...],
    groups: tuple[str, ...],
    organization: str | None,
    as_json: bool,
    **roles: str | None,
) -> None:
    """Invite one person or several; the link goes to each alone, by mail."""
    path = f"{session.of(organization)}/invitations"
    wanted = [{"email": each, "groups": list(groups), **roles} for each in email]
    if len(wanted) == 1:
        made = session.api.post(path, wanted[0])
        say(as_json, made, f"{made['email']} is invited until {moment(made['expires_at'])}.")
        return
    document = session.api.post(f"{path}/bulk", {"invitations": wanted})
    rows = ((each["email"], "invited" if each["invitation"] else each["error"]) for each in document["lines"])
    say(as_json, document, table(("who", "outcome"), rows))
    if document["failed"]:
        raise click.exceptions.Exit(1)


@invitation.command("list")
@click.option("--state", help="pending, accepted, declined, expired, revoked or superseded.")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, state: str | None, organization: str | None, as_json: bool) -> None:
    """List the invitations, the newest first, and what became of their mails."""
    found = list(session.api.every(f"{session.of(organization)}/invitations", state=state))
    rows = (
        (
            each["email"],
            each["state"],
            joined(role for role in (each["api_role"], each["kubernetes_role"]) if role),
            joined(each["groups"]),
            each["invited_by"],
            moment(each["expires_at"]),
            _mail(each["mail"]),
        )
        for each in found
    )
    headings = ("who", "state", "roles", "groups", "invited by", "until", "mail")
    say(as_json, found, table(headings, rows, "No invitations."))


@invitation.command()
@click.argument("invitation")
@organization_option
@json_option
@click.pass_obj
def resend(session: Session, invitation: str, organization: str | None, as_json: bool) -> None:
    """Send an invitation (an id or e-mail address) again with a new link; the one of before opens nothing."""
    made = session.api.post(f"{session.of(organization)}/invitations/{segment(invitation)}/resend")
    say(as_json, made, f"{made['email']} is invited until {moment(made['expires_at'])}; the link of before is dead.")


@invitation.command()
@click.argument("invitation")
@organization_option
@json_option
@click.pass_obj
def revoke(session: Session, invitation: str, organization: str | None, as_json: bool) -> None:
    """Take an invitation (an id or e-mail address) back; its link opens nothing."""
    made = session.api.delete(f"{session.of(organization)}/invitations/{segment(invitation)}")
    say(as_json, made, f"{made['email']} is no longer invited.")


@invitation.command()
@click.argument("link")
@click.option("--name", help="How you are called; needed where there is no account of your address yet.")
@json_option
@click.pass_obj
def accept(session: Session, link: str, name: str | None, as_json: bool) -> None:
    """Accept an invitation with its LINK, or the last part of it."""
    joined_ = session.api.post("/invitations/accept", {"secret": _secret(link), "display_name": name})
    say(as_json, joined_, f"Welcome to {joined_['organization_name']}.")


@invitation.command()
@click.argument("link")
@json_option
@click.pass_obj
def decline(session: Session, link: str, as_json: bool) -> None:
    """Decline an invitation with its LINK, or the last part of it."""
    session.api.post("/invitations/decline", {"secret": _secret(link)})
    say(as_json, {"declined": True}, "The invitation is declined.")


def _secret(link: str) -> str:
    return link.strip().rstrip("/").rpartition("/")[2]


def _mail(mail: Any) -> str:
    if mail is None:
        return ""
    return f"{mail['state']}: {mail['last_error']}" if mail["last_error"] else str(mail["state"])
