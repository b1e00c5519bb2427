"""`scim-bridge directory conflict …`: people who wait because they may be somebody who is here already."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from scim_bridge.cli.output import json_option, organization_option, say, table, time
from scim_bridge.cli.session import Session

if TYPE_CHECKING:
    from scim_bridge.identity.adoption import StoredConflict


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


def _answering(name: str, help_: str, answer: Callable[["StoredConflict"], tuple[str, str, str]]) -> None:
    """Add the verb ``name``; ``answer`` returns whose member it was about, its state, and the sentence."""

    @conflict.command(name, help=help_)
    @click.argument("conflict_id", metavar="CONFLICT")
    @organization_option
    @json_option
    @click.pass_obj
    def verb(session: Session, conflict_id: str, organization: str | None, as_json: bool) -> None:
        from scim_bridge.identity import adoption

        carry_out = adoption.claim if name == "claim" else adoption.dismiss
        done = carry_out(session.database, session.actor, session.organization(organization), conflict_id)
        member_id, state, sentence = answer(done)
        say(as_json, {"id": done.id, "member_id": member_id, "state": state}, sentence)


def _claimed(done: "StoredConflict") -> tuple[str, str, str]:
    return done.candidate_id, "claimed", f"{done.candidate} is {done.user_name} of {done.directory} from now on."


def _dismissed(done: "StoredConflict") -> tuple[str, str, str]:
    sentence = f"{done.user_name} of {done.directory} and {done.candidate} are two people."
    return done.waiting_id, "dismissed", sentence


_answering("claim", "Say that it is the same person: they keep what they have, and follow the directory.", _claimed)
_answering("dismiss", "Say that they are two people: the new one becomes a member like any other.", _dismissed)
