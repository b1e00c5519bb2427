"""`scim-bridge directory conflict …`: people who wait because they may be somebody who is here already."""

import click

from scim_bridge.cli.output import json_option, organization_option, say, table, time
from scim_bridge.cli.session import Session


@click.group()
def conflict() -> None:
    """Say whether people whom a directory brought are the ones who were here before."""


@conflict.command("list")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, organization: str | None, as_json: bool) -> None:
    """List who waits, beside whom they may be, and why nobody was adopted."""
    from scim_bridge.identity import adoption

    found = adoption.list_waiting(session.database, session.organization(organization))
    rows = (
        (each.id, each.directory, each.user_name, f"{each.candidate} ({each.candidate_state})", each.reason)
        for each in found
    )
    headings = ("conflict", "directory", "brought", "here already", "why it waits")
    documents = [
        {
            "id": each.id,
            "directory": each.directory,
            "user_id": each.user_id,
            "user_name": each.user_name,
            "member_id": each.candidate_id,
            "member": each.candidate,
            "member_state": each.candidate_state,
            "reason": each.reason,
            "since": time(each.since),
        }
        for each in found
    ]
    say(as_json, documents, table(headings, rows, "Nobody waits."))


@conflict.command()
@click.argument("conflict_id", metavar="CONFLICT")
@organization_option
@json_option
@click.pass_obj
def claim(session: Session, conflict_id: str, organization: str | None, as_json: bool) -> None:
    """Say that it is the same person: they keep what they have, and follow the directory from now on."""
    from scim_bridge.identity import adoption

    done = adoption.claim(session.database, session.actor, session.organization(organization), conflict_id)
    sentence = f"{done.candidate} is {done.user_name} of {done.directory} from now on."
    say(as_json, {"id": done.id, "member_id": done.candidate_id, "state": "claimed"}, sentence)


@conflict.command()
@click.argument("conflict_id", metavar="CONFLICT")
@organization_option
@json_option
@click.pass_obj
def dismiss(session: Session, conflict_id: str, organization: str | None, as_json: bool) -> None:
    """Say that they are two people: the one whom the directory brought becomes a member like any other."""
    from scim_bridge.identity import adoption

    done = adoption.dismiss(session.database, session.actor, session.organization(organization), conflict_id)
    sentence = f"{done.user_name} of {done.directory} and {done.candidate} are two people."
    say(as_json, {"id": done.id, "member_id": done.waiting_id, "state": "dismissed"}, sentence)
