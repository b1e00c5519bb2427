"""`scim-bridge simulate …`: play an identity provider against a bridge, over HTTP."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from scim_bridge.cli.output import facts, json_option, say
from scim_bridge.cli.session import Session

if TYPE_CHECKING:
    from scim_bridge.simulator import Progress, Report

Verb = TypeVar("Verb", bound=Callable[..., Any])

OPTIONS = (
    click.option("--base-url", required=True, help="The SCIM URL, as `scim-bridge directory create` prints it."),
    click.option("--token", required=True, envvar="SCIM_TOKEN", help="The directory's token; or in SCIM_TOKEN."),
    click.option("--users", default=20, show_default=True, type=click.IntRange(2, 100_000), help="How many people."),
    click.option("--groups", default=4, show_default=True, type=click.IntRange(1, 5_000), help="How many groups."),
    click.option("--seed", default=1, show_default=True, help="The same seed plays the same life."),
    json_option,
)


def simulate_options(verb: Verb) -> Verb:
    """Give a verb the options of a simulated life."""
    for option in reversed(OPTIONS):
        verb = option(verb)
    return verb


@click.group()
def simulate() -> None:
    """Play a company's life against a bridge: hires, moves, renames, leavers, rehires."""


@simulate.command()
@simulate_options
@click.pass_obj
def okta(_session: Session, /, as_json: bool, **options: Any) -> None:
    """Play it in Okta's own requests."""
    _play("okta", as_json, options)


@simulate.command()
@simulate_options
@click.pass_obj
def entra(_session: Session, /, as_json: bool, **options: Any) -> None:
    """Play it in Entra's own requests."""
    _play("entra", as_json, options)


def play_with_bar(kind: Literal["okta", "entra"], label: str, *, quiet: bool, **options: Any) -> "Report":
    """Play a life and show how far it has come on standard error."""
    from scim_bridge.simulator import play

    if quiet:
        return play(kind, **options)
    stream = sys.stderr
    with click.progressbar(length=100, label=label, file=stream, item_show_func=_event) as bar:
        reached = 0

        def show(progress: "Progress") -> None:
            nonlocal reached
            bar.length = max(progress.total, 1)
            bar.update(progress.done - reached, progress)
            reached = progress.done

        return play(kind, events=show, **options)


def _event(progress: "Progress | None") -> str | None:
    return progress.event if progress else None


def _play(kind: Literal["okta", "entra"], as_json: bool, options: dict[str, Any]) -> None:
    report = play_with_bar(kind, kind.capitalize(), quiet=as_json, **options)
    pairs = [
        *report.events.items(),
        ("requests", report.requests),
        ("seconds", f"{report.seconds:.1f}"),
        ("answers", f"half within {report.p50 * 1000:.0f} ms, 95 % within {report.p95 * 1000:.0f} ms"),
        ("failures", len(report.failures)),
    ]
    lines = [
        f"{each.event}: {each.method} {each.target} → {each.status or 'no answer'} {each.detail}"
        for each in report.failures
    ]
    say(as_json, report.as_document(), "\n".join([facts(pairs), *lines]))
    if not report.ok:
        raise SystemExit(1)
