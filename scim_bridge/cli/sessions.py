"""`scim-bridge session …` and `break-glass …`: who is signed in, and who gets in when nobody else does."""

import click

from scim_bridge.cli.client import segment
from scim_bridge.cli.output import json_option, moment, organization_option, say, table
from scim_bridge.cli.session import Session


@click.group("session")
def session_verbs() -> None:
    """See and end the sessions of people who signed in."""


@session_verbs.command("list")
@click.option("--for", "member", metavar="MEMBER", default="me", help="Whose; one's own if left out.")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, member: str, organization: str | None, as_json: bool) -> None:
    """List a member's sessions that may open the organization, ended ones too."""
    found = list(session.api.every(f"{session.of(organization)}/members/{segment(member)}/sessions"))
    headings = ("session", "began", "last used", "by", "second factor", "from", "browser", "ended", "because")
    rows = (
        (
            each["id"],
            moment(each["created_at"]),
            moment(each["last_seen_at"]),
            each["method"],
            "yes" if each["second_factor"] else "no",
            each["address"],
            each["user_agent"],
            moment(each["ended_at"]),
            each["ended_because"],
        )
        for each in found
    )
    say(as_json, found, table(headings, rows, "No sessions."))


@session_verbs.command()
@click.argument("named", metavar="SESSION")
@organization_option
@json_option
@click.pass_obj
def revoke(session: Session, named: str, organization: str | None, as_json: bool) -> None:
    """End a session: one's own everywhere, another's for the organization."""
    ended = session.api.delete(f"{session.of(organization)}/sessions/{segment(named)}")
    say(as_json, ended, "The session opens the organization no more.")


@click.group("break-glass")
def break_glass() -> None:
    """Keep owners who get in when the identity provider lets nobody in."""


@break_glass.command("add")
@click.argument("member")
@organization_option
@json_option
@click.pass_obj
def add(session: Session, member: str, organization: str | None, as_json: bool) -> None:
    """Make an owner's account a break-glass account; it must be of no directory."""
    made = session.api.post(f"{session.of(organization)}/break-glass", {"member": member})
    state = "It works." if made["works"] else f"It does not work yet: it {made['lacking']}."
    say(as_json, made, f"{made['user_name']} is a break-glass account. {state}")


@break_glass.command("list")
@organization_option
@json_option
@click.pass_obj
def list_accounts(session: Session, organization: str | None, as_json: bool) -> None:
    """List the break-glass accounts, and whether each would get in today."""
    found = list(session.api.every(f"{session.of(organization)}/break-glass"))
    rows = (
        (
            each["user_name"],
            "yes" if each["works"] else f"no: {each['lacking']}",
            moment(each["last_used_at"]),
            "due" if each["drill_due"] else "",
        )
        for each in found
    )
    say(as_json, found, table(("account", "works", "last used", "drill"), rows, "None: make one before you need it."))


@break_glass.command("remove")
@click.argument("member")
@organization_option
@json_option
@click.pass_obj
def remove(session: Session, member: str, organization: str | None, as_json: bool) -> None:
    """Let an account be like all others."""
    gone = session.api.delete(f"{session.of(organization)}/break-glass/{segment(member)}")
    say(as_json, gone, f"{gone['user_name']} is no break-glass account any more.")


@click.group()
def account() -> None:
    """Help people to an account of their own."""


@account.command()
@click.option("--for", "email", metavar="EMAIL", required=True, help="Whose account.")
@json_option
@click.pass_obj
def link(session: Session, email: str, as_json: bool) -> None:
    """Print a link with which somebody sets their password, once within a day; only at the installation itself."""
    from scim_bridge.identity import accounts

    made = accounts.make_link(session.database, session.actor, email)
    url = f"{session.settings.base_url}{made.path}"
    say(as_json, {"email": made.email, "url": url, "expires_at": made.expires_at}, url)


@account.command()
@click.option("--for", "email", metavar="EMAIL", required=True, help="Whose account.")
@json_option
@click.pass_obj
def reset(session: Session, email: str, as_json: bool) -> None:
    """Take every second factor from somebody who lost them all; only at the installation itself."""
    from scim_bridge.identity import second_factors

    had = second_factors.take_away(session.database, session.actor, email)
    document = {"email": email, "one_time_codes": had.totp, "passkeys": had.passkeys}
    codes = "one-time codes" if had.totp else "no one-time codes"
    say(as_json, document, f"{email} had {codes} and {had.passkeys} passkeys: none is left, and the sessions ended.")
