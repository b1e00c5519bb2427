"""`scim-bridge freeze …`: keep the bridge from acting, and let it act again."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from scim_bridge.cli.output import json_option, moment, organization_option, say, table
from scim_bridge.cli.session import Session

Verb = TypeVar("Verb", bound=Callable[..., Any])

PLACE = (
    click.option("--cluster", "-c", metavar="NAME", help="Only this cluster."),
    click.option("--binding", metavar="ROLE[@NAMESPACE]", help="Only this binding of the cluster."),
    click.option("--installation", is_flag=True, help="All organizations; only at the installation itself."),
)


def place_options(verb: Verb) -> Verb:
    """Give a verb the options that name what is frozen."""
    for option in reversed(PLACE):
        verb = option(verb)
    return verb


@click.group()
def freeze() -> None:
    """Stop grants and inferred removals; who is asked to leave leaves all the same."""


@freeze.command()
@place_options
@click.option("--reason", default="", help="Why, for whoever finds it frozen.")
@click.option("--hours", type=float, metavar="N", help="After how many hours it ends by itself.")
@click.option("--including-revocations", is_flag=True, help="Keep leavers in too; for an owner, and at most 24 hours.")
@organization_option
@json_option
@click.pass_obj
def on(session: Session, /, organization: str | None, installation: bool, as_json: bool, **wanted: Any) -> None:
    """Freeze the organization, a cluster or a binding."""
    made = _ask(session, organization, wanted, "/freezes", "begin", installation=installation)
    leavers = "leavers stay in too" if made["including_revocations"] else "who is asked to leave leaves all the same"
    until = f" until {moment(made['until'])}" if made["until"] else ""
    say(as_json, made, f"Frozen{until}: {_what(made)}; {leavers}.")


@freeze.command()
@place_options
@organization_option
@json_option
@click.pass_obj
def off(session: Session, /, organization: str | None, installation: bool, as_json: bool, **wanted: Any) -> None:
    """End a freeze; what waited is done at once."""
    ended = _ask(session, organization, wanted, "/freezes/end", "end_place", installation=installation)
    say(as_json, ended, f"No longer frozen: {_what(ended)}.")


@freeze.command("list")
@organization_option
@json_option
@click.pass_obj
def list_(session: Session, organization: str | None, as_json: bool) -> None:
    """List what is frozen, by whom, why and until when."""
    found = list(session.api.every(f"{session.of(organization)}/freezes"))
    rows = (
        (
            _what(each),
            "frozen too" if each["including_revocations"] else "go on",
            each["by"],
            moment(each["since"]),
            moment(each["until"]),
            each["reason"],
        )
        for each in found
    )
    say(as_json, found, table(("frozen", "leavers", "by", "since", "until", "why"), rows, "Nothing is frozen."))


def _ask(
    session: Session, organization: str | None, wanted: dict[str, Any], path: str, verb: str, *, installation: bool
) -> dict[str, Any]:
    if not installation:
        return dict(session.api.post(f"{session.of(organization)}{path}", wanted))
    if organization is not None or wanted["cluster"] is not None:
        raise click.UsageError("--installation is all organizations and clusters: leave the others out.")
    # No organization of the API's can be asked for what concerns them all.
    import json

    import orjson

    from scim_bridge.identity import freezes

    made = getattr(freezes, verb)(session.database, session.actor, None, freezes.FreezeWanted(**wanted))
    return dict(json.loads(orjson.dumps(made, option=orjson.OPT_UTC_Z)))


def _what(each: Mapping[str, Any]) -> str:
    if each["level"] in ("installation", "organization"):
        return f"the {each['level']}"
    place = f"{each['binding']} on " if each["binding"] else ""
    return f"{place}the cluster {each['cluster']}"
