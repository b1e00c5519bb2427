"""`scim-bridge webhook …`: who else is told what happens."""

from typing import Any

import click

from scim_bridge.cli.client import segment
from scim_bridge.cli.output import joined, json_option, moment, organization_option, say, table
from scim_bridge.cli.session import Session
from scim_bridge.errors import Invalid

kinds_option = click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="KIND",
    help="An action of the audit, NOUN.*, * or audit.entry; repeatable.",
)


@click.group()
def webhook() -> None:
    """Tell other systems what happens, signed."""


@webhook.command()
@click.argument("name")
@click.option("--url", required=True, help="Where to: https://host/path.")
@kinds_option
@organization_option
@json_option
@click.pass_obj
def add(session: Session, name: str, url: str, kinds: tuple[str, ...], organization: str | None, as_json: bool) -> None:
    """Add a receiver of what happens from now on; all kinds if none is named."""
    body = {"name": name, "url": url, "kinds": kinds or ("*",)}
    made = session.api.post(f"{session.of(organization)}/webhooks", body)
    say(as_json, made, f"{name} is added. It signs with this secret, shown this once:\n\n{made['secret']}")


@webhook.command("list")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, organization: str | None, as_json: bool) -> None:
    """List the webhooks, and how they are doing."""
    found = list(session.api.every(f"{session.of(organization)}/webhooks"))
    headings = ("name", "url", "kinds", "state", "waiting", "dead", "failing since", "last taken", "problem")
    rows = (
        (
            each["name"],
            each["url"],
            joined(each["kinds"]),
            each["state"],
            each["waiting"],
            each["dead"],
            moment(each["failing_since"]),
            moment(each["last_success_at"]),
            each["problem"],
        )
        for each in found
    )
    say(as_json, found, table(headings, rows, "None yet."))


@webhook.command("set")
@click.argument("name")
@click.option("--url", help="Another address.")
@kinds_option
@organization_option
@json_option
@click.pass_obj
def set_(
    session: Session, name: str, url: str | None, kinds: tuple[str, ...], organization: str | None, as_json: bool
) -> None:
    """Give a webhook another address, or other kinds of events."""
    body = {"url": url, "kinds": kinds or None}
    made = session.api.patch(_path(session, organization, name), body)
    say(as_json, made, f"{name} is told {joined(made['kinds'])} at {made['url']}.")


@webhook.command()
@click.argument("name")
@click.option("--overlap-hours", type=float, default=24, show_default=True, help="So long both secrets sign.")
@organization_option
@json_option
@click.pass_obj
def rotate(session: Session, name: str, overlap_hours: float, organization: str | None, as_json: bool) -> None:
    """Make another secret; for a time deliveries carry both signatures."""
    made = session.api.post(f"{_path(session, organization, name)}/rotate", {"overlap_hours": overlap_hours})
    until = moment(made["webhook"]["old_secret_until"])
    told = f"the old one counts until {until}" if until else "the old one is forgotten"
    say(as_json, made, f"{name} signs with this secret, shown this once; {told}:\n\n{made['secret']}")


@webhook.command()
@click.argument("name")
@organization_option
@json_option
@click.pass_obj
def enable(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Tell a receiver again what happens from now on."""
    _step(
        session, name, organization, as_json, "enable", f"{name} is told what happens; `webhook redeliver` catches up."
    )


@webhook.command()
@click.argument("name")
@organization_option
@json_option
@click.pass_obj
def disable(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Tell a receiver nothing for now."""
    _step(session, name, organization, as_json, "disable", f"{name} is told nothing.")


@webhook.command()
@click.argument("name")
@organization_option
@json_option
@click.pass_obj
def test(session: Session, name: str, organization: str | None, as_json: bool) -> None:
    """Send a test event; `webhook deliveries` shows what became of it."""
    _step(session, name, organization, as_json, "test", f"A test event is on its way to {name}.")


@webhook.command()
@click.argument("name")
@organization_option
@click.pass_obj
def remove(session: Session, name: str, organization: str | None) -> None:
    """Take a webhook away."""
    session.api.delete(_path(session, organization, name))
    click.echo(f"{name} is removed.")


@webhook.command()
@click.argument("name")
@click.option("--state", metavar="queued|delivered|dead", help="Only these.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many at most.")
@organization_option
@json_option
@click.pass_obj
def deliveries(
    session: Session, name: str, state: str | None, limit: int, organization: str | None, as_json: bool
) -> None:
    """Show what was sent and what became of it, the newest first."""
    path = f"{_path(session, organization, name)}/deliveries"
    found = session.api.get(path, state=state, limit=limit)["items"]
    headings = ("delivery", "kind", "state", "attempts", "last", "status", "answer")
    rows = (
        (
            each["id"],
            each["kind"],
            each["state"],
            each["attempts"],
            moment(each["last_at"]),
            each["last_status"],
            (each["last_answer"] or "")[:60],
        )
        for each in found
    )
    say(as_json, found, table(headings, rows, "None yet."))


@webhook.command()
@click.argument("name")
@click.argument("delivery", required=False)
@click.option("--since", metavar="TIME", help="All that was not taken since then: 2h, 7d or a time.")
@click.option("--everything", is_flag=True, help="With --since: what was taken, too.")
@organization_option
@json_option
@click.pass_obj
def redeliver(
    session: Session,
    name: str,
    delivery: str | None,
    since: str | None,
    everything: bool,
    organization: str | None,
    as_json: bool,
) -> None:
    """Send one delivery again, or all that was not taken since a moment."""
    if (delivery is None) == (since is None):
        raise Invalid("Name a delivery, or a moment with --since.", field="since")
    path = _path(session, organization, name)
    if delivery is not None:
        made = session.api.post(f"{path}/deliveries/{segment(delivery)}/redeliver")
    else:
        made = session.api.post(f"{path}/redeliver", {"since": since, "everything": everything})
    say(as_json, made, f"{made['queued']} to be sent again.")


def _step(session: Session, name: str, organization: str | None, as_json: bool, step: str, text: str) -> None:
    made: Any = session.api.post(f"{_path(session, organization, name)}/{step}")
    say(as_json, made, text)


def _path(session: Session, organization: str | None, name: str) -> str:
    return f"{session.of(organization)}/webhooks/{segment(name)}"
