"""`scim-bridge review …`: look at who is dormant, person by person."""

from typing import Any

import click

from scim_bridge.cli.client import segment
from scim_bridge.cli.output import json_option, moment, organization_option, say, table
from scim_bridge.cli.session import Session


@click.group()
def review() -> None:
    """Review who is dormant: keep them, or deactivate them."""


@review.command("open")
@click.argument("name")
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True, help="Not active for so long.")
@click.option("--deadline", required=True, metavar="14d|DATE", help="Until when it is to be done.")
@organization_option
@json_option
@click.pass_obj
def open_(session: Session, name: str, days: int, deadline: str, organization: str | None, as_json: bool) -> None:
    """Begin a review; nothing happens to anybody by that."""
    made = session.api.post(f"{session.of(organization)}/reviews", {"name": name, "days": days, "deadline": deadline})
    _say(as_json, made)


@review.command("list")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, organization: str | None, as_json: bool) -> None:
    """List the reviews."""
    found = list(session.api.every(f"{session.of(organization)}/reviews"))
    rows = (
        (
            each["id"],
            each["name"],
            each["people"],
            each["undecided"],
            moment(each["deadline"]),
            moment(each["closed_at"]),
        )
        for each in found
    )
    say(as_json, found, table(("id", "name", "people", "undecided", "deadline", "closed"), rows, "No reviews."))


@review.command()
@click.argument("review")
@organization_option
@json_option
@click.pass_obj
def show(session: Session, review: str, organization: str | None, as_json: bool) -> None:
    """Show everybody in a review, and what was decided."""
    _say(as_json, session.api.get(f"{session.of(organization)}/reviews/{segment(review)}"))


@review.command()
@click.argument("review")
@click.argument("person")
@click.argument("decision", type=click.Choice(["keep", "deactivate"]))
@organization_option
@json_option
@click.pass_obj
def decide(session: Session, review: str, person: str, decision: str, organization: str | None, as_json: bool) -> None:
    """Keep a person, or deactivate them at once."""
    body = {"member": person, "decision": decision}
    _say(as_json, session.api.post(f"{session.of(organization)}/reviews/{segment(review)}/decisions", body))


@review.command()
@click.argument("review")
@organization_option
@json_option
@click.pass_obj
def close(session: Session, review: str, organization: str | None, as_json: bool) -> None:
    """End a review; whoever was not decided about stays as they are."""
    _say(as_json, session.api.post(f"{session.of(organization)}/reviews/{segment(review)}/close"))


def _say(as_json: bool, shown: Any) -> None:
    about = shown["review"]
    rows = (
        (each["user_name"], each["state"], moment(each["last_active_at"]), each["decision"], each["decided_by"])
        for each in shown["items"]
    )
    state = "closed" if about["closed_at"] else "overdue" if shown["overdue"] else f"until {moment(about['deadline'])}"
    head = f"{about['name']} ({about['id']}), {state}: {about['undecided']} of {about['people']} undecided."
    say(as_json, shown, f"{head}\n{table(('who', 'state', 'last active', 'decision', 'by'), rows)}")
