"""`scim-bridge organization policy …`: what an organization accepts of those who sign in."""

from typing import Any

import click

from scim_bridge.cli.output import facts, joined, json_option, organization_option, say
from scim_bridge.cli.session import Session

PATH = "/authentication-policy"


@click.group()
def policy() -> None:
    """Say which sign-ins, sessions and tokens open the organization."""


@policy.command()
@organization_option
@json_option
@click.pass_obj
def show(session: Session, organization: str | None, as_json: bool) -> None:
    """Show what the organization accepts."""
    _say(as_json, session.api.get(f"{session.of(organization)}{PATH}"))


@policy.command("set")
@click.option("--method", "methods", multiple=True, metavar="oidc|password|passkey", help="May be repeated.")
@click.option("--two-factor/--no-two-factor", "two_factor_required", default=None, help="For passwords.")
@click.option("--ip-range", "ip_ranges", multiple=True, metavar="CIDR", help="From where; may be repeated.")
@click.option("--anywhere", is_flag=True, help="From anywhere.")
@click.option("--idle-minutes", type=int, help="After which a session has to begin anew.")
@click.option("--session-hours", type=int, help="The longest that a session lives.")
@click.option("--personal-tokens/--no-personal-tokens", "personal_tokens", default=None, help="People's own tokens.")
@click.option("--token-days", type=int, help="The longest that one opens the organization; 0: for ever.")
@organization_option
@json_option
@click.pass_obj
def set_(session: Session, /, organization: str | None, as_json: bool, anywhere: bool, **wanted: Any) -> None:
    """Change what the organization accepts; what is not named stays."""
    body = {name: value for name, value in wanted.items() if value not in (None, ())}
    if anywhere:
        body["ip_ranges"] = []
    _say(as_json, session.api.patch(f"{session.of(organization)}{PATH}", body))


def _say(as_json: bool, found: Any) -> None:
    pairs = [
        ("identity providers only", "yes" if found["sso_enforced"] else "no"),
        ("methods", joined(found["methods"])),
        ("second factor", "required" if found["two_factor_required"] else "not required"),
        ("from", joined(found["ip_ranges"]) or "anywhere"),
        ("idle at most", f"{found['idle_minutes']} minutes"),
        ("session at most", f"{found['session_hours']} hours"),
        ("personal tokens", "yes" if found["personal_tokens"] else "no"),
        ("tokens at most", "for ever" if found["token_days"] is None else f"{found['token_days']} days"),
    ]
    say(as_json, found, facts(pairs))
