"""`scim-bridge member …`: the people of an organization."""

from typing import Any

import click

from scim_bridge.cli import joiners
from scim_bridge.cli.client import segment
from scim_bridge.cli.output import facts, joined, json_option, moment, organization_option, say, table
from scim_bridge.cli.session import Session

HEADINGS = ("who", "name", "state", "source", "directory", "last active")


@click.group()
def member() -> None:
    """See who is in an organization, and say what they may."""


@member.command("list")
@click.option("--search", help="Beginnings of words in name, e-mail address or userName.")
@click.option("--state", help="invited, active, deactivated or removed.")
@click.option("--source", help="scim, invitation, login, manual or application.")
@click.option("--directory", help="Those whom this directory has the say about.")
@click.option("--api-role", help="Who holds it, themselves or by a group.")
@click.option("--kubernetes-role", help="Who holds it, themselves or by a group.")
@click.option("--unit", metavar="PATH", help="Who has a role in this unit, in what lies in it, or above it.")
@click.option("--active-before", metavar="90d|DATE", help="Last active before then.")
@click.option("--active-since", metavar="90d|DATE", help="Last active since then.")
@click.option("--never-active", is_flag=True, help="Never active so far.")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, /, organization: str | None, as_json: bool, **asked: Any) -> None:
    """List and search the members."""
    asked["never_active"] = "true" if asked["never_active"] else None
    _say(as_json, list(session.api.every(f"{session.of(organization)}/members", **asked)), "No members.")


@member.command()
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True, help="Not active for so long.")
@organization_option
@json_option
@click.pass_obj
def dormant(session: Session, days: int, organization: str | None, as_json: bool) -> None:
    """List who is active and has not been seen for a while, or never since they came."""
    path = f"{session.of(organization)}/members"
    found = list(session.api.every(path, dormant_days=days, state="active"))
    _say(as_json, found, f"Everybody was active within {days} days.")


@member.command()
@click.argument("person")
@organization_option
@json_option
@click.pass_obj
def show(session: Session, person: str, organization: str | None, as_json: bool) -> None:
    """Show a member: groups and why, states so far, tokens, and what they may do where."""
    found = session.api.get(f"{session.of(organization)}/members/{segment(person)}")
    profile = found["profile"]
    listed, account = profile["member"], profile["account"]
    groups = joined(f"{each['group']} ({each['origin']})" for each in profile["groups"])
    clusters = joined(f"{each['cluster']}: {each['role'] or 'nothing'}" for each in profile["access"]["clusters"])
    text = facts(
        (
            ("who", listed["user_name"]),
            ("name", listed["display_name"]),
            ("id", listed["id"]),
            ("state", listed["state"]),
            ("source", listed["source"]),
            ("directory", listed["directory"]),
            ("managed", "yes" if profile["managed"] else "no"),
            ("signs in by", joined(profile["sign_in"])),
            ("two-factor", "yes" if account and account["two_factor"] else "no"),
            ("last active", moment(listed["last_active_at"])),
            ("groups", groups),
            ("API roles", joined(profile["access"]["api_roles"])),
            ("clusters", clusters),
            ("tokens", len(found["tokens"])),
            ("sessions", sum(each["ended_at"] is None for each in found["sessions"])),
            ("so far", joined(f"{each['state']} since {moment(each['since'])}" for each in profile["states"])),
        )
    )
    say(as_json, found, "\n".join([text, *profile["notes"]]))


@member.command()
@click.argument("person")
@organization_option
@json_option
@click.pass_obj
def deactivate(session: Session, person: str, organization: str | None, as_json: bool) -> None:
    """Take all access from a member and keep what they had; a directory does not bring them back."""
    _move(session, "deactivate", person, organization, as_json=as_json)


@member.command()
@click.argument("person")
@organization_option
@json_option
@click.pass_obj
def reactivate(session: Session, person: str, organization: str | None, as_json: bool) -> None:
    """Give a deactivated member back what they had."""
    _move(session, "reactivate", person, organization, as_json=as_json)


@member.command()
@click.argument("person")
@organization_option
@json_option
@click.pass_obj
def remove(session: Session, person: str, organization: str | None, as_json: bool) -> None:
    """Take a member out of groups, off every cluster and out of the organization."""
    moved = session.api.delete(f"{session.of(organization)}/members/{segment(person)}")
    say(as_json, moved, f"{moved['user_name']} is removed.")


@member.command()
@click.argument("person")
@click.option("--api-role", help="The API role in the whole organization; `inherit` takes away what hands gave.")
@click.option("--kubernetes-role", help="The Kubernetes role there; `none` is explicitly nothing.")
@organization_option
@json_option
@click.pass_obj
def role(session: Session, /, person: str, organization: str | None, as_json: bool, **roles: str | None) -> None:
    """Say which roles a member has in the whole organization, in place of those that hands gave."""
    made = session.api.put(f"{session.of(organization)}/members/{segment(person)}/roles", roles)
    held = joined([*made["api_roles"], *made["kubernetes_roles"]]) or "no role"
    say(as_json, made, f"{made['user_name']} has {held} in the organization.")


for verb in (joiners.waiting, joiners.approve, joiners.refuse):
    member.add_command(verb)


def _move(session: Session, verb: str, person: str, organization: str | None, *, as_json: bool) -> None:
    moved = session.api.post(f"{session.of(organization)}/members/{segment(person)}/{verb}")
    was = "" if moved["changed"] else ", as before"
    say(as_json, moved, f"{moved['user_name']} is {moved['state']}{was}.")


def _say(as_json: bool, found: list[Any], empty: str) -> None:
    rows = (
        (
            each["member"]["user_name"],
            each["member"]["display_name"],
            each["member"]["state"],
            each["member"]["source"],
            each["member"]["directory"],
            moment(each["member"]["last_active_at"]),
        )
        for each in found
    )
    say(as_json, found, table(HEADINGS, rows, empty))
